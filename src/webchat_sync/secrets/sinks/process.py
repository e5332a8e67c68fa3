"""Runs the programs of sinks and probes without a shell, with the secret on standard input and nowhere else."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio

from webchat_sync.environment import API_KEY_VARIABLE, MEMORY_TOKEN_VARIABLE
from webchat_sync.model import Secret, Sink
from webchat_sync.readings import recognizer
from webchat_sync.redact import forms_of, redact
from webchat_sync.secrets.sinks.kind import Occasion, SinkError, SinkSettings
from webchat_sync.sentences import ended
from webchat_sync.tree import is_folder, real_path

if TYPE_CHECKING:
    from anyio.abc import Process

MOST_OUTPUT: Final = 2000
"""The number of characters of a failed command's output to show."""

_LAST_OUTPUT: Final = 0.2
"""Seconds to keep reading output after the program ended, since its children may keep stdout open."""

_CHUNK: Final = 65536
"""Bytes of output to read at once."""

_PIPE: Final = 4096
"""Bytes that fit into every pipe without a reader (POSIX)."""


def missing(argv: Sequence[str], sink: Sink, occasion: Occasion, settings: SinkSettings) -> str:
    """Why the program can't be run; empty if it can. Raises ValueError if no folder can have the name of the sink's."""
    if not argv:
        return "it doesn't name a program"
    for text in (*argv, *occasion.environ().values()):
        if not _is_passable(text):
            return f"{json.dumps(text)} contains a character that no program can receive"
    folder = real_path(Path(sink.folder))
    if not is_folder(folder):
        return f"can't run a command in {sink.folder}: it isn't a folder"
    if flaw := settings.unallowed(folder):
        return flaw
    if shutil.which(_program(argv, folder), path=settings.environ.get("PATH", os.defpath)) is None:
        return f"there's no executable `{argv[0]}`"
    return ""


def _is_passable(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


async def run(
    argv: Sequence[str], sink: Sink, occasion: Occasion, secret: Secret | None, settings: SinkSettings
) -> None:
    """Run a program, which receives ``secret`` on its standard input and must read all of it. Raises SinkError."""
    stdin = _pipe_with(secret)
    # Our own pipe: with ``subprocess.PIPE``, asyncio's ``wait`` would also wait for the program's children.
    output_end, stdout = os.pipe()
    try:
        try:
            process = await _start(argv, sink, occasion, settings, stdin, stdout)
        finally:
            os.close(stdout)
        output = await _wait_for(process, output_end, settings.time_limit, argv[0])
        secrets = (*settings.keys, secret) if secret else settings.keys
        if process.returncode:
            raise SinkError(f"`{argv[0]}` {ended(process.returncode)}{_output_note(output, secrets)}")
        if secret is not None and _has_unread(stdin):
            raise SinkError(f"`{argv[0]}` exited without reading the secret from its standard input")
    finally:
        os.close(stdin)
        os.close(output_end)


async def _start(
    argv: Sequence[str], sink: Sink, occasion: Occasion, settings: SinkSettings, stdin: int, stdout: int
) -> Process:
    folder = real_path(Path(sink.folder))
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


async def _wait_for(process: Process, output_end: int, time_limit: float, program: str) -> bytes:
    """The end of the program's output, once it has ended; its remaining children are killed."""
    output = bytearray()
    async with process:
        try:
            with anyio.move_on_after(time_limit) as limit:
                async with anyio.create_task_group() as reading:
                    reading.start_soon(_collect, output_end, output)
                    await process.wait()
                    reading.cancel_scope.deadline = anyio.current_time() + _LAST_OUTPUT
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if limit.cancelled_caught:
        raise SinkError(f"`{program}` was stopped after {time_limit:.0f} s")
    return bytes(output)


async def _collect(output_end: int, output: bytearray) -> None:
    while True:
        await anyio.wait_readable(output_end)
        chunk = os.read(output_end, _CHUNK)
        if not chunk:
            return
        output += chunk
        del output[: -MOST_OUTPUT * 4]


_PRIVATE: Final = {API_KEY_VARIABLE, MEMORY_TOKEN_VARIABLE}
"""Environment variables that are for this program only."""


def _harmless_environ(settings: SinkSettings) -> dict[str, str]:
    keys = [key.reveal() for key in settings.keys if key]
    return {
        name: value
        for name, value in settings.environ.items()
        if name not in _PRIVATE and not any(key in value for key in keys)
    }


def _program(argv: Sequence[str], folder: Path) -> str:
    """The program of ``argv``; relative to ``folder`` if it's a path."""
    return str(folder / argv[0]) if os.sep in argv[0] else argv[0]


def _pipe_with(secret: Secret | None) -> int:
    """The reading end of a pipe that contains only ``secret``, so that no frame of a library ever does."""
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


def _has_unread(reading: int) -> bool:
    """Whether the pipe, whose writing end is closed, still contains something."""
    os.set_blocking(reading, False)
    try:
        return bool(os.read(reading, 1))
    except BlockingIOError:
        return False


def _output_note(output: bytes, secrets: Sequence[Secret]) -> str:
    # The cut may be inside a secret; its remaining part is redacted as well.
    text = redact(output.decode("utf-8", "replace"), secrets).strip()[-MOST_OUTPUT:]
    if recognizer(secrets, forms_of(secrets))(text):
        return "; its output isn't shown because it contains a secret"
    return f": {text.rstrip('.')}" if text else ""
