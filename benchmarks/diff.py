"""Times our diff of lists without a schema, and DeepDiff's of the same values; why ours is our own is in docs/adr/0010.

Run by hand: ``python benchmarks/diff.py [RUNS]``. Prints medians over RUNS: 300 values that are equal, and 300 with
three edits each, with the number of changes that are shown of one; then what importing DeepDiff costs a process.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from measure import median_costs

from webchat_sync.domain.catalogue import PLAIN
from webchat_sync.model import Json
from webchat_sync.plan.diff import differences

RUNS: Final = 5
COUNT: Final = 300


def value(number: int) -> dict[str, Any]:
    """A value of a field whose structure isn't documented."""
    steps = [{"kind": "phrase", "text": f"phrase {number} {index}", "weight": index} for index in range(10)]
    return {"steps": steps, "words": [f"word {index}" for index in range(10)]}


def edited(number: int) -> dict[str, Any]:
    """The same value with the first item of each list removed, and another item changed."""
    new = value(number)
    new["steps"][3]["weight"] = 99
    return {name: items[1:] for name, items in new.items()}


def ours(live: Json, declared: Json) -> int:
    """The number of changes that a plan shows."""
    return len(list(differences((), PLAIN, live, declared)))


def theirs(live: Json, declared: Json, *, zip_ordered_iterables: bool = False) -> int:
    """The number of changes that DeepDiff shows."""
    from deepdiff import DeepDiff

    tree = DeepDiff(
        live, declared, ignore_private_variables=False, view="tree", zip_ordered_iterables=zip_ordered_iterables
    )
    return sum(map(len, tree.values()))


def zipped(live: Json, declared: Json) -> int:
    """The number of changes that DeepDiff shows if it doesn't mistake 1 for true."""
    return theirs(live, declared, zip_ordered_iterables=True)


def milliseconds(count: Callable[[Json, Json], int], pairs: list[tuple[Json, Json]], runs: int) -> float:
    """The median CPU time of all pairs."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        for live, declared in pairs:
            count(live, declared)
        times.append(time.process_time() - start)
    return statistics.median(times) * 1000


def main() -> None:
    """Print all figures."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    for name, other in (("equal", value), ("edited", edited)):
        pairs: list[tuple[Json, Json]] = [(value(number), other(number)) for number in range(COUNT)]
        print(f"{COUNT} {name} values")
        for label, count in (("ours", ours), ("DeepDiff", theirs), ("DeepDiff, zipped", zipped)):
            taken, shown = milliseconds(count, pairs, runs), count(*pairs[0])
            print(f"  {label:18}{taken:8.1f} ms of CPU time   {shown:3} changes in each")
    commands = [(sys.executable, "-c", code) for code in ("pass", "import deepdiff")]
    bare, imported = median_costs(commands, runs=runs)
    seconds, peak = imported.processor - bare.processor, imported.peak - bare.peak
    print(f"import deepdiff       {seconds * 1000:6.0f} ms of CPU time, {peak / 2**20:.0f} MB")


if __name__ == "__main__":
    main()
