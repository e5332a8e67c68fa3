"""Programs that tests put in the place of others: shell scripts."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

PYTHON: Final = f'exec "{sys.executable}" "$@"'
"""Is this interpreter."""

PACKAGE: Final = f'exec "{sys.executable}" -m webchat_sync "$@"'
"""Runs the package under test, with the arguments of the program that it's written into."""


def write_program(file: Path, script: str) -> Path:
    """An executable ``file``, also in a folder that doesn't exist yet, that runs the lines of ``script``."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


def path_with(programs: Path) -> str:
    """A PATH that finds the programs in that folder first."""
    return f"{programs}{os.pathsep}{os.environ['PATH']}"


def recording_git(file: Path, log: Path) -> Path:
    """A Git that appends its arguments to ``log``."""
    return write_program(file, f'echo "$@" >> {log}\nexec {shutil.which("git")} "$@"')
