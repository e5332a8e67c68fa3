"""Faults, kills, edits and new declarations in any order: the machine looks for one that leaves something wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import ClassVar

import anyio
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from chaos import Figures, edits_of_others, random_end, random_faults, random_scene, redeclare, settle
from chaos_stage import Stage, open_stage
from sizes import examples

pytestmark = pytest.mark.slow

randoms = st.integers(0, 2**32).map(Random)


class Applies(RuleBasedStateMachine):
    """One organisation, applied to again and again."""

    stage: ClassVar[Stage]

    @initialize(random=randoms)
    def begin(self, random: Random) -> None:
        self.scene = random_scene(self.stage, random)

    @rule(random=randoms, parallelism=st.sampled_from([1, 8]))
    def run_while_things_go_wrong(self, random: Random, parallelism: int) -> None:
        faults = random_faults(self.scene, random, Figures())
        run = anyio.run(partial(self.scene.run, faults, end=random_end(random), parallelism=parallelism))
        assert list(self.scene.account(run)) == []

    @rule(random=randoms)
    def somebody_else_edits(self, random: Random) -> None:
        for edit in edits_of_others(self.scene, random).values():
            edit()

    @rule(random=randoms)
    def settle_and_declare_anew(self, random: Random) -> None:
        self.settle()
        redeclare(self.scene, random)

    def teardown(self) -> None:
        self.settle()

    def settle(self) -> None:
        assert anyio.run(settle, self.scene, Figures()) == []


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage() as stage:
        yield stage


def test_whatever_happens_two_more_runs_mend_it(stage: Stage) -> None:
    class Staged(Applies):
        pass

    Staged.stage = stage
    # Shrinking over real calls would take minutes.
    phases = [phase for phase in Phase if phase is not Phase.shrink]
    run_state_machine_as_test(
        Staged,
        settings=settings(max_examples=examples(20, thorough=200), stateful_step_count=6, deadline=None, phases=phases),
    )
