"""The standard streams: a reader that goes away neither ends a run nor changes its exit code."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


def prepare_streams() -> None:
    """Replace streams that were closed at the start, and make stderr accept any text.

    Characters that a terminal doesn't support are escaped.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # Otherwise, the next opened file would get its number, and the output.
            os.open(os.devnull, os.O_RDWR)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if isinstance(sys.stderr, TextIOWrapper):
        encoding = sys.stderr.encoding
        unfailing = _Unfailing(sys.stderr.fileno())
        sys.stderr = TextIOWrapper(
            unfailing, encoding, errors="backslashreplace", line_buffering=True, write_through=True
        )


def flush_stdout() -> str:
    """Flush stdout; returns why that failed, or an empty text."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        discard_stdout()
        return error.strerror or str(error)
    return ""


def discard_stdout() -> None:
    """Discard what's buffered for stdout, since Python would fail again when it flushes at exit."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


class _Unfailing(io.BufferedIOBase):
    """A stream to a descriptor that drops what can't be written, since there's no one to report it to."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Buffer, /) -> int:
        rest = memoryview(data)
        with suppress(OSError):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        return memoryview(data).nbytes
