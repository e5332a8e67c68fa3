"""Files that are never half written, and some that only their owner can read."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path


def new_file_beside(path: Path) -> tuple[int, Path]:
    """A new, empty file in the folder of ``path``, mode 0600 under any umask: its open descriptor and its path.

    Raises OSError when the folder is missing or not writable.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    prepared = Path(name)
    prepared.chmod(0o600)
    return descriptor, prepared


def fill(descriptor: int, content: str | bytes) -> None:
    """Write ``content``, text as UTF-8, and return when the disk has it; the descriptor stays open."""
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


def write_private(path: Path, content: str | bytes) -> None:
    """Make ``content`` that of ``path``, mode 0600: the file becomes the new one whole, or stays the old.

    It is so after a power failure, too, once this returns. Raises OSError when that is not possible; nothing is
    left behind then.
    """
    descriptor, prepared = new_file_beside(path)
    try:
        try:
            fill(descriptor, content)
        finally:
            os.close(descriptor)
        prepared.replace(path)
    except BaseException:
        prepared.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def replace_bytes(path: Path, data: bytes) -> None:
    """Make ``data`` the contents of the file at ``path``, whole or not at all; its mode stays, and so do links to it.

    Raises OSError when that is not possible; nothing is left behind then.
    """
    target = path.resolve()
    descriptor, prepared = new_file_beside(target)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(target, prepared)
        prepared.replace(target)
    except BaseException:
        prepared.unlink(missing_ok=True)
        raise


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
