"""The lock as a ref of a remote: made where none was, renewed while it is held, taken over when it stands still.

Clocks of machines are not compared. Who waits counts how long the value has not changed, on a clock that is never
fast; who holds counts from before the last renewal was sent, on a clock that is never slow, and gives up earlier.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from webchat_sync.errors import LockedError, LockLostError, MemoryUnavailableError
from webchat_sync.memory.ports import Holder, Refs, Run, Swap
from webchat_sync.strict_json import load_json

EXPIRY: Final = 60.0
"""Seconds without a renewal after which others take the lock."""

SAFE: Final = 0.75
"""The part of a lease in which its holder writes: what it sent last arrives before the others may begin."""

LONGEST: Final = 3600.0
"""Seconds that a lease lasts at most, whatever its holder wrote."""

LOOK: Final = 2.0
"""Seconds between two looks at a lock that another run holds, at most."""

_FILE: Final = "lock.json"
_LONGEST_TEXT: Final = 300
"""Characters of what another run says of itself."""


class FastClock:
    """Seconds that never go back, and that never pass slower than any clock of this machine says.

    A machine that is frozen stops some of its clocks; whoever wakes must not take the time for short.
    """

    def __init__(self, *clocks: Callable[[], float]) -> None:
        self._clocks = clocks or _clocks()
        self._read = [clock() for clock in self._clocks]
        self._seconds = 0.0
        self._guard = threading.Lock()

    def __call__(self) -> float:
        """Seconds since some moment."""
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
    """The lock that ``ref`` is, for one ``run``. ``clock`` is for waiting and ``fast_clock`` for holding, in seconds.

    ``lease``, in seconds, is for how long it is held without a renewal. ``random`` gives numbers from 0 to 1.
    """

    refs: Refs
    ref: str
    run: Run
    lease: float
    now: Callable[[], datetime]
    clock: Callable[[], float]
    fast_clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    _value: str | None = None
    _renewed: float = -math.inf
    _since: str = ""
    _renewals: int = 0
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def acquire(self, timeout: float) -> Holder | None:
        """As the Protocol says."""
        began = self.clock()
        watched, watched_since = "", began
        while True:
            value = self.refs.tips(self.ref).get(self.ref)
            holder = self._read(value) if value else None
            if value is None or holder is None or holder.run.id == self.run.id:
                # Nobody has it; or we do, by a push that was taken for failed.
                taken = self._take(value)
            elif value != watched:
                watched, watched_since, taken = value, self.clock(), False
            else:
                taken = self.clock() - watched_since >= holder.lease and self._take(value)
            if taken:
                return holder if holder and holder.run.id != self.run.id else None
            if self.clock() - began >= timeout:
                raise _locked(holder)
            self.sleep(min(LOOK, self.lease / 10) * (0.5 + self.random() / 2))

    def still_held(self) -> bool:
        """As the Protocol says. Once it is lost it stays so."""
        if self._value is not None and self.fast_clock() - self._renewed >= self.lease * SAFE:
            self._value = None
        return self._value is not None

    def renew(self) -> bool:
        """As the Protocol says."""
        try:
            return self._swap()
        except LockLostError:
            return False
        except MemoryUnavailableError:
            return self.still_held()

    def swap(self, *swaps: Swap) -> bool:
        """Swap other refs, if the lock is held by then: the remote does all or nothing. The lease is prolonged, too.

        Returns whether it was done. Raises LockLostError when the lock was lost, MemoryUnavailableError.
        """
        return self._swap(*swaps)

    def release(self) -> None:
        """As the Protocol says."""
        with self._guard:
            value, self._value = self._value, None
            if value is not None:
                try:
                    self.refs.swap(Swap(self.ref, value, None))
                except MemoryUnavailableError:
                    return

    def holder(self) -> Holder | None:
        """As the Protocol says."""
        value = self.refs.tips(self.ref).get(self.ref)
        return self._read(value) if value else None

    def break_open(self) -> Holder | None:
        """As the Protocol says."""
        while value := self.refs.tips(self.ref).get(self.ref):
            holder = self._read(value)
            if self.refs.swap(Swap(self.ref, value, None)):
                return holder
        return None

    def _take(self, value: str | None) -> bool:
        with self._guard:
            began = self.fast_clock()
            self._since = self.now().isoformat(timespec="seconds")
            mine = self._made()
            if not self.refs.swap(Swap(self.ref, value, mine)):
                return False
            self._value, self._renewed = mine, began
            return self.still_held()

    def _swap(self, *swaps: Swap) -> bool:
        with self._guard:
            if not self.still_held():
                raise _lost()
            began, mine = self.fast_clock(), self._made()
            if self.refs.swap(Swap(self.ref, self._value, mine), *swaps):
                self._value, self._renewed = mine, began
                return True
            there = self.refs.tips(self.ref).get(self.ref)
            holder = self._read(there) if there else None
            if holder is None or holder.run.id != self.run.id:
                self._value = None
                raise _lost(holder)
            # Another ref was not what it should have been, or a renewal took effect that was taken for failed.
            self._value = there
            return False

    def _made(self) -> str:
        """A value that no other is like: the object's id is another one with every renewal."""
        self._renewals += 1
        stored = {**asdict(self.run), "since": self._since, "lease": self.lease, "renewals": self._renewals}
        message = f"Lock, held by {self.run.url or self.run.host}\n"
        return self.refs.commit({_FILE: json.dumps(stored, indent=2).encode()}, message, None)

    def _read(self, value: str) -> Holder:
        """Who holds it; somebody unknown, for one lease, where that is not to be read."""
        try:
            stored: Mapping[str, Any] = load_json(self.refs.files(value)[_FILE], unique_keys=True)
            run = Run(*(str(stored[name])[:_LONGEST_TEXT] for name in ("id", "host", "url", "commit")))
            lease = float(stored["lease"])
            if not 0 < lease <= LONGEST:
                lease = LONGEST
            return Holder(run, str(stored["since"])[:_LONGEST_TEXT], lease)
        except (KeyError, ValueError, TypeError):
            return Holder(Run("", "an unknown run"), "an unknown time", self.lease)


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
