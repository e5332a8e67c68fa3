"""The examples for GitHub, run to their end by act, a runner that others wrote, with the official actions.

On demand, as ``docs/contributing/act.md`` says: ``WEBCHAT_SYNC_ACT`` is the program, and ``WEBCHAT_SYNC_ACTIONS`` a
folder with a clone of each official action. No container engine is needed; the jobs run on this machine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from action_runner import ROOT
from applying import KEY
from commands import Emulated, emulated
from example_pipeline import GH, ORGANIZATION, SUPPORT
from fake_actions import FORK, REPOSITORY, FakeActions
from fake_github import FakeGitHub, fake_github
from remembering import bare
from repositories import commit, git, repository
from test_pipeline_environments import FILES as ENVIRONMENTS
from test_pipeline_fleet import FLEET, SHARDS

pytestmark = pytest.mark.slow

ACT: Final = "WEBCHAT_SYNC_ACT"
ACTIONS: Final = "WEBCHAT_SYNC_ACTIONS"
PULL_REQUEST: Final = {
    "pull_request": {"number": 7, "head": {"ref": "hours", "sha": "a1", "repo": REPOSITORY}, "user": {"login": "ana"}},
    "repository": {"full_name": REPOSITORY["full_name"], "default_branch": "main"},
}
OF_A_FORK: Final = {
    "pull_request": {"number": 8, "head": {"ref": "hours", "sha": "b1", "repo": FORK}, "user": {"login": "mallory"}},
    "repository": PULL_REQUEST["repository"],
}


@dataclass
class Act:
    """The example in a repository, and what stands for its hosts; ``server`` keeps the secrets that are delivered."""

    project: Path
    folder: Path
    api: Emulated
    host: FakeGitHub
    actions: FakeActions
    server: Path

    def declare(self, files: dict[str, str]) -> None:
        """Put these files in the place of the example's manifests, and commit them."""
        shutil.rmtree(self.project / "channels")
        commit(self.project, files)

    def run(self, event: str, workflow: str, document: Any, api_url: str) -> str:
        """Run all jobs of a workflow, which must succeed; gives their log."""
        file = self.folder / "event.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        secrets = {"MOSEND_API_KEY": KEY, "GITHUB_TOKEN": self.actions.token, "SITE_SECRETS_TOKEN": "ghp_site"}
        variables = {
            "MOSEND_BASE_URL": self.api.url,
            "GITHUB_API_URL": api_url,
            "GITHUB_GRAPHQL_URL": f"{self.host.url}/graphql",
            "AGENT_TOOLSDIRECTORY": str(self.folder / "tools"),
            "GITHUB_REPOSITORY_ID": self.actions.variables["GITHUB_REPOSITORY_ID"],  # which act does not set
        }
        command = [os.environ[ACT], event, "--eventpath", str(file), "--workflows", f".github/workflows/{workflow}.yml"]
        command += ["--platform", "ubuntu-24.04=-self-hosted", "--action-offline-mode", "--no-cache-server"]
        command += ["--artifact-server-path", str(self.folder / "artifacts"), "--artifact-server-addr", "127.0.0.1"]
        command += ["--action-cache-path", str(self.folder / "cache")]
        command += [part for reference in self.local() for part in ("--local-repository", reference)]
        command += [part for name, value in secrets.items() for part in ("--secret", f"{name}={value}")]
        command += [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command, cwd=self.project, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def local(self) -> Iterator[str]:
        """Each action that is used, and the folder that it is taken from."""
        yield f"OWNER/webchat-sync@{'0' * 40}={self.folder / 'ours'}"
        texts = [ROOT / "action.yml", *(self.project / ".github" / "workflows").glob("*.yml")]
        used = {name for file in texts for name in re.findall(r"uses: (actions/[\w@.-]+)", file.read_text("utf-8"))}
        for name in used:
            clone = Path(os.environ[ACTIONS]) / name.partition("@")[0].partition("/")[2]
            yield f"{name}={clone.resolve()}"

    def scheduled(self, name: str) -> str:
        """The workflow of that name runs at its time."""
        return self.run("schedule", name, {"ref": "refs/heads/main"}, self.host.url)

    def merge(self, workflow: str, *artifacts: str) -> str:
        """The pull request whose plans are in these artifacts is merged; gives the log of what that starts."""
        for artifact in artifacts:
            # GitHub keeps what the pull request's run left; act's own server forgets whose it was.
            self.actions.keep(artifact, "plan.json", self.kept(artifact, "plan.json"), run=100)
        head = git(self.project, "rev-parse", "HEAD")
        self.actions.heads["main"] = head
        self.actions.start(100, "a1")
        self.actions.merge(head, "a1")
        return self.run("push", workflow, {"ref": "refs/heads/main"}, self.actions.url)

    def kept(self, artifact: str, file: str) -> bytes:
        """That file of an artifact."""
        (packed,) = (self.folder / "artifacts").rglob(f"{artifact}.zip")
        with zipfile.ZipFile(packed) as archive:
            return archive.read(file)


@pytest.fixture
def act(tmp_path: Path) -> Iterator[Act]:
    for variable in (ACT, ACTIONS):
        if variable not in os.environ:
            pytest.skip(f"{variable} is not set; see docs/contributing/act.md")
    project, server = tmp_path / "project", tmp_path / "server"
    left_out = shutil.ignore_patterns(".*cache*", ".venv", ".git", ".webchat-sync", "site", "node_modules", "dist")
    shutil.copytree(ROOT, tmp_path / "ours", ignore=left_out)
    shutil.copytree(ROOT / "examples" / "github", project)
    for folder in (server, tmp_path / "bin", tmp_path / "tools" / "Python" / "3.13.0" / "x64" / "bin"):
        folder.mkdir(parents=True)
    # The Python that setup-python finds is the one that runs the tests, whatever its version is.
    for name in ("python", "python3"):
        (folder / name).symlink_to(sys.executable)
    (folder.parent.parent / "x64.complete").touch()
    (tmp_path / "bin" / "gh").write_text(GH.format(server=server), encoding="utf-8")
    (tmp_path / "bin" / "gh").chmod(0o755)
    commit(repository(project), {})
    git(project, "remote", "add", "origin", f"https://github.com/{REPOSITORY['full_name']}.git")
    origin = bare(tmp_path / "remote.git")
    git(project, "remote", "set-url", "--push", "origin", origin.as_uri())
    git(project, "push", "--quiet", "origin", "HEAD:main")
    with emulated() as api, fake_github() as host, FakeActions().served() as actions:
        api.store.seed(ORGANIZATION, [SUPPORT])
        host.remote = origin
        yield Act(project, tmp_path, api, host, actions, server)


def test_the_examples_run_to_their_end_under_act(act: Act) -> None:
    act.run("pull_request", "plan", PULL_REQUEST, act.host.url)
    (body,) = act.host.bodies
    assert "1 to add, 1 to change" in body
    assert {call.method for call in act.api.calls} == {"GET"}

    merged = act.merge("apply", "webchat-sync-plan")
    assert "Apply complete! Channels: 1 added, 1 changed, 0 destroyed." in merged
    delivered = act.server / "SALES_IDENTITY_SECRET"
    first = delivered.read_text(encoding="utf-8")
    assert first not in merged

    assert "refs/webchat-sync/memory" in git(act.folder / "remote.git", "for-each-ref", "--format=%(refname)")
    act.scheduled("drift")
    assert act.host.states == []
    act.scheduled("rotate")
    assert delivered.read_text(encoding="utf-8") != first
    act.scheduled("listing")
    listing = act.kept("webchat-sync-listing", "live.json")
    assert b"Which plan suits you?" in listing

    (act.server / "live.json").write_bytes(listing)
    calls = len(act.api.calls)
    forked = act.run("pull_request", "plan", OF_A_FORK, act.host.url)
    assert "Planned against the listing" in forked or "No changes." in forked
    assert len(act.api.calls) == calls, "a fork has no key"
    assert act.kept("webchat-sync-fork-plan", "plan.json")

    (support,) = (channel for channel in act.api.store.channels(ORGANIZATION) if channel["name"] == "Support")
    act.api.store.update(ORGANIZATION, str(support["id"]), {"welcomeMessage": "Changed in the dashboard"})
    act.scheduled("adopt")
    (request,) = act.host.requests
    assert request["open"]
    adopted = git(act.folder / "remote.git", "show", "webchat-sync/adopt:channels/support.yaml")
    assert "Changed in the dashboard" in adopted


def test_the_shards_of_a_fleet_come_together_in_one_comment_and_are_applied(act: Act) -> None:
    act.declare(FLEET)
    planned = act.run("pull_request", "fleet-plan", PULL_REQUEST, act.host.url)
    assert [f"Shard {shard}/4: " in planned for shard in SHARDS] == [True] * len(SHARDS)
    (body,) = act.host.bodies
    assert "Plan: 10 to add, 0 to change, 0 to destroy." in body
    assert {call.method for call in act.api.calls} == {"GET"}

    act.merge("fleet-apply", *(f"webchat-sync-plan-{shard}" for shard in SHARDS))
    assert [len(act.api.store.channels(f"org-{number}")) for number in range(10)] == [1] * 10


def test_staging_and_production_are_planned_apart_and_applied_in_their_order(act: Act) -> None:
    act.declare(ENVIRONMENTS)
    act.run("pull_request", "environments-plan", PULL_REQUEST, act.host.url)
    assert sorted(
        [text in body for text in ("This is a test.", "Hi! How can we help?")] for body in act.host.bodies
    ) == [[False, True], [True, False]]

    act.merge("environments-apply", "webchat-sync-plan-staging", "webchat-sync-plan-production")
    (staging,), (production,) = (act.api.store.channels(name) for name in ("acme-staging", "acme"))
    assert (staging["welcomeMessage"], staging["allowedDomains"]) == ("This is a test.", ["www.staging.example.com"])
    assert (production["welcomeMessage"], production["allowedDomains"]) == ("Hi! How can we help?", ["www.example.com"])
    created = [call.path.split("/")[2] for call in act.api.calls if call.method == "POST"]
    assert created == ["acme-staging", "acme"]
