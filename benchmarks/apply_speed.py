"""Times the apply of 200 updates beside as many bare PATCH calls, at a latency of 50 ms and a parallelism of 8.

Run by hand: ``python benchmarks/apply_speed.py [RUNS]``. The floor is ceil(200 / 8) x 50 ms; the bare calls are
httpx's in 8 lanes over one client; the emulator has a process of its own. Prints medians and ratios. An apply also
reads the channels before and after, 50 ms each; its writes are from the first call's start to the last one's end.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import httpx

from webchat_sync.environment import REAL

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from applying import KEY, NOW
from planning import catalogue, declare
from webchat_sync.api import Mosend
from webchat_sync.apply.run import Interrupt, Settings, run_channels
from webchat_sync.apply.run_log import open_run_log
from webchat_sync.model import Manifest, Operation, OperationResult, Secret
from webchat_sync.plan.make import make_plan
from webchat_sync.workflow.listings import read_listings
from webchat_sync.workflow.verify import verify

RUNS = 5
UPDATES = 200
LANES = 8
LATENCY = 0.050
FLOOR = math.ceil(UPDATES / LANES) * LATENCY
ORGANIZATIONS = itertools.count()


@dataclass
class Clocked:
    """When operations started and ended."""

    times: list[float] = field(default_factory=list)

    def started(self, address: str, operation: Operation) -> None:
        """Take the time."""
        self.times.append(time.perf_counter())

    def finished(self, result: OperationResult) -> None:
        """Take the time."""
        self.times.append(time.perf_counter())


async def apply(url: str, organization: str) -> tuple[float, float]:
    """The seconds of a whole apply, reading included, and of its writes."""
    manifest = Manifest(organization, tuple(declare(f"Channel {n}", theme="dark") for n in range(UPDATES)))
    begin, clocked = time.perf_counter(), Clocked()
    async with Mosend(organization=organization, base_url=url, key=Secret(KEY)) as api:
        apis = {organization: api}
        listings = await read_listings(apis, apis, base_url=url)
        plan = make_plan([(manifest, listings[organization])], catalogue=catalogue(), created_at=NOW)
        runs, interrupt = open_run_log(plan), Interrupt()
        settings = Settings(REAL, LANES)
        await run_channels(runs, apis, listings=listings, settings=settings, observer=clocked, interrupt=interrupt)
        report = await verify(
            runs, [manifest], apis, base_url=url, catalogue=catalogue(), environment=REAL, interrupt=interrupt
        )
    if (report.outcome, len(report.results)) != ("converged", UPDATES):
        sys.exit(f"{report.outcome}: {report.results[:1]}")
    return time.perf_counter() - begin, clocked.times[-1] - clocked.times[0]


async def bare(url: str, organization: str, ids: list[str]) -> float:
    """The seconds of the same PATCH calls without this project."""
    left = iter(ids)
    path = f"{url}/organizations/{organization}/web-chat/channels"

    async with httpx.AsyncClient(headers={"X-Api-Key": KEY}) as client:

        async def lane() -> None:
            for identifier in left:
                (await client.patch(f"{path}/{identifier}", json={"theme": "dark"})).raise_for_status()

        begin = time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(LANES)))
        return time.perf_counter() - begin


async def seeded(url: str) -> tuple[str, list[str]]:
    """A new organisation of channels to update, and their ids."""
    organization = f"o{next(ORGANIZATIONS)}"
    async with httpx.AsyncClient(headers={"X-Api-Key": KEY}) as client:
        path = f"{url}/organizations/{organization}/web-chat/channels"
        answers = [await client.post(path, json={"name": f"Channel {n}"}) for n in range(UPDATES)]
    return organization, [answer.json()["data"]["id"] for answer in answers]


@contextmanager
def emulator() -> Iterator[str]:
    """The base URL of an emulator in a process of its own, which is slow with everything but POST."""
    faults = [{"method": method, "kind": "delay", "seconds": LATENCY} for method in ("GET", "PATCH")]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(faults, file)
        file.flush()
        command = [sys.executable, "-m", "webchat_sync", "emulator", "--port", "0", "--faults", file.name]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield (process.stderr.readline() if process.stderr else "").split()[-1]
            finally:
                process.terminate()


def main() -> None:
    """Print the medians."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    whole, writes, raw = list[float](), list[float](), list[float]()
    with emulator() as url:
        for _ in range(runs):
            raw.append(anyio.run(bare, url, *anyio.run(seeded, url)))
            one, part = anyio.run(apply, url, anyio.run(seeded, url)[0])
            whole.append(one)
            writes.append(part)
    print(f"{UPDATES} updates, {LANES} at once, {LATENCY * 1000:.0f} ms latency; medians of {runs}")
    for name, seconds in (("floor", [FLOOR]), ("bare PATCH calls", raw), ("apply: writes", writes), ("apply", whole)):
        median = statistics.median(seconds)
        print(f"{name:20}{median:8.3f} s{median / FLOOR:8.2f} x floor{median / statistics.median(raw):8.2f} x bare")


if __name__ == "__main__":
    main()
