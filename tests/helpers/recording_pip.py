"""A pip that installs nothing and records its arguments."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def recording_python(folder: Path, asked: Path) -> dict[str, str]:
    """An environment whose ``python`` appends its pip's arguments to ``asked``, and the file named last."""
    folder.mkdir()
    python = folder / "python"
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *" pip "*) echo "$*" >> "{asked}"; for last; do :; done\n'
        f'if [ -e "$last" ]; then cat "$last" >> "{asked}"; fi ;; *) exec "{sys.executable}" "$@" ;; esac\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
