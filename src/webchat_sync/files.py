"""Files that are never half-written, some of them readable by their owner only.

The new content is first written to a file next to the target. If the process is killed, that file remains until the
next write to the target, which removes it unless a live process holds it. Links are kept, and their targets replaced. A
device, a pipe or an open stream is never replaced, but written to.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from webchat_sync.lazy_pattern import lazy_pattern

UNFINISHED: Final = ".webchat-sync.tmp"
"""The suffix of a file that's still being written; its name is a dot, the target's name, another dot and a number."""

_MOST_WRITERS: Final = 8
"""How many processes can write the same file at once.

Their files have these numbers, so that what a killed one left is found without reading a folder of thousands of files.
"""

_BLOCK: Final = 4096
"""How many bytes to write to find out whether a disk is full."""

_DESCRIPTOR: Final = lazy_pattern("[0-9]{1,9}")
"""The number of a descriptor; a larger one wouldn't fit into an int of C."""

_MOST_LINKS: Final = 40
"""The number of links that a path may go through, as on Linux."""


def write_private(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Replace the content of ``path``, with mode 0600, atomically; it may come in pieces.

    It survives a power failure once this returns. Raises OSError if it's impossible; nothing is left behind then.
    """
    data = content.encode() if isinstance(content, str) else content
    _put(path, [data] if isinstance(data, bytes) else (piece.encode() for piece in data), mode=0o600)


def replace_bytes(path: Path, data: bytes) -> None:
    """Replace the content of the file at ``path`` atomically; its mode and links to it are kept.

    Raises OSError if it's impossible; nothing is left behind then.
    """
    _put(path, [data], mode=stat.S_IMODE(path.stat().st_mode))


def create(path: Path, data: bytes) -> None:
    """Create a file and its folder; a device or a pipe is written to.

    Raises FileExistsError if the file exists, and OSError if it can't be written; nothing is left behind then.
    """
    if is_special(path):
        _write_into(path, [data])
        return
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        try:
            file.write(data)
            file.flush()
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def writable(folder: Path) -> str:
    """Why nothing can be written in ``folder``, which is created if it's missing; empty if something can."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return f"can't create {folder}: {error.strerror}"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} isn't writable"


def open_log(path: Path) -> int:
    """A descriptor for continuous output: a file, emptied and with mode 0600, or a device or pipe. Raises OSError."""
    if is_special(path):
        return _open_special(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``; raises OSError, even if a part of it was written."""
    with os.fdopen(descriptor, "wb", buffering=0, closefd=False) as file:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) or 0 :]


def check_target(path: Path) -> None:
    """Raise OSError if ``path`` can't be written; existing content stays as it is."""
    if descriptor_of(path) is not None:
        return
    status = _status(path)
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if status is not None and not stat.S_ISREG(status.st_mode):
        if not (stat.S_ISCHR(status.st_mode) or stat.S_ISFIFO(status.st_mode)):
            raise OSError(errno.EINVAL, "it isn't a file, a pipe or a character device", str(path))
        if not os.access(path, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return
    target = Path(os.path.realpath(path))
    descriptor, prepared = _open_new(target)
    try:
        # A full disk accepts a name, but no content.
        _fill(descriptor, [bytes(_BLOCK)])
    finally:
        prepared.unlink(missing_ok=True)


def identity(path: Path) -> object:
    """A value that's equal for two paths to the same file, stream or pipe; None for a device, which can be shared."""
    descriptor = descriptor_of(path)
    try:
        status = os.fstat(descriptor) if descriptor is not None else path.stat()
    except OSError:
        return os.path.realpath(path)
    return None if stat.S_ISCHR(status.st_mode) else (status.st_dev, status.st_ino)


def is_special(path: Path) -> bool:
    """Whether it exists and isn't a file: a device, a pipe, or an open stream of this process. Raises OSError."""
    status = _status(path)
    return descriptor_of(path) is not None or (status is not None and not stat.S_ISREG(status.st_mode))


def descriptor_of(path: Path) -> int | None:
    """The open descriptor that ``path`` names: /dev/stdout, /dev/fd/3, or the file that stdout is redirected to."""
    descriptors = os.path.realpath("/dev/fd")
    step = path.absolute()
    # Link by link, since following all of them at once would lead past /dev/fd.
    for _ in range(_MOST_LINKS):
        folder = os.path.realpath(step.parent)
        if folder == descriptors and _DESCRIPTOR.fullmatch(step.name):
            return int(step.name)
        try:
            step = Path(folder, Path(folder, step.name).readlink())
        except (OSError, ValueError):  # it isn't a link
            break
    return next((stream for stream in (1, 2) if _is_file_of(stream, path)), None)


def _is_file_of(stream: int, path: Path) -> bool:
    try:
        at_stream = os.fstat(stream)
        return stat.S_ISREG(at_stream.st_mode) and os.path.samestat(at_stream, path.stat())
    except (OSError, ValueError):
        return False


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _open_special(path: Path) -> int:
    descriptor = descriptor_of(path)
    if descriptor is None:
        return os.open(path, os.O_WRONLY | os.O_NOCTTY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    return os.dup(descriptor)


def _write_into(path: Path, pieces: Iterable[bytes]) -> None:
    with os.fdopen(_open_special(path), "wb") as file:
        file.writelines(pieces)


def sweep(path: Path) -> None:
    """Remove what killed processes left half-written next to ``path``. Raises OSError if that's impossible."""
    for prepared in _prepared(path):
        with suppress(FileNotFoundError):
            _remove_unheld(prepared)


def _prepared(path: Path) -> Iterator[Path]:
    """Where the new content of ``path`` can be written first."""
    return (path.with_name(f".{path.name}.{number}{UNFINISHED}") for number in range(_MOST_WRITERS))


def _open_new(path: Path) -> tuple[int, Path]:
    """A new file next to ``path``, and its descriptor. Raises OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    for prepared in _prepared(path):
        with suppress(FileExistsError):
            return os.open(prepared, flags, 0o600), prepared
    raise BlockingIOError(errno.EAGAIN, "too many processes are writing it", str(path))


def _put(path: Path, pieces: Iterable[bytes], *, mode: int) -> None:
    if is_special(path):
        _write_into(path, pieces)
    else:
        _replace(Path(os.path.realpath(path)), pieces, mode=mode)


def _replace(path: Path, pieces: Iterable[bytes], *, mode: int) -> None:
    for left in _prepared(path):
        with suppress(OSError):
            _remove_unheld(left)
    # It's new and no link is followed, so no one can have prepared it.
    descriptor, prepared = _open_new(path)
    try:
        with _held(descriptor):
            _fill(descriptor, pieces)
            prepared.chmod(mode)
            prepared.replace(path)
    except BaseException:
        prepared.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _fill(descriptor: int, pieces: Iterable[bytes]) -> None:
    """Write the pieces, close the file, and return once they're on disk."""
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _held(descriptor: int) -> Iterator[None]:
    """Until the block ends, show other processes that this one is alive and needs the open file."""
    held = os.dup(descriptor)
    try:
        _lock(held)
        # Windows neither moves nor removes open files.
        if sys.platform == "win32":
            os.close(held)
        yield
    finally:
        if sys.platform != "win32":
            os.close(held)


def _lock(descriptor: int) -> bool:
    """Whether this process locked the open file; the system releases it when the process ends."""
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
    """Ensure that there's a folder at ``path`` that only its owner can enter: mode 0700 under any umask."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)


def sync_folder(path: Path) -> None:
    """Return once the names in the folder are on disk; immediately if the system can't open folders."""
    with suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
