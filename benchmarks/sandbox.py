"""What a call of the emulator costs when it keeps its data in a file, at any size: ``python benchmarks/sandbox.py``.

A create and an update over HTTP, with 100, 1,000 and 10,000 channels stored, in seconds of this process for one
call. The floor is the same call against data in memory. Client and server share the process.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import httpx

from webchat_sync.domain.catalogue import load_catalogue
from webchat_sync.emulator import Store, build_app, serve

SIZES = (100, 1_000, 10_000)
CALLS = 200
CHANNELS = "/organizations/acme/web-chat/channels"


def cost(size: int, path: Path | None) -> float:
    """Seconds of CPU time for one call, with ``size`` channels stored in the file ``path``, or in memory."""
    store = Store(catalogue=load_catalogue(), path=path)
    store.seed("acme", [{"name": f"Channel {number}"} for number in range(size)])
    with (
        serve(build_app(store)) as url,
        httpx.Client(base_url=url, headers={"X-Api-Key": "mk_test_a.b"}) as http,
    ):
        http.post(CHANNELS, json={"name": "warm"})
        began = time.process_time()
        for number in range(CALLS // 2):
            channel = http.post(CHANNELS, json={"name": f"New {number}"}).json()["data"]["id"]
            http.patch(f"{CHANNELS}/{channel}", json={"theme": "dark"})
        return (time.process_time() - began) / CALLS


def main() -> None:
    """Print the cost of a call at each size, and as a ratio to the floor."""
    floor = cost(SIZES[0], None)
    print(f"in memory, {SIZES[0]:,} channels: {floor * 1000:.2f} ms a call")
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            seconds = cost(size, Path(folder) / f"{size}.db")
            print(f"in a file, {size:,} channels: {seconds * 1000:.2f} ms a call, {seconds / floor:.2f} x")


if __name__ == "__main__":
    main()
