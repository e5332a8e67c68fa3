"""The examples for GitHub, run to their end by act, a runner that others wrote, with the official actions.

On demand, as ``docs/contributing/act.md`` says: ``WEBCHAT_SYNC_ACT`` is the program, and ``WEBCHAT_SYNC_ACTIONS`` a
folder with a clone of each official action. No container engine is needed; the jobs run on this machine.
"""

from __future__ import annotations

import gzip
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
from fake_actions import REPOSITORY, FakeActions
from fake_github import FakeGitHub, fake_github
from repositories import commit, git, repository

pytestmark = pytest.mark.slow

ACT: Final = "WEBCHAT_SYNC_ACT"
ACTIONS: Final = "WEBCHAT_SYNC_ACTIONS"
PULL_REQUEST: Final = {
    "pull_request": {"number": 7, "head": {"ref": "hours", "sha": "a1", "repo": REPOSITORY}, "user": {"login": "ana"}},
    "repository": {"full_name": REPOSITORY["full_name"], "default_branch": "main"},
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

    def run(self, event: str, workflow: str, job: str, document: Any, api_url: str) -> str:
        """Run one job, which must succeed; gives its log."""
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
        command += [
            "--job",
            job,
            "--platform",
            "ubuntu-24.04=-self-hosted",
            "--action-offline-mode",
            "--no-cache-server",
        ]
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
        return self.run("schedule", name, name, {"ref": "refs/heads/main"}, self.host.url)

    def keep_reviewed_plan(self) -> None:
        """GitHub keeps the artifact of the pull request's run; act's own server forgets whose it was."""
        self.actions.keep("webchat-sync-plan", "plan.json", self.kept("plan.json"), run=100)

    def kept(self, name: str) -> bytes:
        """That file of an artifact, which is packed by version 4 of the action and later, and loose by version 3."""
        for file in (self.folder / "artifacts").rglob("*"):
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    if name in archive.namelist():
                        return archive.read(name)
            elif file.name in {name, f"{name}.gz__"}:
                content = file.read_bytes()
                return gzip.decompress(content) if file.suffix == ".gz__" else content
        raise AssertionError(f"no artifact has {name}")


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
    with emulated() as api, fake_github() as host, FakeActions().served() as actions:
        api.store.seed(ORGANIZATION, [SUPPORT])
        yield Act(project, tmp_path, api, host, actions, server)


def test_the_examples_run_to_their_end_under_act(act: Act) -> None:
    act.run("pull_request", "plan", "plan", PULL_REQUEST, act.host.url)
    (body,) = act.host.bodies
    assert "1 to add, 1 to change" in body
    assert {call.method for call in act.api.calls} == {"GET"}

    act.keep_reviewed_plan()
    head = git(act.project, "rev-parse", "HEAD")
    act.actions.heads["main"] = head
    act.actions.start(100, "a1")
    act.actions.merge(head, "a1")
    merged = act.run("push", "apply", "apply", {"ref": "refs/heads/main"}, act.actions.url)
    assert "Apply complete! Channels: 1 added, 1 changed, 0 destroyed." in merged
    delivered = act.server / "SALES_IDENTITY_SECRET"
    first = delivered.read_text(encoding="utf-8")
    assert first not in merged

    act.scheduled("drift")
    assert act.host.states == []
    act.scheduled("rotate")
    assert delivered.read_text(encoding="utf-8") != first
    act.scheduled("listing")
    assert b"Which plan suits you?" in act.kept("live.json")
