"""Plans fleets of organisations with ten identical channels each, over HTTP to an emulator in its own process.

Run by hand: ``python benchmarks/fleet.py [RUNS] [ORGANISATIONS ...]``. Prints the median cost of whole processes of
``webchat-sync plan``, and what each further organisation costs: the difference from the smallest fleet, divided by the
number of additional organisations. CPU time is that of the program alone.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import manifests
from measure import PROGRAM, cost, environment, median_costs

from webchat_sync.domain.catalogue import load_catalogue
from webchat_sync.environment import REAL
from webchat_sync.manifest import load_manifests
from webchat_sync.model import Listing, LiveChannel
from webchat_sync.planfile.snapshot import Snapshot, render_snapshot

RUNS: Final = 3
CHANNELS: Final = 10
SIZES: Final = (10, 100, 1_000, 2_000)


def write_fleet(folder: Path, organizations: int) -> None:
    """A file of ten channels for each organisation."""
    folder.mkdir()
    for index in range(organizations):
        text = manifests.manifest(CHANNELS, first=index * CHANNELS)
        name = f"org-{index:05}"
        (folder / f"{name}.yaml").write_text(text.replace("acme", name, 1), encoding="utf-8")


def write_live(folder: Path, file: Path) -> None:
    """The snapshot in which everything is as the manifests of ``folder`` declare it."""
    loaded = load_manifests([folder], catalogue=load_catalogue(), environ={}, organization=None)
    listings = {
        manifest.organization: Listing(
            "http://127.0.0.1",
            tuple(
                LiveChannel(
                    f"c-{manifest.organization}-{number}",
                    channel.name,
                    {"id": f"c-{manifest.organization}-{number}", **channel.fields},
                )
                for number, channel in enumerate(manifest.declarations)
            ),
        )
        for manifest in loaded.manifests
    }
    file.write_text(render_snapshot(Snapshot(REAL.now(), listings)), encoding="utf-8")


@contextmanager
def emulator(live: Path) -> Iterator[dict[str, str]]:
    """The environment that leads commands to an emulator of the listings in ``live``, until the block ends."""
    command = [PROGRAM, "emulator", "--port", "0", "--data", str(live)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stderr is not None
        try:
            address = next(line.split()[-1] for line in process.stderr if "http://" in line)
            yield {"MOSEND_BASE_URL": address, "MOSEND_API_KEY": "mk_test_benchmark.key", "NO_PROXY": "127.0.0.1"}
        finally:
            process.kill()


def main() -> None:
    """Print every size."""
    runs, *sizes = [int(argument) for argument in sys.argv[1:]] or [RUNS]
    smallest = None
    print("organisations   seconds  processor  peak memory   one organisation more")
    for size in sizes or SIZES:
        with TemporaryDirectory() as folder, chdir(folder):
            fleet, live = Path(folder, "fleet"), Path(folder, "live.json")
            write_fleet(fleet, size)
            write_live(fleet, live)
            with emulator(live) as environ:
                # The ledger then knows every channel, as that of a fleet in use does.
                cost((PROGRAM, "apply", str(fleet), "--auto-approve"), environ)
                command = (PROGRAM, "plan", str(fleet), "--detailed-exitcode")
                (planned,) = median_costs([command], runs=runs, environ=environ)
        more = ""
        if smallest is not None:
            milliseconds = (planned.processor - smallest[1].processor) * 1000 / (size - smallest[0])
            more = f"{milliseconds:6.2f} ms of CPU time"
        smallest = smallest or (size, planned)
        print(
            f"{size:13,} {planned.seconds:7.2f} s {planned.processor:8.2f} s {planned.peak / 2**20:9.0f} MB   {more}",
            flush=True,
        )


if __name__ == "__main__":
    main()
