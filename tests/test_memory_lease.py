"""How long a lock on a remote is held, and by whom: from before a push was sent, and never for longer than an hour."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from remembering import Clock, SimulatedRefs, SimulatedRemote, runner
from webchat_sync.errors import MemoryUnavailableError
from webchat_sync.memory.lease import SAFE
from webchat_sync.memory.ports import LONGEST, Swap


@dataclass
class SlowRefs(SimulatedRefs):
    """Every push takes so many ``seconds``."""

    clock: Clock = field(default_factory=Clock)
    seconds: float = 0.0

    def swap(self, *swaps: Swap) -> bool:
        self.clock.sleep(self.seconds)
        return super().swap(*swaps)


@pytest.mark.parametrize("slow", ["acquire", "renew"])
def test_a_lease_counts_from_before_the_push_was_sent(slow: str) -> None:
    refs = SlowRefs(SimulatedRemote())
    lock = runner("one", refs, refs.clock, lease=60).lock
    refs.seconds = 30.0
    lock.acquire(0)
    if slow == "renew":
        refs.clock.seconds = 40.0
        assert lock.renew()
    sent = refs.clock.seconds - refs.seconds
    refs.clock.seconds = sent + 60 * SAFE - 1
    assert lock.still_held()
    refs.clock.seconds = sent + 60 * SAFE
    assert not lock.still_held()


def test_a_lock_that_is_renewed_is_waited_for_a_whole_lease_from_then_on() -> None:
    remote, clock = SimulatedRemote(), Clock()
    holder = runner("one", SimulatedRefs(remote), clock).lock
    holder.acquire(0)
    renewed: list[float] = []

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.seconds >= 20 and not renewed:
            assert holder.renew()
            renewed.append(clock.seconds)

    waiting = runner("two", SimulatedRefs(remote), clock).lock
    waiting.environment = replace(waiting.environment, pause=sleep)
    (taken_from,) = waiting.acquire(200)
    assert taken_from.run.id == "one"
    assert clock.seconds >= renewed[0] + 60


@pytest.mark.parametrize("lease", [1e9, -1.0, 0.0])
def test_whatever_lease_somebody_wrote_ends_within_an_hour(lease: float) -> None:
    remote, clock = SimulatedRemote(), Clock()
    runner("one", SimulatedRefs(remote), clock, lease=lease).lock._take({})  # noqa: SLF001 - no run of ours has such a lease
    waiting = runner("two", SimulatedRefs(remote), clock).lock
    taken_from = waiting.acquire(2 * LONGEST)
    assert [(former.run.id, former.lease) for former in taken_from] == [("one", LONGEST)]
    assert LONGEST <= clock.seconds <= LONGEST + 5


def test_a_lock_that_was_taken_by_a_push_without_an_answer_is_ours() -> None:
    clock, refs = Clock(), SimulatedRefs(SimulatedRemote(), fault="unanswered")
    lock = runner("one", refs, clock).lock
    with pytest.raises(MemoryUnavailableError):
        lock.acquire(0)
    assert not lock.still_held()
    assert lock.acquire(0) == ()
    assert lock.still_held()
