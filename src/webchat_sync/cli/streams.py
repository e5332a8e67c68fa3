"""The standard streams: a reader that goes away neither ends a run nor changes its exit code."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from typing_extensions import Buffer


def prepare_streams() -> None:
    """Replace streams that were closed at the start, and make the others accept any text.

    Characters that a terminal doesn't support are escaped. What a reader that has left would have read is dropped, and
    on stderr, whatever can't be written, since there's no one to report it to.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # Otherwise, the next opened file would get its number, and the output.
            os.open(os.devnull, os.O_RDWR)
    if isinstance(sys.stdout, TextIOWrapper):
        lasting = _Lasting(sys.stdout.fileno(), drops=ConnectionError)
        sys.stdout = TextIOWrapper(
            lasting, sys.stdout.encoding, errors="backslashreplace", line_buffering=sys.stdout.line_buffering
        )
    if isinstance(sys.stderr, TextIOWrapper):
        lasting = _Lasting(sys.stderr.fileno(), drops=OSError)
        sys.stderr = TextIOWrapper(
            lasting, sys.stderr.encoding, errors="backslashreplace", line_buffering=True, write_through=True
        )


def unread() -> str:
    """Why nobody reads stdout any more, or an empty text."""
    lasting = getattr(sys.stdout, "buffer", None)
    return lasting.dropped if isinstance(lasting, _Lasting) else ""


def echo_read(text: str) -> None:
    """Print ``text`` and a line feed on stdout. Raises OSError also if nobody reads it any more."""
    click.echo(text)
    if reason := unread():
        raise BrokenPipeError(errno.EPIPE, reason)


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


class _Lasting(io.BufferedIOBase):
    """A stream to a descriptor that waits for a reader that isn't ready, and drops what can't be written.

    ``drops`` are the errors that mean so, and ``dropped`` is the last of them. All others are raised.
    """

    def __init__(self, descriptor: int, *, drops: type[OSError]) -> None:
        self._descriptor = descriptor
        self._drops = drops
        self.dropped = ""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Buffer, /) -> int:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._written(rest) :]
        except self._drops as error:
            self.dropped = error.strerror or str(error)
        return memoryview(data).nbytes

    def _written(self, data: memoryview) -> int:
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:  # another program that has the same pipe made it so
            select.select((), (self._descriptor,), ())
            return 0
