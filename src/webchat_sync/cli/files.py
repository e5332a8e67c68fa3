"""Files named on the command line."""

from __future__ import annotations

from pathlib import Path

from webchat_sync.errors import InputError, Problem


def read_bytes(path: Path) -> bytes:
    """The bytes of the file; raises InputError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError([Problem(f"{path} cannot be read: {error.strerror}")]) from None


def write_text(path: Path, text: str) -> None:
    """Write the file whole; raises InputError when it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError([Problem(f"{path} cannot be written: {error.strerror}")]) from None
