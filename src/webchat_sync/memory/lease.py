"""The lock as refs of a remote: created to acquire it, renewed while it's held, taken over once they stop changing.

A run has one ref for each of its organisations, all at the same commit: one push acquires, renews and releases all of
them or none, so two runs can't deadlock. The number of refs is fixed: organisations can share one, and a run over all
organisations is still one push of reasonable size.

Clocks of different machines are never compared. A waiting run measures for how long the value hasn't changed, with a
clock that's never fast; the holder measures from before it sent the last renewal, with a clock that's never slow, and
gives up earlier.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

from webchat_sync.environment import Environment
from webchat_sync.errors import LockedError, LockLostError, MemoryUnavailableError
from webchat_sync.memory.ports import LONGEST, Holder, Refs, Run, Swap
from webchat_sync.model import moment_text, read_moment, share_of
from webchat_sync.strict_json import load_json

SAFE: Final = 0.75
"""The part of a lease in which its holder writes, so that its last write arrives before others may begin."""

LOOK: Final = 2.0
"""The longest time in seconds between two looks at a lock that another run holds."""

LOCKS: Final = 240
"""The number of locks. If a fleet is split by a divisor of this, its shards share no lock."""

_FILE: Final = "lock.json"
_LONGEST_TEXT: Final = 300
"""Characters of every text that another run stored about itself."""

_MOST_NAMED: Final = 20
"""The number of organisations that a lock names."""


def lock_refs(ref: str, organizations: Collection[str]) -> tuple[str, ...]:
    """The refs that lock these organisations for the memory ``ref``; all of them if none or an empty one is given.

    Ids that differ only in case may belong to the same organisation.
    """
    named = organizations and all(organizations)
    numbers = {share_of(organization.casefold(), LOCKS) for organization in organizations} if named else range(LOCKS)
    return tuple(f"{ref}-locks/{number:03}" for number in sorted(numbers))


class FastClock:
    """A monotonic clock in seconds, at least as fast as every clock of this machine.

    A suspended machine stops some of its clocks, and must notice how long it was suspended.
    """

    def __init__(self, *clocks: Callable[[], float]) -> None:
        self._clocks = clocks or _clocks()
        self._read = [clock() for clock in self._clocks]
        self._seconds = 0.0
        self._guard = threading.Lock()

    def __call__(self) -> float:
        """Seconds since an arbitrary moment."""
        with self._guard:
            read = [clock() for clock in self._clocks]
            self._seconds += max(0.0, *(now - before for now, before in zip(read, self._read, strict=True)))
            self._read = read
            return self._seconds


def _clocks() -> tuple[Callable[[], float], ...]:
    if hasattr(time, "CLOCK_BOOTTIME"):
        return (time.monotonic, time.time, lambda: time.clock_gettime(time.CLOCK_BOOTTIME))
    return (time.monotonic, time.time)


@dataclass(slots=True, kw_only=True)
class RefLock:
    """The lock made from the refs ``locks``, for one ``run``.

    The clock of ``environment`` measures waiting, ``fast_clock`` holding. ``lease`` is how many seconds it's held
    without a renewal. ``organizations`` are stored for other runs to read.
    """

    refs: Refs
    locks: tuple[str, ...]
    run: Run
    lease: float
    environment: Environment
    fast_clock: Callable[[], float]
    organizations: tuple[str, ...] = ()
    _values: Mapping[str, str] = field(default_factory=dict)
    _renewed: float = -math.inf
    _since: datetime | None = None
    _renewals: int = 0
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def acquire(self, timeout: float, waiting: Callable[[Holder], object] = lambda _: None) -> Sequence[Holder]:
        """See :class:`Lock`."""
        began, notified = self.environment.clock(), False
        watched: dict[str, tuple[str, float]] = {}
        read = cache(self._read)
        while True:
            tips = self.refs.tips(*self.locks)
            looked = self.environment.clock()
            # A ref can already be ours because of a push that seemed to fail.
            others = {ref: holder for ref, value in tips.items() if not self._is_ours(holder := read(value))}
            watched = {
                ref: watched[ref] if watched.get(ref, ("", 0.0))[0] == tips[ref] else (tips[ref], looked)
                for ref in others
            }
            awaited = [holder for ref, holder in others.items() if looked - watched[ref][1] < holder.lease]
            if not awaited and self._take(tips):
                return _once(others.values())
            if self.environment.clock() - began >= timeout:
                raise _locked(awaited[0] if awaited else None)
            if awaited and not notified:
                notified = True
                waiting(awaited[0])
            self.environment.pause(min(LOOK, self.lease / 10) * (0.5 + self.environment.random() / 2))

    def still_held(self) -> bool:
        """See :class:`Lock`. Once it's lost, it stays lost."""
        if self._renewed > -math.inf and self.fast_clock() - self._renewed >= self.lease * SAFE:
            self._renewed = -math.inf
        return self._renewed > -math.inf

    def renew(self) -> bool:
        """See :class:`Lock`."""
        try:
            return self._swap()
        except LockLostError:
            return False
        except MemoryUnavailableError:
            return self.still_held()

    def swap(self, *swaps: Swap) -> bool:
        """Swap other refs, provided that the lock is still held when the push arrives. This also renews the lease.

        Returns whether it was done. Raises LockLostError if the lock was lost, and MemoryUnavailableError.
        """
        return self._swap(*swaps)

    def release(self) -> None:
        """See :class:`Lock`."""
        with self._guard:
            values, self._values, self._renewed = self._values, {}, -math.inf
            try:
                self._drop(values)
            except MemoryUnavailableError:
                return

    def holders(self) -> Sequence[Holder]:
        """See :class:`Lock`."""
        return _once(map(self._read, dict.fromkeys(self.refs.tips(*self.locks).values())))

    def break_open(self, holder: Holder) -> bool:
        """See :class:`Lock`."""
        broken = False
        while True:
            tips = self.refs.tips(*self.locks)
            theirs = {ref: value for ref, value in tips.items() if self._read(value).run == holder.run}
            if not theirs:
                return broken
            broken = self.refs.swap(*(Swap(ref, value, None) for ref, value in theirs.items())) or broken

    def _is_ours(self, holder: Holder) -> bool:
        return holder.run.id == self.run.id

    def _take(self, tips: Mapping[str, str]) -> bool:
        with self._guard:
            began = self.fast_clock()
            self._since = self.environment.now()
            mine = self._made()
            # Set before the push: if it's interrupted, it may have taken effect, and must be released.
            self._values = dict.fromkeys(self.locks, mine)
            try:
                swapped = self.refs.swap(*(Swap(ref, tips.get(ref), mine) for ref in self.locks))
            except MemoryUnavailableError:
                self._values = {}
                raise
            if not swapped:
                self._values = {}
                self._drop_parts(mine)
                return False
            self._renewed = began
            return self.still_held()

    def _swap(self, *swaps: Swap) -> bool:
        with self._guard:
            if not self.still_held():
                raise _lost()
            began, mine = self.fast_clock(), self._made()
            if self.refs.swap(*(Swap(ref, self._values[ref], mine) for ref in self.locks), *swaps):
                self._values, self._renewed = dict.fromkeys(self.locks, mine), began
                return True
            tips = self.refs.tips(*self.locks)
            current = {ref: self._read(tips[ref]) if ref in tips else None for ref in self.locks}
            foreign = [holder for holder in current.values() if holder is None or not self._is_ours(holder)]
            if foreign:
                self._renewed = -math.inf
                # The remaining ones are released at the end.
                self._values = {ref: value for ref, value in tips.items() if self._is_ours(self._read(value))}
                raise _lost(next(filter(None, foreign), None))
            # One of ``swaps`` had another value, or a renewal took effect that seemed to fail.
            self._values = tips
            return False

    def _drop(self, values: Mapping[str, str]) -> None:
        """Release the refs that still have these values: all at once, or those that others left."""
        if not values or self.refs.swap(*(Swap(ref, value, None) for ref, value in values.items())):
            return
        if len(values) > 1:
            tips = self.refs.tips(*values)
            remaining = [Swap(ref, value, None) for ref, value in values.items() if tips.get(ref) == value]
            if remaining:
                self.refs.swap(*remaining)

    def _drop_parts(self, mine: str) -> None:
        """Release what a remote without atomic pushes acquired of several refs."""
        if len(self.locks) > 1:
            tips = self.refs.tips(*self.locks)
            if acquired := [Swap(ref, mine, None) for ref, value in tips.items() if value == mine]:
                self.refs.swap(*acquired)

    def _made(self) -> str:
        """A commit that differs from every other one, since it contains the number of the renewal."""
        self._renewals += 1
        stored = {
            **asdict(self.run),
            "since": moment_text(self._since) if self._since else "",
            "lease": self.lease,
            "renewals": self._renewals,
            "organizations": self.organizations[:_MOST_NAMED],
        }
        message = f"Lock, held by {self.run.url or self.run.host}\n"
        return self.refs.commit({_FILE: json.dumps(stored, indent=2).encode()}, message, None)

    def _read(self, value: str) -> Holder:
        """The holder stored in the commit; if it can't be read, an unknown one with a lease like ours."""
        try:
            stored: Mapping[str, Any] = load_json(self.refs.files(value)[_FILE], unique_keys=True)
            run = Run(*(str(stored[name])[:_LONGEST_TEXT] for name in ("id", "host", "url", "commit")))
            lease = float(stored["lease"])
            if not 0 < lease <= LONGEST:
                lease = LONGEST
            organizations = tuple(str(named)[:_LONGEST_TEXT] for named in stored.get("organizations", [])[:_MOST_NAMED])
            return Holder(run, read_moment(stored["since"]), lease, organizations)
        except (KeyError, ValueError, TypeError):
            return Holder(Run("", "an unknown run"), None, self.lease)


def _once(holders: Iterable[Holder]) -> tuple[Holder, ...]:
    """The holders without repetitions of a run."""
    return tuple({holder.run: holder for holder in holders}.values())


def _locked(holder: Holder | None) -> LockedError:
    return LockedError(
        f"another run holds the lock: {holder or 'it has just changed hands'}",
        hint="Nothing was written. Wait for it to finish and run again, or use --lock-timeout SECONDS. If that "
        "run has died, `webchat-sync unlock` releases its lock.",
    )


def _lost(holder: Holder | None = None) -> LockLostError:
    by = f"; it's now held by {holder}" if holder else ""
    return LockLostError(
        f"this run lost the lock: it wasn't renewed in time, or someone released it{by}",
        hint="This run writes nothing more. Run it again.",
    )
