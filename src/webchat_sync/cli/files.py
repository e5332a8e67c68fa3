"""Files named on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from webchat_sync.errors import InputError, Problem
from webchat_sync.tree import read_regular

_CHECK: Final = "Check its name, that its folder exists, and its permissions."


def read_bytes(path: Path) -> bytes:
    """The bytes of the file; raises InputError when it cannot be read."""
    try:
        return read_regular(path)
    except OSError as error:
        raise InputError([Problem(f"{path} cannot be read: {error.strerror}", hint=_CHECK)]) from None


def read_text(path: Path) -> str:
    """The text of the file, which is UTF-8; raises InputError when it cannot be read."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError([Problem(f"{path} cannot be read: it is not UTF-8", hint="Save it as UTF-8.")]) from None


def write_private_text(path: Path, text: str) -> None:
    """Make ``text`` and a line feed the file, in one step and for its owner only; raises InputError if it cannot be."""
    from webchat_sync.files import write_private

    try:
        write_private(path, text + "\n")
    except OSError as error:
        raise InputError([Problem(f"{path} cannot be written: {error.strerror}", hint=_CHECK)]) from None
