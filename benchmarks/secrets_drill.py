"""Runs the drill of identity secrets at length and prints its figures.

Run by hand: ``python benchmarks/secrets_drill.py --rounds 2000 [--first SEED]``. It ends with 1 when a secret was lost
or leaked; each such round is named by its seed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "helpers"))

from secrets_drill import Figures, open_stage, play


def main() -> int:
    """Play the rounds and print what they came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1, metavar="SEED")
    arguments = parser.parse_args()
    total, began = Figures(), time.perf_counter()
    with open_stage() as stage:
        for seed in range(arguments.first, arguments.first + arguments.rounds):
            total.add(play(stage, seed))
    for what, found in (("loss", total.losses), ("leak", total.leaks)):
        for seed, text in found:
            print(f"{what} in round {seed}: {text}")
    counts = total.counts
    print(f"rounds {counts['rounds']}   runs {counts['runs']}   kills {counts['kills']}")
    print(f"faults {total.faults.total()}   in {time.perf_counter() - began:.0f} s")
    print(f"losses {len(total.losses)}   leaks {len(total.leaks)}")
    return 1 if total.losses or total.leaks else 0


if __name__ == "__main__":
    sys.exit(main())
