"""Everything goes wrong, on seeds that stay the same; ``benchmarks/chaos.py`` runs as many more as wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import anyio
import pytest

from chaos import Figures, chaos_round, fault_effects, settle
from chaos_run import End, Flaw
from chaos_scene import Scene
from chaos_stage import Stage, open_stage
from planning import declare
from sizes import examples, size
from variations import variation
from webchat_sync.emulator import Fault, Quirks, effects
from webchat_sync.model import Declaration

pytestmark = pytest.mark.slow

DECLARATIONS: list[Declaration] = [
    declare("Posted", color="#0f766e"),
    declare("Posted and patched", color="#0f766e", prechatFields=[{"label": "Email"}]),
    replace(declare("Renamed", theme="dark"), renamed_from="Live"),
    declare("Changed", departments=[{"name": "Sales"}, {"name": "Support"}]),
    replace(declare("Old"), absent=True),
]
CALLS = ["GET", "POST", "POST", "PATCH", "PATCH", "PATCH", "DELETE", "GET"]
"""The calls that those take when nothing goes wrong, one after the other."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage() as stage:
        yield stage


def scene_of_every_kind_of_change(stage: Stage) -> Scene:
    scene = Scene(stage)
    scene.seed("Live", {"welcomeMessage": "Hola"})
    scene.seed("Changed", {"departments": [{"name": "Support", "open": True}], "theme": "dark"})
    scene.seed("Old", {})
    scene.seed("Undeclared", {"enabled": False})
    scene.declare(DECLARATIONS)
    return scene


def test_without_a_fault_the_calls_are_those_of_the_plan(stage: Stage) -> None:
    scene = scene_of_every_kind_of_change(stage)
    run = anyio.run(lambda: scene.run(parallelism=1))
    assert run.converged
    assert [arrival.method for arrival in run.arrivals] == CALLS
    assert [*scene.account(run), *scene.flaws()] == []


def kinds(stage: Stage) -> list[str]:
    return sorted({*fault_effects(Scene(stage), Random(1)), *fault_effects(Scene(stage), Random(2))})


def every_fault_in_every_call(stage: Stage, times: int) -> list[tuple[str, int]]:
    """Each kind with the numbers of the calls that it falls on; in a usual run, every fourth of them in turn."""
    step = size(4, thorough=1)
    return [
        (kind, nth)
        for index, kind in enumerate(kinds(stage))
        for nth in range(1 + (index + times) % step, len(CALLS) + 1, step)
    ]


@pytest.mark.parametrize("times", [1, variation(99)])
def test_every_fault_in_every_call_leaves_nothing_that_a_later_run_does_not_mend(stage: Stage, times: int) -> None:
    async def suffer(kind: str, nth: int) -> list[Flaw]:
        scene = scene_of_every_kind_of_change(stage)
        effect = fault_effects(scene, Random(1)).get(kind) or fault_effects(scene, Random(2))[kind]
        run = await scene.run([Fault(effect, nth=frozenset(range(nth, nth + times)))], parallelism=1)
        return [*scene.account(run), *await settle(scene, Figures())]

    async def suffer_all() -> dict[tuple[str, int], list[Flaw]]:
        return {(kind, nth): await suffer(kind, nth) for kind, nth in every_fault_in_every_call(stage, times)}

    assert {case: flaws for case, flaws in anyio.run(suffer_all).items() if flaws} == {}


def test_a_half_made_channel_is_finished_though_the_list_leaves_a_field_of_it_out(stage: Stage) -> None:
    async def kill_between_the_post_and_the_patch() -> list[Flaw]:
        scene = Scene(stage, Quirks(omit=frozenset({"welcomeMessage"})))
        scene.declare([declare("New", welcomeMessage="Hola", theme="dark")])
        killed = await scene.run(end=End("arrived", nth=2))
        assert [channel["enabled"] for channel in scene.live.values()] == [False]
        return [*scene.account(killed), *await settle(scene, Figures())]

    assert anyio.run(kill_between_the_post_and_the_patch) == []


def test_a_refusal_after_an_attempt_in_doubt_does_not_say_that_nothing_was_done(stage: Stage) -> None:
    scene = Scene(stage)
    scene.seed("Changed", {"theme": "light"})
    scene.declare([declare("Changed", theme="dark")])
    faults = [Fault(effects.drop(after_commit=True), "PATCH", nth=1), Fault(effects.status(409), "PATCH", nth=2)]
    run = anyio.run(scene.run, faults)
    assert [(result.status, result.http_status, result.attempts) for result in run.results] == [("in_doubt", 409, 2)]
    assert list(scene.account(run)) == []


def test_rounds_of_chaos_leave_no_duplicate_no_loss_and_a_true_account(stage: Stage) -> None:
    async def rounds() -> Figures:
        figures = Figures()
        for seed in range(examples(60, thorough=400)):
            figures.add(await chaos_round(stage, seed))
        return figures

    figures = anyio.run(rounds)
    assert figures.flaws == []
    # It was chaos indeed.
    assert figures.counts["kills"] >= 3
    assert figures.faults.total() >= 60


def test_the_rounds_would_see_a_flaw(stage: Stage) -> None:
    scene = scene_of_every_kind_of_change(stage)
    (undeclared,) = [each for each, channel in scene.live.items() if channel["name"] == "Undeclared"]
    anyio.run(scene.run)
    scene.store.update(scene.organization, undeclared, {"theme": "dark"})
    scene.seed("Posted", {"color": "#0f766e"})
    (patched,) = [each for each, channel in scene.live.items() if channel["name"] == "Posted and patched"]
    scene.store.update(scene.organization, patched, {"enabled": False, "prechatFields": []})
    assert sorted((flaw.kind, flaw.text) for flaw in scene.flaws()) == [
        ("duplicate", "2 channels are called Posted"),
        ("loss", "Posted and patched was never switched on"),
        ("loss", "Posted and patched: prechatFields is []"),
        ("loss", "Undeclared: theme, which nobody declared, is 'dark'"),
        ("loss", "Undeclared: updatedAt, which nobody declared, is '2026-11-02T12:01:16.000Z'"),
    ]
