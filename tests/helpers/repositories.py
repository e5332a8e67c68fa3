"""Git repositories for tests, independent of this machine's Git configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ENVIRON = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ana",
    "GIT_AUTHOR_EMAIL": "ana@example.com",
    "GIT_COMMITTER_NAME": "Ana",
    "GIT_COMMITTER_EMAIL": "ana@example.com",
}


def git(folder: Path, *arguments: str) -> str:
    """The output of Git."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - whichever git the machine has
        env=ENVIRON,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """A new repository in ``folder`` with the branch ``main``."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--template=", "--initial-branch=main")
    return folder


def commit(folder: Path, files: dict[str, str], *options: str, tag: str = "") -> str:
    """Write the files, commit everything, and return the commit's id; ``options`` are for each call of Git."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    git(folder, *options, "add", "--all")
    git(folder, *options, "commit", "--quiet", "--allow-empty", "--message=x")
    if tag:
        git(folder, *options, "tag", tag)
    return git(folder, *options, "rev-parse", "HEAD")
