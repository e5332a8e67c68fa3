"""A repository made from examples/github, with the API, the repository's GitHub, and its comments."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from action_runner import ROOT, Runner
from applying import KEY
from commands import Emulated, emulated
from fake_actions import REPOSITORY, FakeActions
from fake_github import FakeGitHub, fake_github
from remembering import bare
from repositories import commit, git
from webchat_sync.emulator import Faults
from webchat_sync.model import Json
from workflow_runner import JobEnded, run_job

ORGANIZATION = "00000000-0000-4000-8000-000000000001"
SUPPORT: dict[str, Json] = {"name": "Support", "welcomeMessage": "Hello", "allowedDomains": ["www.example.com"]}
OF_PULL = {"pull_request": {"number": 7, "head": {"repo": REPOSITORY}}}
"""The event of a pull request from a branch of this repository."""
SECRETS = {"MOSEND_API_KEY": KEY, "SITE_SECRETS_TOKEN": "ghp_site"}

# GitHub's command line with a folder as its server: stores secrets, and has one artifact, the listing.
GH = """\
#!/bin/sh
set -eu
for last; do :; done
case "$1 $2" in
  "auth status") test "$GH_TOKEN" = ghp_site ;;
  "secret set") test "$GH_TOKEN" = ghp_site; test ! -e "{server}/refuses"; cat > "{server}/$3" ;;
  "run list") echo 300 ;;
  "run download") test "$3" = 300; mkdir -p "$last"; cp "{server}/live.json" "$last" ;;
  *) exit 1 ;;
esac
"""


@dataclass
class Pipeline:
    """A repository made from the example, and everything around it.

    Each job gets a new machine with only its programs, and a fresh clone of ``origin``: jobs can only share data
    through the hosts. ``runner`` has the author's clone.
    """

    runner: Runner
    api: Emulated
    host: FakeGitHub
    server: Path
    origin: Path

    def push(self, *replaced: tuple[str, str]) -> None:
        """Commit and push replacements in the manifest of Support."""
        self.edit("support.yaml", *replaced)

    def edit(self, name: str, *replaced: tuple[str, str]) -> None:
        """The same for the manifest with that name."""
        file = self.runner.workspace / "channels" / name
        text = file.read_text(encoding="utf-8")
        for before, after in replaced:
            assert before in text
            text = text.replace(before, after)
        self.commit({f"channels/{name}": text})

    def commit(self, files: dict[str, str]) -> None:
        """Write these files, and commit and push everything."""
        commit(self.runner.workspace, files)
        git(self.runner.workspace, "push", "--quiet", "origin", "HEAD:main")

    def declare(self, files: dict[str, str]) -> None:
        """Replace the example's manifests by these files, and commit and push them."""
        shutil.rmtree(self.runner.workspace / "channels")
        self.commit(files)

    def plan(self, run: int, head: str) -> JobEnded:
        """The pull request is opened, or pushed to."""
        event = {**self.about(7), **self.runner.github.start(run, head)}
        return self.job("plan.yml", "plan", event, event_name="pull_request", event=OF_PULL)

    def apply(self, event_name: str, commit: str, head: str = "", **inputs: str) -> JobEnded:
        """The pull request with the head ``head`` is merged, or someone starts the workflow by hand."""
        event = self.runner.github.merge(commit, head) if head else {"GITHUB_SHA": commit}
        return self.job("apply.yml", "apply", event, event_name=event_name, inputs=inputs)

    def scheduled(self, name: str) -> JobEnded:
        """The workflow with that name runs as scheduled."""
        return self.job(f"{name}.yml", name, self.about(None), event_name="schedule", ref="refs/heads/main")

    def job(
        self,
        workflow: str,
        job: str,
        variables: dict[str, str],
        /,
        secrets: Any = SECRETS,
        needs: Any = None,
        matrix: Any = None,
        inputs: Any = None,
        **github: Any,
    ) -> JobEnded:
        github = {"repository": REPOSITORY["full_name"], **github}
        variables = {"GITHUB_RUN_ID": "800", **variables}
        machine = self.runner.fresh()
        contexts = {"github": github, "secrets": secrets, "needs": needs, "matrix": matrix, "inputs": inputs}
        ended = run_job(machine, workflow, job, origin=self.origin, event=variables, **contexts)
        shutil.rmtree(machine.workspace.parent)
        for artifact in self.runner.github.artifacts:
            if artifact["name"] == "webchat-sync-listing":
                (self.server / "live.json").write_bytes(self.runner.github.files[artifact["id"]][1])
        return ended

    def about(self, number: int | None, **event: Any) -> dict[str, str]:
        """The variables of a run for that pull request, without the token, which the workflow must pass on."""
        variables = self.host.environ(self.runner.temporary, number=number)
        if event:
            Path(variables["GITHUB_EVENT_PATH"]).write_text(json.dumps(event), encoding="utf-8")
        return {name: value for name, value in variables.items() if name not in {"GITHUB_TOKEN", "GITHUB_RUN_ID"}}

    def live(self, name: str) -> dict[str, Any]:
        (channel,) = (each for each in self.api.store.channels(ORGANIZATION) if each["name"] == name)
        return channel

    def rotations(self) -> int:
        """How many identity secrets were created since this was last called."""
        made = sum(call.method == "POST" and call.path.endswith("/identity-secret") for call in self.api.calls)
        self.api.calls.clear()
        return made

    def remembered(self) -> list[str]:
        """Every text that is or was in the memory."""
        objects = git(self.origin, "rev-list", "--objects", "refs/webchat-sync/memory").splitlines()
        return [git(self.origin, "cat-file", "-p", line.split()[0]) for line in objects]

    def delivered(self) -> str:
        return (self.server / "SALES_IDENTITY_SECRET").read_text(encoding="utf-8")


@contextmanager
def example_pipeline(folder: Path, faults: Faults | None = None) -> Iterator[Pipeline]:
    """The example in a repository below ``folder``, with one live channel; its API has ``faults``."""
    repository, temporary, server = folder / "repository", folder / "temporary", folder / "server"
    shutil.copytree(ROOT / "examples" / "github", repository)
    server.mkdir()
    (temporary / "bin").mkdir(parents=True)
    (temporary / "bin" / "gh").write_text(GH.format(server=server), encoding="utf-8")
    (temporary / "bin" / "gh").chmod(0o755)
    git(repository, "init", "--quiet", "--initial-branch=main")
    origin = bare(folder / "remote.git")
    git(repository, "remote", "add", "origin", origin.as_uri())
    with emulated(faults=faults) as api, fake_github() as host, FakeActions().served() as actions:
        api.store.seed(ORGANIZATION, [SUPPORT])
        runner = Runner(repository, temporary, actions, {"MOSEND_BASE_URL": api.url})
        host.remote = origin
        pipeline = Pipeline(runner, api, host, server, origin)
        pipeline.push()
        yield pipeline
