"""The standard streams of the process: what nobody reads any more ends no run, and changes no exit code."""

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
    """Take the number of a stream that was closed at the start, and let stderr take all that it is given.

    A terminal that lacks a letter shows its code.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The next file to be opened would get the number, and with it what is printed.
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
    """Write out what stdout still holds, and say why that is not possible; empty when it is."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        discard_stdout()
        return error.strerror or str(error)
    return ""


def discard_stdout() -> None:
    """Let all that stdout still holds go nowhere: Python would fail once more when it flushes at the end."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


class _Unfailing(io.BufferedIOBase):
    """A stream to a descriptor that drops what cannot be written: there is nobody left to tell."""

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
