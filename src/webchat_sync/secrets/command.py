"""Runs the command of a sink: the secret on its standard input, the end of its output kept, its children ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final

import anyio

from webchat_sync.model import Secret

_PIPE: Final = 4096
"""Bytes that every pipe takes without a reader (POSIX)."""

_PIECE: Final = 64 * 1024
_MOST_PIECES: Final = 64
"""Of the output that is left when the command has ended: what it started may be writing still."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, None when it took too long; the end of its output.

    ``unread`` is how many bytes of its input it left.
    """

    code: int | None
    output: bytes
    unread: int


async def run_command(
    argv: Sequence[str],
    *,
    folder: Path,
    environ: Mapping[str, str],
    secret: Secret | None,
    time_limit: float,
    most_output: int,
) -> Ended:
    """Run ``argv`` in ``folder`` for at most ``time_limit`` seconds, and keep the last ``most_output`` bytes of output.

    It has ended when its own process has, whatever it leaves behind. Raises OSError when it cannot be run, and
    ValueError when the secret is too long.
    """
    with ExitStack() as stack:
        stdin, printed = (_pipe(stack) for _ in range(2))
        _fill(stdin.writing, secret)
        process = await anyio.open_process(
            argv,
            stdin=stdin.reading.fileno(),
            stdout=printed.writing.fileno(),
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environ,
            start_new_session=True,
        )
        printed.writing.close()
        output = _Output(printed.reading.fileno(), most_output)
        async with process:
            try:
                with anyio.move_on_after(time_limit) as limit:
                    async with anyio.create_task_group() as beside:
                        beside.start_soon(output.collect)
                        await process.wait()
                        beside.cancel_scope.cancel()
            finally:
                # Also what the command has started and left behind.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        output.take_rest()
        return Ended(None if limit.cancelled_caught else process.returncode, output.end, _unread(stdin.reading))


@dataclass(frozen=True, slots=True)
class _Pipe:
    reading: FileIO
    writing: FileIO


def _pipe(stack: ExitStack) -> _Pipe:
    reading, writing = os.pipe()
    return _Pipe(stack.enter_context(FileIO(reading, "rb")), stack.enter_context(FileIO(writing, "wb")))


def _fill(pipe: FileIO, secret: Secret | None) -> None:
    """Put the secret, and nothing else, into the pipe: no frame of a library ever has it."""
    with pipe:
        if secret is not None:
            if len(secret.reveal().encode("utf-8", "surrogatepass")) > _PIPE:
                raise ValueError("the secret is too long for a command")
            pipe.write(secret.reveal().encode("utf-8", "surrogatepass"))


def _unread(pipe: FileIO) -> int:
    """How many bytes nobody has read from the pipe; 0 where a system does not tell."""
    if sys.platform == "win32":
        return 0
    import fcntl
    import struct
    import termios

    (left,) = struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, struct.pack("i", 0)))
    return int(left)


class _Output:
    """The end of what comes out of a pipe."""

    def __init__(self, descriptor: int, most: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._most = most
        self.end = b""

    async def collect(self) -> None:
        """Take all that comes, to the end."""
        await anyio.wait_readable(self._descriptor)
        while self._take():
            await anyio.wait_readable(self._descriptor)

    def take_rest(self) -> None:
        """Take what is there, without waiting for more."""
        with suppress(BlockingIOError):
            for _ in range(_MOST_PIECES):
                if not self._take():
                    return

    def _take(self) -> bool:
        piece = os.read(self._descriptor, _PIECE)
        self.end = (self.end + piece)[-self._most :]
        return bool(piece)
