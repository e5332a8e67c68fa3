"""Times ``webchat-sync validate`` beside what no validator can do without, and weighs its memory.

Run by hand: ``python benchmarks/validate.py [RUNS]``. Prints medians over RUNS whole processes. The floor is the
start-up of the program and PyYAML's C event stream over the same file, both measured in the same run. The limits are
for 1,000 channels and more: beside a small file, what the program itself takes in memory is all that shows.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import manifests
from measure import PROGRAM, START_UP, environment, median_costs

RUNS: Final = 10
COUNTS: Final = (100, 1_000, 10_000)
MOST_TIME: Final = 6
MOST_MEMORY: Final = 12

EVENTS: Final = """
import sys, time, yaml
from contextlib import chdir
from pathlib import Path
data = Path(sys.argv[1]).read_bytes()
begin = time.perf_counter()
for _ in yaml.parse(data, Loader=yaml.CSafeLoader):
    pass
print(time.perf_counter() - begin)
"""


def event_seconds(file: Path, runs: int) -> float:
    """The median time that PyYAML's C event stream alone takes on the file."""
    command = [sys.executable, "-c", EVENTS, str(file)]
    times = [float(subprocess.check_output(command, env=environment())) for _ in range(runs)]
    return statistics.median(times)


def main() -> None:
    """Print one line for each number of channels, then time and memory beside their limits."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with TemporaryDirectory() as folder, chdir(folder):
        for count in COUNTS:
            file = Path(folder, f"{count}.yaml")
            size = manifests.write(file, count)
            start_up, validate = median_costs([START_UP, (PROGRAM, "validate", str(file))], runs=runs)
            events = event_seconds(file, runs)
            memory = validate.peak - start_up.peak
            each = (validate.seconds - start_up.seconds) / count
            print(f"{count} channels, {size} bytes")
            report("validate", validate.seconds * 1e3, "ms", f"{validate.processor * 1e3:.0f} ms of CPU time")
            report("a channel", each * 1e6, "µs", "past the start-up")
            report("floor: start-up", start_up.seconds * 1e3, "ms")
            report("floor: events", events * 1e3, "ms")
            report("validate / floor", validate.seconds / (start_up.seconds + events), "", f"at most {MOST_TIME}")
            report("memory past start-up", memory / 1e6, "MB")
            report("memory / file", memory / size, "", f"at most {MOST_MEMORY}")


def report(what: str, number: float, unit: str, more: str = "") -> None:
    """Print one line."""
    print(f"  {what:22}{number:9.2f} {unit:3}{f'({more})' if more else ''}".rstrip())


if __name__ == "__main__":
    main()
