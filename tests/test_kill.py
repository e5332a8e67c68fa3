"""Runs that are killed, as a process, in the middle of a call: the next run finds all that they left."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from multiprocessing import get_context
from typing import Literal

import anyio
import pytest

from apply_script import DECLARATIONS, apply
from applying import plan_and_apply
from chaos_stage import Stage, lose_client, open_stage
from planning import catalogue
from webchat_sync.emulator import Fault, Store
from webchat_sync.model import Manifest

pytestmark = pytest.mark.slow

CALLS = ["GET", "POST", "POST", "PATCH", "PATCH", "DELETE", "GET"]
"""Of the plan that the declarations applies: read, create, create and finish, update, delete, verify."""

PROCESSES = get_context("forkserver")
"""Each process starts with what takes long to import already there."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    PROCESSES.set_forkserver_preload(["httpx", "jsonschema", "webchat_sync.api", "webchat_sync.workflow.verify"])
    with open_stage() as stage:
        yield stage


def run_and_kill(stage: Stage, store: Store, organization: str, nth: int, half: str) -> list[str]:
    """Run the declarations until the ``nth`` call kills it, and return the methods of the calls that arrived."""
    victim: Future[int] = Future()

    def kill() -> None:
        os.kill(victim.result(), signal.SIGKILL)

    effect = lose_client(kill, after_commit=half != "before the commit", half_answer=half == "half answered")
    arrivals = stage.act(organization, store, [Fault(effect, nth=nth)])
    process = PROCESSES.Process(target=apply, args=(stage.url, organization))
    process.start()
    assert process.pid
    victim.set_result(process.pid)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    anyio.run(stage.settled)
    return [arrival.method for arrival in arrivals]


@pytest.mark.parametrize("half", ["before the commit", "after the commit", "half answered"])
@pytest.mark.parametrize("nth", range(1, len(CALLS) + 1))
def test_a_run_after_a_killed_one_converges_without_a_duplicate(
    stage: Stage, nth: int, half: Literal["before the commit", "after the commit", "half answered"]
) -> None:
    organization = f"killed-{nth}-{half.replace(' ', '-')}"
    store = Store(catalogue=catalogue())
    store.seed(organization, [{"name": "Changed"}, {"name": "Old"}])
    undeclared = store.seed(organization, [{"name": "Undeclared", "enabled": False}])
    assert run_and_kill(stage, store, organization, nth, half) == CALLS[:nth]

    stage.act(organization, store)
    _, report = anyio.run(plan_and_apply, stage.url, Manifest(organization, DECLARATIONS))

    assert report is None or report.outcome == "converged"
    live = {str(channel["name"]): channel for channel in store.channels(organization)}
    assert len(live) == len(store.channels(organization))
    assert live.keys() == {"Posted", "Posted and patched", "Changed", "Undeclared"}
    assert all(channel["enabled"] for channel in live.values() if channel["name"] != "Undeclared")
    assert [live[name]["theme"] for name in ("Posted", "Posted and patched", "Changed")] == ["auto", "dark", "dark"]
    assert [live["Undeclared"]] == undeclared
