"""The component and the examples for GitLab, run to their end by gitlab-ci-local, a runner that others wrote.

``WEBCHAT_SYNC_GITLAB_CI_LOCAL`` is the command that starts it; ``.ci/run`` fetches it where npm is there.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from commands import Emulated, emulated
from remembering import bare
from repositories import commit, git, repository
from warm_python import pipeline_programs

ROOT: Final = Path(__file__).parents[1]
VARIABLE: Final = "WEBCHAT_SYNC_GITLAB_CI_LOCAL"
MANIFEST: Final = "version: 1\norganization: acme\nchannels: [{name: Support}]\n"
INCLUDE: Final = """\
include:
  - component: $CI_SERVER_FQDN/acme/web/gitlab@$CI_COMMIT_SHA
    inputs: {paths: channels/, apply-when: on_success}
"""
EXAMPLE: Final = (
    (ROOT / "examples/gitlab/.gitlab-ci.yml")
    .read_text(encoding="utf-8")
    .replace("GROUP/webchat-sync/gitlab@0.1.0", "acme/web/gitlab@$CI_COMMIT_SHA")
)


def run(project: Path, api: Emulated, folder: Path, *jobs: str) -> subprocess.CompletedProcess[str]:
    """Run these jobs and those that they need, with a pip that installs nothing and the package under test."""
    command = [*shlex.split(os.environ[VARIABLE]), "--force-shell-executor", "--needs", "--home", str(folder / "home")]
    options = [option for name, value in api.environ.items() for option in ("--variable", f"{name}={value}")]
    environ = {**os.environ, "PATH": pipeline_programs(folder / "bin")}
    return subprocess.run(
        [*command, *options, *jobs], cwd=project, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("files", "job"),
    [
        ({".gitlab-ci.yml": INCLUDE, "templates/gitlab.yml": "templates/gitlab.yml"}, "webchat-sync-apply"),
        ({".gitlab-ci.yml": EXAMPLE, "templates/gitlab.yml": "templates/gitlab.yml"}, "webchat-sync-apply"),
        ({".gitlab-ci.yml": "examples/gitlab/plain.gitlab-ci.yml"}, "apply"),
    ],
    ids=["component", "example", "plain"],
)
def test_a_pipeline_is_run_to_its_end(files: dict[str, str], job: str, tmp_path: Path) -> None:
    if VARIABLE not in os.environ:
        pytest.skip(f"{VARIABLE} names no gitlab-ci-local; .ci/run fetches it where npm is there")
    if shutil.which("rsync") is None:
        pytest.skip("gitlab-ci-local needs rsync")
    project = tmp_path / "project"
    project.mkdir()
    texts = {
        name: (ROOT / text).read_text(encoding="utf-8") if "\n" not in text else text for name, text in files.items()
    }
    there = repository(project)
    first = commit(there, {"README.md": "Channels\n"})
    commit(there, {"channels/channels.yaml": MANIFEST, ".gitignore": ".gitlab-ci-local/\n", **texts})
    # The address says which server and project it is; what is pushed goes to the bare repository beside it.
    memory = bare(tmp_path / "memory.git")
    git(project, "remote", "add", "origin", "git@gitlab.example.com:acme/web.git")
    git(project, "remote", "set-url", "--push", "origin", memory.as_uri())
    git(project, "update-ref", "refs/remotes/origin/main", first)
    git(project, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    with emulated() as api:
        done = run(project, api, tmp_path, job)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Apply complete!" in done.stdout
        assert [channel["name"] for channel in api.store.channels("acme")] == ["Support"]
        assert "refs/webchat-sync/memory" in git(memory, "for-each-ref", "--format=%(refname)")
