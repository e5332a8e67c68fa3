"""A pip that installs nothing and records its arguments."""

from __future__ import annotations

import sys
from pathlib import Path

from programs import path_with, write_program


def recording_python(folder: Path, asked: Path) -> dict[str, str]:
    """An environment whose ``python`` appends its pip's arguments to ``asked``, and the file named last."""
    write_program(
        folder / "python",
        f'case "$*" in *" pip "*) echo "$*" >> "{asked}"; for last; do :; done\n'
        f'if [ -e "$last" ]; then cat "$last" >> "{asked}"; fi ;; *) exec "{sys.executable}" "$@" ;; esac',
    )
    return {"PATH": path_with(folder)}
