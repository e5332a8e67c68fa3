"""Measures what a call of ``webchat-sync apply`` costs the processor, compared with a call of httpx alone.

Run by hand: ``python benchmarks/apply_cost.py [RUNS]``. Each apply updates one field of 1,000 channels, over HTTP to an
emulator in a process of its own. The costs are those of whole processes, divided by the number of calls: an apply also
reads the manifest, plans, shows the plan, and reads and plans again. Prints medians and their ratio.
"""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import manifests
from measure import PROGRAM, cost
from plan import emulator

RUNS: Final = 5
CALLS: Final = 1_000
SENTENCES: Final = ("We are closed.", "We were closed.")

BARE: Final = f"""
import asyncio, os, httpx
async def main():
    async with httpx.AsyncClient(headers={{"X-Api-Key": os.environ["MOSEND_API_KEY"]}}) as client:
        path = os.environ["MOSEND_BASE_URL"] + "/organizations/acme/web-chat/channels"
        ids = [(await client.post(path, json={{"name": f"Bare {{n}}"}})).json()["data"]["id"] for n in range(8)]
        async def lane(identifier):
            for n in range({CALLS // 8}):
                (await client.patch(f"{{path}}/{{identifier}}", json={{"offlineMessage": f"{{n}}"}})).raise_for_status()
        await asyncio.gather(*map(lane, ids))
asyncio.run(main())
"""
"""As many calls, eight at once, without this project."""


def main() -> None:
    """Print the medians and the ratio."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with TemporaryDirectory() as temporary:
        os.chdir(temporary)  # where each apply keeps its memory
        text = manifests.manifest(CALLS)
        files = [Path(f"{number}.yaml") for number in range(len(SENTENCES))]
        for file, sentence in zip(files, SENTENCES, strict=True):
            file.write_text(text.replace(SENTENCES[0], sentence), encoding="utf-8")
        applies = [(PROGRAM, "apply", str(file), "--auto-approve") for file in files]
        with emulator() as environ:
            cost(applies[0], environ)
            costs = [
                (cost(applies[run % 2 - 1], environ).processor, cost((sys.executable, "-c", BARE), environ).processor)
                for run in range(runs)
            ]
    apply, bare = (statistics.median(side) / CALLS * 1000 for side in zip(*costs, strict=True))
    print(f"a call of apply    {apply:6.2f} ms of CPU time")
    print(f"a call of httpx    {bare:6.2f} ms of CPU time")
    print(
        f"ratio              {statistics.median(one / other for one, other in costs):6.2f}   (median of {runs} pairs)"
    )


if __name__ == "__main__":
    main()
