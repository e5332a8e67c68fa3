"""Work in a fork with a limit of CPU time, for ``mutants.py``. Needs Linux."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

Reply: TypeAlias = dict[str, Any]

MEMORY: Final = 4 * 2**30

IDLE: Final = 60
"""Seconds that a fork may spend asleep. A process that is paused, or waits for a processor, isn't asleep."""


@dataclass(frozen=True)
class Fork:
    """A process, and the end of the pipe from which to read its reply."""

    pid: int
    read: int


def fork(work: Callable[[], Reply], seconds: float | None = None) -> Fork:
    """Starts work whose reply can be written as JSON. If its time is limited, it's silent, and gets its own group."""
    read, write = os.pipe()
    if pid := os.fork():
        os.close(write)
        return Fork(pid, read)
    try:
        if seconds is not None:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            null = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(null, stream)
        reply = json.dumps(work()).encode()
        with os.fdopen(write, "wb") as pipe:
            pipe.write(reply)
    finally:
        os._exit(0)


def finish(started: Fork) -> Reply | None:
    """Waits for the end of a fork without a limit, and returns its reply, or ``None`` if there's none."""
    with os.fdopen(started.read, "rb") as pipe:
        reply = pipe.read()
    os.waitpid(started.pid, 0)
    return Reply(json.loads(reply)) if reply else None


def finish_in_time(started: Fork) -> Reply | None:
    """The reply of a fork with a limit, ``{}`` if it ended without one, and ``None`` if it was out of time."""
    reply, status, asleep, used = b"", None, 0, ""
    while status is None and asleep <= IDLE:
        ready, _, _ = select.select([started.read], [], [], 1)
        if ready:
            chunk = os.read(started.read, 2**16)
            reply += chunk
            status = None if chunk else os.waitpid(started.pid, 0)[1]
        else:
            ended, code = os.waitpid(started.pid, os.WNOHANG)
            status = code if ended else None
            before, (activity, used) = used, ("", "") if ended else _activity(started.pid)
            asleep = 0 if used != before else asleep + (activity in ("S", "D"))
    os.close(started.read)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # Nothing is left of it.
        os.killpg(started.pid, signal.SIGKILL)
    if status is None:
        os.waitpid(started.pid, 0)
        return None
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
        return None
    return Reply(json.loads(reply or b"{}"))


def _activity(pid: int) -> tuple[str, str]:
    """The state of a process, and the CPU time that it and its ended children used; see proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], " ".join(fields[11:15])
