"""Times ``webchat-sync --version`` beside ``python -c "import click"`` in the same environment.

Run by hand: ``python benchmarks/startup.py [RUNS]``. Prints the median of each in milliseconds and their ratio,
pair by pair, so that a change of the machine's pace falls on both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 30
COMMAND = [str(Path(sys.executable).with_name("webchat-sync")), "--version"]
FLOOR = [sys.executable, "-c", "import click"]


def seconds(command: list[str]) -> float:
    """How long the command takes, with its bytecode written as on a user's machine."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environ)
    return time.perf_counter() - begin


def main() -> None:
    """Print the medians and the ratio."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    for command in (COMMAND, FLOOR):
        seconds(command)
    pairs = [(seconds(COMMAND), seconds(FLOOR)) for _ in range(runs)]
    command, floor = (statistics.median(side) * 1000 for side in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    print(f"webchat-sync --version  {command:6.1f} ms")
    print(f"import click            {floor:6.1f} ms")
    print(f"ratio                   {ratio:6.2f}   (median of {runs} pairs)")


if __name__ == "__main__":
    main()
