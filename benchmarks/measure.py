"""How long a command takes and how much memory, as a whole process."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

PROGRAM: Final = str(Path(sys.executable).with_name("webchat-sync"))
START_UP: Final = (PROGRAM, "--version")

WATCH: Final = """
import os, sys, time
nowhere = os.open(os.devnull, os.O_WRONLY)
silent = [(os.POSIX_SPAWN_DUP2, nowhere, 1), (os.POSIX_SPAWN_DUP2, nowhere, 2)]
begin = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent), 0)
print(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""
"""Runs a command from a process that is smaller than it: a child is said to need what its parent did at its start."""


class Cost(NamedTuple):
    """Seconds, seconds of CPU time (which a busy machine changes less), and the most bytes in memory at once."""

    seconds: float
    processor: float
    peak: int


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command, in which bytecode is written as on a user's machine."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | dict(more or {})


def cost(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Cost:
    """What one run of the command costs; it must succeed."""
    watched = [sys.executable, "-S", "-c", WATCH, *command]
    seconds, processor, peak, code = subprocess.check_output(watched, env=environment(environ)).split()
    if int(code):
        raise SystemExit(f"{' '.join(command)} exited with {int(code)}")
    return Cost(float(seconds), float(processor), int(peak) * (1 if sys.platform == "darwin" else 1024))


def median_costs(
    commands: Sequence[Sequence[str]], *, runs: int, environ: Mapping[str, str] | None = None
) -> list[Cost]:
    """The median cost of each command, after one run that is not counted.

    The commands take turns, so that a change of the machine's pace falls on all of them.
    """
    for command in commands:
        cost(command, environ)
    rounds = [[cost(command, environ) for command in commands] for _ in range(runs)]
    return [Cost(*map(statistics.median, zip(*each, strict=True))) for each in zip(*rounds, strict=True)]
