"""The hook that we offer and those that we use, run by pre-commit itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from repositories import commit, git, repository

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).parents[1]
PATH: Final = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
MANIFEST: Final = "version: 1\norganization: acme\nchannels: [{name: Support}]\n"
CONFIGURATION: Final = """\
repos:
  - repo: %s
    rev: %s
    hooks: [{id: validate, args: [channels/], files: ^channels/}]
"""


def pre_commit(folder: Path, *arguments: str, home: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it in ``folder``; what it installs goes into ``home``."""
    program = shutil.which("pre-commit", path=PATH)
    if program is None:
        pytest.skip("pre-commit is not installed")
    environ = {**os.environ, "PATH": PATH, "PRE_COMMIT_HOME": str(home), **environ}
    command = [program, *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def test_pre_commit_takes_our_configuration_and_our_hooks(tmp_path: Path) -> None:
    for check in (["validate-manifest", ".pre-commit-hooks.yaml"], ["validate-config", ".pre-commit-config.yaml"]):
        done = pre_commit(ROOT, *check, home=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_our_own_hooks_pass(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("no clone: pre-commit asks git for the files")
    # mypy takes as long as all the others together, and is run by .ci/run.
    done = pre_commit(ROOT, "run", "--all-files", home=tmp_path, SKIP="mypy")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("ruff check", "ruff format", "zizmor"):
        assert f"{name}.".ljust(60, ".") in done.stdout


@pytest.mark.installs
def test_the_hook_validates_what_is_committed(tmp_path: Path) -> None:
    """From a clone of this repository as it is now, in an environment that pre-commit makes."""
    ours, project = tmp_path / "webchat-sync", tmp_path / "project"
    left_out = shutil.ignore_patterns(".*cache*", ".venv", ".git", ".webchat-sync", "site", "node_modules", "dist")
    shutil.copytree(ROOT, ours, ignore=left_out)
    revision = commit(repository(ours), {})
    project.mkdir()
    configuration = CONFIGURATION % (ours, revision)
    commit(repository(project), {".pre-commit-config.yaml": configuration, "channels/channels.yaml": MANIFEST})
    passed = pre_commit(project, "run", "--all-files", home=tmp_path / "home")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "Passed" in passed.stdout

    (project / "README.md").write_text("Nothing of ours\n", encoding="utf-8")
    git(project, "add", "README.md")
    left_alone = pre_commit(project, "run", home=tmp_path / "home")
    assert "(no files to check)Skipped" in left_alone.stdout

    (project / "channels" / "channels.yaml").write_text(MANIFEST.replace("name", "nmae"), encoding="utf-8")
    git(project, "add", "channels")
    failed = pre_commit(project, "run", home=tmp_path / "home")
    assert failed.returncode == 1
    assert "channels/channels.yaml:3:" in failed.stdout
