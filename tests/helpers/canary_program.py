"""The program with maximum output and crashes on order; the canary tests run it as a process.

Each argument is a command line; after each, ``exit CODE`` is printed, and the last code is that of the process. Every
logger but httpcore's logs everything. ``CANARY`` orders: ``hasty`` doesn't sleep; ``broken NAME N`` makes the Nth call
of the runtime's NAME crash, which prints the locals of all active frames.
"""

from __future__ import annotations

import logging
import os
import shlex
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, NoReturn

from fake_time import at_once
from webchat_sync.cli import run
from webchat_sync.cli.runtime import Runtime


def broken(works: Callable[..., Any], *, nth: int) -> Callable[..., Any]:
    calls = count(1)

    def call(*arguments: Any) -> Any:
        return works(*arguments) if next(calls) < nth else crash()

    return call


def crash() -> NoReturn:
    frames = traceback.StackSummary.extract(traceback.walk_stack(None), capture_locals=True)
    sys.stderr.writelines(frames.format())
    raise RuntimeError("a bug")


def world(order: list[str]) -> Runtime:
    runtime = Runtime.real()
    match order:
        case ["hasty"]:
            return replace(runtime, sleep=at_once)
        case ["broken", name, nth]:
            changes: dict[str, Any] = {name: broken(getattr(runtime, name), nth=int(nth))}
            return replace(runtime, **changes)
        case _:
            return runtime


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)
    # It logs raw response headers, which no option of the command line enables.
    logging.getLogger("httpcore").setLevel(logging.INFO)
    code = 0
    for line in sys.argv[1:]:
        code = run(shlex.split(line), world(os.environ.get("CANARY", "").split()))
        sys.stderr.write(f"exit {code} of {line}\n")
    sys.exit(code)
