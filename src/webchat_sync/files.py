"""Files that are never half written, and some that only their owner can read.

What is written lies in a file beside its target first. A process that is killed leaves that behind: the next one that
writes to the target removes it, unless a living process holds it.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

UNFINISHED: Final = ".webchat-sync.tmp"
"""What the name of a file that is still being written ends with; it begins with a dot and the target's name."""


def write_private(path: Path, content: str | bytes) -> None:
    """Make ``content`` that of ``path``, mode 0600: the file becomes the new one whole, or stays the old.

    It is so after a power failure, too, once this returns. Raises OSError when that is not possible; nothing is
    left behind then.
    """
    _replace(path, content.encode() if isinstance(content, str) else content, mode=0o600)


def replace_bytes(path: Path, data: bytes) -> None:
    """Make ``data`` the contents of the file at ``path``, whole or not at all; its mode stays, and so do links to it.

    Raises OSError when that is not possible; nothing is left behind then.
    """
    target = path.resolve()
    _replace(target, data, mode=stat.S_IMODE(target.stat().st_mode))


def sweep(path: Path) -> None:
    """Remove what killed processes left half written beside ``path``. Raises OSError when that is not possible."""
    for each in path.parent.iterdir():
        if each.name.startswith(f".{path.name}.") and each.name.endswith(UNFINISHED):
            _remove_unheld(each)


def _replace(path: Path, data: bytes, *, mode: int) -> None:
    with suppress(OSError):
        sweep(path)
    # The name is new and no link is followed: nobody can have put something there.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)
    prepared = Path(name)
    try:
        with _held(descriptor):
            _fill(descriptor, data)
            prepared.chmod(mode)
            prepared.replace(path)
    except BaseException:
        prepared.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _fill(descriptor: int, data: bytes) -> None:
    """Write the data, close the file, and return when the disk has it."""
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _held(descriptor: int) -> Iterator[None]:
    """Show other processes, until the block ends, that this one lives and still needs the open file."""
    held = os.dup(descriptor)
    try:
        _lock(held)
        # Windows moves no file that is open, and removes none either.
        if sys.platform == "win32":
            os.close(held)
        yield
    finally:
        if sys.platform != "win32":
            os.close(held)


def _lock(descriptor: int) -> bool:
    """Whether this process, and no other, holds the open file now; the system frees it when the process dies."""
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def _remove_unheld(path: Path) -> None:
    if sys.platform == "win32":
        path.unlink(missing_ok=True)
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _lock(descriptor):
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def private_folder(path: Path) -> None:
    """Make sure that there is a folder at ``path`` which only its owner can enter, mode 0700 under any umask."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)


def sync_folder(path: Path) -> None:
    """Return when the disk knows the names in the folder; where a system does not open folders, at once."""
    with suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
