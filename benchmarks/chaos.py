"""Runs rounds of chaos (``tests/helpers/chaos.py``) at length and counts duplicates, losses and wrong reports.

Run by hand: ``python benchmarks/chaos.py --rounds N [--seed S] [--processes P]``. Round ``i`` has the seed ``S + i``.
Prints each flaw with its seed, and the figures at the end; exits with 1 when there was a flaw.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from chaos import Figures, chaos_round
from chaos_stage import open_stage

CHUNK = 100
"""Rounds on one server."""


def rounds(seeds: range) -> Figures:
    """The figures of the rounds with these seeds."""
    figures = Figures()
    with open_stage() as stage:
        for seed in seeds:
            figures.add(anyio.run(chaos_round, stage, seed))
    return figures


def run(seeds: range, processes: int) -> Figures:
    """The figures of all rounds; flaws are printed as they come."""
    figures = Figures()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        chunks = [seeds[begin : begin + CHUNK] for begin in range(0, len(seeds), CHUNK)]
        for some in pool.map(rounds, chunks):
            figures.add(some)
            for seed, flaw in some.flaws:
                print(f"seed {seed}: {flaw.kind}: {flaw.text}", flush=True)
    return figures


def main() -> None:
    """Print the figures; exit with 1 when something was duplicated, lost or reported wrongly."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first round (default: 0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: one per CPU")
    options = parser.parse_args()
    begin = time.perf_counter()
    figures = run(range(options.seed, options.seed + options.rounds), options.processes)
    seconds = time.perf_counter() - begin
    flaws = Counter(flaw.kind for _, flaw in figures.flaws)
    lines = {name: figures.counts[name] for name in ("rounds", "runs", "calls", "kills")}
    for name, counter in (("faults", figures.faults), ("edits by someone else", figures.edits)):
        lines |= {name: counter.total(), **{f"  {kind}": number for kind, number in sorted(counter.items())}}
    lines |= {"duplicates": flaws["duplicate"], "losses": flaws["loss"], "wrong reports": flaws["account"]}
    for name, number in lines.items():
        print(f"{name:36}{number:>10,}")
    print(f"{seconds:.0f} s, {options.rounds / seconds:.1f} rounds/s")
    sys.exit(bool(flaws))


if __name__ == "__main__":
    main()
