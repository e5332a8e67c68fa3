"""Times ``webchat-sync plan`` of channels that are all equal, over HTTP to an emulator in a process of its own.

Run by hand: ``python benchmarks/plan.py [RUNS]``. Prints medians over RUNS whole processes, each beside its limit:
for 300 channels the time of ``terraform plan`` over 300 ``terraform_data`` resources, for 1,000 that of
``webchat-sync validate`` on the same file. Then a plan that creates 1,000 channels, which has much to show, beside
``validate`` too. The channels that are equal are made by ``webchat-sync apply`` first, which is not timed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import manifests
from measure import PROGRAM, cost, environment, median_costs

RUNS: Final = 10

TERRAFORM_SECONDS: Final = 2.5
"""``terraform plan``, nothing to change, local state, no HTTP; measured on this kind of machine, not in this run."""

LEAST_SPEED: Final = 4
MOST_VALIDATIONS: Final = 2


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


def main() -> None:
    """Print both sizes."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with TemporaryDirectory() as folder:
        for count in (300, 1_000):
            file = Path(folder, f"{count}.yaml")
            manifests.write(file, count)
            plan = (PROGRAM, "plan", str(file), "--detailed-exitcode")
            with emulator() as environ:
                cost((PROGRAM, "apply", str(file), "--auto-approve"), environ)
                planned, validated = median_costs([plan, (PROGRAM, "validate", str(file))], runs=runs, environ=environ)
            print(f"{count} equal channels")
            processor = f"({planned.processor * 1000:.0f} ms of CPU time)"
            print(f"  plan                  {planned.seconds * 1000:8.1f} ms {processor}")
            if count == 300:
                speed = TERRAFORM_SECONDS / planned.seconds
                print(f"  terraform plan        {TERRAFORM_SECONDS * 1000:8.1f} ms, measured earlier, similar machine")
                print(f"  speed-up              {speed:8.2f}    (at least {LEAST_SPEED})")
            else:
                ratio = planned.seconds / validated.seconds
                print(f"  validate              {validated.seconds * 1000:8.1f} ms")
                print(f"  plan / validate       {ratio:8.2f}    (at most {MOST_VALIDATIONS})")
        with emulator() as environ:
            commands = [(PROGRAM, "plan", str(file)), (PROGRAM, "validate", str(file))]
            planned, validated = median_costs(commands, runs=runs, environ=environ)
        print("1000 new channels")
        print(f"  plan                  {planned.seconds * 1000:8.1f} ms")
        print(f"  plan / validate       {planned.seconds / validated.seconds:8.2f}")


if __name__ == "__main__":
    main()
