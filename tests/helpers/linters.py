"""Linters from other projects, installed by ``.[dev]``, which must find nothing in what we ship."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(tool: str, *arguments: object, folder: Path = ROOT, stdin: str = "") -> None:
    """Run a linter, which must find nothing.

    It's taken from the folder in ``WEBCHAT_SYNC_TEST_LINTERS`` if that's set: linters need newer versions of some
    libraries than we do, so with our lowest versions, they run in a separate environment.
    """
    programs = os.environ.get("WEBCHAT_SYNC_TEST_LINTERS") or str(Path(sys.executable).parent)
    search_path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which(tool, path=search_path)
    if program is None:
        pytest.skip(f"{tool} is not installed")
    command = [program, *map(str, arguments)]
    environ = {**os.environ, "PATH": search_path}
    done = subprocess.run(command, cwd=folder, env=environ, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
