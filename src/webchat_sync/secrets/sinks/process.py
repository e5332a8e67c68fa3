"""Programs of sinks and probes: run without a shell, with the secret on standard input and nowhere else."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio

from webchat_sync.model import Secret, Sink
from webchat_sync.readings import recognizer
from webchat_sync.redact import forms_of, redact
from webchat_sync.secrets.sinks.kind import Occasion, SinkError, SinkSettings

if TYPE_CHECKING:
    from anyio.abc import Process

MOST_OUTPUT: Final = 2000
"""Characters of a failed command's output that are shown."""

_LAST_WORDS: Final = 0.2
"""Seconds in which output is still read once the program has ended; what it left running may keep its stdout."""

_CHUNK: Final = 65536
"""Bytes of output that are read at once."""

_PIPE: Final = 4096
"""Bytes that every pipe takes without a reader (POSIX)."""


def missing(argv: Sequence[str], sink: Sink, settings: SinkSettings) -> str:
    """Why the program cannot be run; empty when it can."""
    folder = Path(sink.folder or ".").resolve()
    if not folder.is_dir():
        return f"can't run a command in {sink.folder}: it isn't a folder"
    if flaw := settings.unallowed(folder):
        return flaw
    if shutil.which(_program(argv, folder), path=settings.environ.get("PATH", os.defpath)) is None:
        return f"there's no executable `{argv[0]}`"
    return ""


async def run(
    argv: Sequence[str], sink: Sink, occasion: Occasion, secret: Secret | None, settings: SinkSettings
) -> None:
    """Run a program, which gets ``secret`` on its standard input and has to read all of it. Raises SinkError."""
    reading = _pipe_with(secret)
    # Of our own: with ``subprocess.PIPE``, asyncio's ``wait`` would also wait for what the program left running.
    said, stdout = os.pipe()
    try:
        try:
            process = await _start(argv, sink, occasion, settings, reading, stdout)
        finally:
            os.close(stdout)
        output = await _ended(process, said, settings.time_limit, argv[0])
        secrets = (*settings.keys, secret) if secret else settings.keys
        if process.returncode:
            raise SinkError(f"`{argv[0]}` exited with code {process.returncode}{_said(output, secrets)}")
        if secret is not None and _left_over(reading):
            raise SinkError(f"`{argv[0]}` exited without reading the secret from its standard input")
    finally:
        os.close(reading)
        os.close(said)


async def _start(
    argv: Sequence[str], sink: Sink, occasion: Occasion, settings: SinkSettings, stdin: int, stdout: int
) -> Process:
    folder = Path(sink.folder or ".").resolve()
    try:
        return await anyio.open_process(
            [_program(argv, folder), *argv[1:]],
            stdin=stdin,
            stdout=stdout,
            stderr=stdout,
            cwd=folder,
            env={**_harmless_environ(settings), **occasion.environ()},
            start_new_session=True,
        )
    except OSError as error:
        raise SinkError(f"can't run `{argv[0]}`: {error.strerror}") from None


async def _ended(process: Process, said: int, time_limit: float, program: str) -> bytes:
    """The last of what the program wrote, once it has ended; what it has left behind is ended, too."""
    output = bytearray()
    async with process:
        try:
            with anyio.move_on_after(time_limit) as limit:
                async with anyio.create_task_group() as reading:
                    reading.start_soon(_collect, said, output)
                    await process.wait()
                    reading.cancel_scope.deadline = anyio.current_time() + _LAST_WORDS
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if limit.cancelled_caught:
        raise SinkError(f"`{program}` was stopped after {time_limit:.0f} s")
    return bytes(output)


async def _collect(said: int, output: bytearray) -> None:
    while True:
        await anyio.wait_readable(said)
        chunk = os.read(said, _CHUNK)
        if not chunk:
            return
        output += chunk
        del output[: -MOST_OUTPUT * 4]


_OURS: Final = {"MOSEND_API_KEY", "WEBCHAT_SYNC_MEMORY_TOKEN"}
"""Variables whose values are for this program alone."""


def _harmless_environ(settings: SinkSettings) -> dict[str, str]:
    keys = [key.reveal() for key in settings.keys if key]
    return {
        name: value
        for name, value in settings.environ.items()
        if name not in _OURS and not any(key in value for key in keys)
    }


def _program(argv: Sequence[str], folder: Path) -> str:
    """The program of ``argv``, from ``folder`` on when it is named by a path."""
    return str(folder / argv[0]) if os.sep in argv[0] else argv[0]


def _pipe_with(secret: Secret | None) -> int:
    """The reading end of a pipe that holds ``secret`` and nothing else: no frame of a library ever has it."""
    reading, writing = os.pipe()
    try:
        if secret is not None:
            if len(secret.reveal().encode("utf-8", "surrogatepass")) > _PIPE:
                os.close(reading)
                raise SinkError("the secret is too long for a command")
            os.write(writing, secret.reveal().encode("utf-8", "surrogatepass"))
    finally:
        os.close(writing)
    return reading


def _left_over(reading: int) -> bool:
    """Whether something is still in the pipe, whose writing end is closed."""
    os.set_blocking(reading, False)
    try:
        return bool(os.read(reading, 1))
    except BlockingIOError:
        return False


def _said(output: bytes, secrets: Sequence[Secret]) -> str:
    # What was cut off at the front may begin inside a secret, which redaction of parts takes care of.
    text = redact(output.decode("utf-8", "replace"), secrets).strip()[-MOST_OUTPUT:]
    if recognizer(secrets, forms_of(secrets))(text):
        return "; its output isn't shown because it contains the secret"
    return f": {text}" if text else ""
