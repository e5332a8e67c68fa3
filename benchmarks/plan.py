"""Times ``webchat-sync plan`` of channels that are all equal, over HTTP to an emulator in a process of its own.

Run by hand: ``python benchmarks/plan.py [RUNS]``. Prints medians over RUNS whole processes, each beside its limit:
for 300 channels the time of ``terraform plan`` over as many ``terraform_data`` resources of the same values, with
nothing to change and a local state, where terraform is installed; for 1,000 and 10,000 that of ``webchat-sync
validate`` on the same file. Then a plan that creates 1,000 channels, which has much to show, beside ``validate`` too.
The channels that are equal are made by ``webchat-sync apply`` first, which is not timed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import manifests
from measure import PROGRAM, Cost, cost, environment, median_costs

from webchat_sync.domain.catalogue import load_catalogue
from webchat_sync.manifest import load_manifests

RUNS: Final = 10
SIZES: Final = (300, 1_000, 10_000)
LEAST_SPEED: Final = 6
MOST_VALIDATIONS: Final = 1.2


@contextmanager
def emulator() -> Iterator[dict[str, str]]:
    """The environment that leads commands to an emulator, which runs until the block ends."""
    command = [PROGRAM, "emulator", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stderr is not None
        try:
            address = process.stderr.readline().split()[-1]
            yield {"MOSEND_BASE_URL": address, "MOSEND_API_KEY": "mk_test_benchmark.key", "NO_PROXY": "127.0.0.1"}
        finally:
            process.kill()


@contextmanager
def own_ledger(folder: Path) -> Iterator[None]:
    """Run commands in ``folder``, so that they only remember the channels of this measurement."""
    folder.mkdir()
    with chdir(folder):
        yield


def terraform_plan(file: Path, folder: Path) -> tuple[str, ...]:
    """The ``terraform plan`` of the channels in ``file``, which are in its state already; empty without Terraform."""
    program = shutil.which("terraform")
    if program is None:
        return ()
    loaded = load_manifests([file], catalogue=load_catalogue(), environ={}, organization=None)
    declared = {
        f"channel_{number}": {"input": declaration.fields}
        for number, declaration in enumerate(loaded.manifests[0].declarations)
    }
    folder.mkdir()
    (folder / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": declared}}), encoding="utf-8")
    here = (program, f"-chdir={folder}")
    cost((*here, "init", "-input=false"))
    cost((*here, "apply", "-auto-approve", "-input=false"))
    return (*here, "plan", "-detailed-exitcode", "-input=false")


def measure(folder: Path, count: int, runs: int) -> None:
    """Print a plan of ``count`` equal channels beside the other commands."""
    file = folder / f"{count}.yaml"
    manifests.write(file, count)
    commands = [(PROGRAM, "plan", str(file), "--detailed-exitcode"), (PROGRAM, "validate", str(file))]
    terraform = terraform_plan(file, folder / f"terraform-{count}") if count == SIZES[0] else ()
    with emulator() as environ, own_ledger(folder / f"ledger-{count}"):
        cost((PROGRAM, "apply", str(file), "--auto-approve"), environ)
        costs = median_costs([*commands, *([terraform] if terraform else [])], runs=runs, environ=environ)
    planned, validated = costs[:2]
    print(f"{count} equal channels")
    show("plan", planned)
    show("validate", validated)
    if terraform:
        show("terraform plan", costs[2])
        speed = costs[2].seconds / planned.seconds
        print(f"  speed-up              {speed:8.2f}    (at least {LEAST_SPEED})")
    elif count == SIZES[0]:
        print("  terraform isn't installed")
    if count != SIZES[0]:
        ratio = planned.processor / validated.processor
        print(f"  plan / validate       {ratio:8.2f}    (at most {MOST_VALIDATIONS}, by CPU time)")


def show(name: str, measured: Cost) -> None:
    """Print a command's costs."""
    print(
        f"  {name:22}{measured.seconds * 1000:8.1f} ms ({measured.processor * 1000:.0f} ms of CPU time, "
        f"{measured.peak / 2**20:.0f} MB)",
        flush=True,
    )


def main() -> None:
    """Print all sizes."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for count in SIZES:
            measure(folder, count, runs)
        file = str(folder / "1000.yaml")
        with emulator() as environ, own_ledger(folder / "ledger-new"):
            commands = [(PROGRAM, "plan", file), (PROGRAM, "validate", file)]
            planned, validated = median_costs(commands, runs=runs, environ=environ)
        print("1000 new channels")
        show("plan", planned)
        print(f"  plan / validate       {planned.processor / validated.processor:8.2f}")


if __name__ == "__main__":
    main()
