"""How long a command takes and how much memory, as a whole process."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

PROGRAM: Final = str(Path(sys.executable).with_name("webchat-sync"))
START_UP: Final = (PROGRAM, "--version")


class Cost(NamedTuple):
    """Seconds, and the most bytes that were in memory at one time."""

    seconds: float
    peak: int


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command, in which bytecode is written as on a user's machine."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | dict(more or {})


def cost(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Cost:
    """What one run of the command costs; it must succeed."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(environ))
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    kilobyte = 1 if sys.platform == "darwin" else 1024
    return Cost(seconds, usage.ru_maxrss * kilobyte)


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
