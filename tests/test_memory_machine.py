"""The protocol of the memory against a simulated remote: never two that write, and no intent is ever lost."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from remembering import SCOPE, Clock, Runner, SimulatedRefs, SimulatedRemote, in_time_of, run, runner
from sizes import examples
from webchat_sync.errors import MemoryUnavailableError
from webchat_sync.memory.lease import lock_refs
from webchat_sync.memory.place import REF
from webchat_sync.memory.ref_memory import RefMemory
from webchat_sync.model import OrganizationKey

pytestmark = pytest.mark.slow

ABOUT = (("org-1",), ("org-2",), ("org-1", "org-2"))
RUNS = len(ABOUT)
BOTH = lock_refs(REF, ABOUT[2])
LEASE = 60.0
runs = st.integers(0, RUNS - 1)


class Memories(RuleBasedStateMachine):
    """Runs with clocks of their own, which never agree on the time of day; each may be frozen, cut off, or killed.

    Two are about an organisation each, and one is about both.
    A machine whose clocks all stood still cannot know: it is left to the remote to refuse what it writes.
    """

    @initialize()
    def begin(self) -> None:
        self.remote = SimulatedRemote()
        self.started = 0
        self.runners = [self.start(index) for index in range(RUNS)]
        self.intents: set[str] = set()
        self.deluded: set[str] = set()

    def start(self, index: int) -> tuple[Runner, SimulatedRefs, Clock]:
        self.started += 1
        refs, clock = SimulatedRefs(self.remote), Clock(seconds=self.started * 12345.0)
        return runner(f"run-{self.started}", refs, clock, lease=LEASE, organizations=ABOUT[index]), refs, clock

    @rule(index=runs)
    def acquire(self, index: int) -> None:
        one, _, clock = self.runners[index]
        if one.lock.still_held():
            return
        before = clock.seconds
        with suppress(MemoryUnavailableError):
            one.lock.acquire(0)
        assert clock.seconds == before

    @rule(index=runs)
    def wait_for_the_lock(self, index: int) -> None:
        """Wait a lease and more, while nobody else does anything."""
        one, _, clock = self.runners[index]
        if one.lock.still_held():
            return
        before = clock.seconds
        with suppress(MemoryUnavailableError):
            one.lock.acquire(LEASE + 10)
        self.pass_time(clock.seconds - before, but=clock)

    @rule(index=runs)
    def renew(self, index: int) -> None:
        self.runners[index][0].lock.renew()

    @rule(index=runs)
    def release(self, index: int) -> None:
        self.runners[index][0].lock.release()

    @rule(index=runs, number=st.integers(0, 1))
    def write(self, index: int, number: int) -> None:
        """What apply does: intent into the memory, ask whether the lock is held, call."""
        one, _, clock = self.runners[index]
        organization = ABOUT[index][number % len(ABOUT[index])]
        if not one.lock.still_held():
            return
        intent = f"{organization}-{len(self.intents)}"
        before = clock.seconds
        try:
            one.write(intent, scope=OrganizationKey(SCOPE.base_url, organization))
        except MemoryUnavailableError:
            return
        finally:
            self.pass_time(clock.seconds - before, but=clock)
        # The remote let nobody write but the holder, whatever a machine thinks of the time.
        assert {self.holder(lock) for lock in one.lock.locks} == {one.lock.run.id}
        self.deluded.discard(one.lock.run.id)
        if one.lock.still_held():
            self.intents.add(intent)
            self.holds_alone(one)

    def holds_alone(self, one: Runner) -> None:
        assert all(self.holders(lock) == [one] for lock in one.lock.locks)

    def holder(self, lock: str) -> str:
        stored = self.remote.commits[self.remote.refs[lock]][0]["lock.json"]
        return str(json.loads(stored)["id"])

    def holders(self, lock: str) -> list[Runner]:
        about = [one for one, _, _ in self.runners if lock in one.lock.locks]
        return [one for one in about if one.lock.run.id not in self.deluded and one.lock.still_held()]

    @rule(index=runs)
    def freeze(self, index: int) -> None:
        """From now on all clocks of a machine stand still, also while it runs again."""
        self.deluded.add(self.runners[index][0].lock.run.id)

    @rule(seconds=st.sampled_from([1.0, 10.0, 44.0, 46.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.pass_time(seconds)

    @rule(index=runs, fault=st.sampled_from(["late", "unanswered", "lost"]))
    def lose_a_write(self, index: int, fault: str) -> None:
        """What becomes of a write whose answer is lost is not known: it is no intent that a call rests on."""
        one, refs, _ = self.runners[index]
        refs.fault = fault
        with suppress(MemoryUnavailableError):
            one.write(f"lost-{len(self.intents)}", scope=OrganizationKey(SCOPE.base_url, ABOUT[index][0]))
        refs.fault = ""

    @rule(index=runs, fault=st.sampled_from(["late", "unanswered", "lost"]))
    def break_the_next_push(self, index: int, fault: str) -> None:
        self.runners[index][1].fault = fault

    @rule(index=runs, away=st.booleans())
    def cut_off(self, index: int, away: bool) -> None:
        self.runners[index][1].away = away

    @rule()
    def deliver_what_is_late(self) -> None:
        while self.remote.late:
            self.remote.apply(self.remote.late.pop())

    @rule(index=runs)
    def kill(self, index: int) -> None:
        self.runners[index] = self.start(index)

    @rule(index=runs)
    def unlock(self, index: int) -> None:
        """Somebody unlocks after the holder was cut off for a lease, as the guide says."""
        for _, refs, _ in self.runners:
            refs.fault = ""
        self.pass_time(LEASE)
        one, refs, _ = self.runners[index]
        if not refs.away:
            for holder in one.lock.holders():
                one.lock.break_open(holder)

    def pass_time(self, seconds: float, but: Clock | None = None) -> None:
        for one, _, clock in self.runners:
            if clock is not but and one.lock.run.id not in self.deluded:
                clock.seconds += seconds

    @invariant()
    def at_most_one_holds_it(self) -> None:
        if hasattr(self, "runners"):
            for lock in BOTH:
                holders = self.holders(lock)
                assert len(holders) <= 1
                assert not holders or lock in self.remote.refs

    @invariant()
    def no_intent_is_lost(self) -> None:
        if hasattr(self, "runners"):
            refs = SimulatedRefs(self.remote)
            memory = RefMemory(refs, REF, run("reader"), in_time_of(Clock()))
            assert self.intents <= {intent for document in memory.read().values() for intent in document.rotations}


TestMemories = Memories.TestCase
TestMemories.settings = settings(
    max_examples=examples(60, thorough=600),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
