"""Slows all calls of a client down before the server's rate limit is exhausted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from math import isfinite
from typing import Final

import anyio

from webchat_sync.api.retry import retry_after_seconds
from webchat_sync.environment import NEVER, Ending, Environment

PLENTY: Final = 0.1
"""The remaining share of the limit above which calls aren't slowed down."""
LONGEST_PAUSE: Final = 60.0
"""Seconds: the longest pause before a call, whatever the headers say."""
SHORTEST_PAUSE: Final = 0.001
"""Seconds: shorter pauses aren't worth it, and may just be rounding of a clock."""
EPOCH: Final = 1_000_000_000
"""A reset above this is a Unix time; below, it's seconds from now."""


class Pacer:
    """Shared by all workers of a client, so that they wait together.

    ``on_wait`` is called with the seconds that calls are about to wait.
    """

    def __init__(self, environment: Environment, on_wait: Callable[[float], object]) -> None:
        self._sleep = environment.sleep
        self._clock = environment.clock
        self._now = environment.now
        self._on_wait = on_wait
        self._queue = anyio.Lock(fast_acquire=True)
        self._in_flight = 0
        self._left = self._plenty = 0.0
        self._last = self._reset = self._hold = environment.clock()

    @asynccontextmanager
    async def turn(self, ending: Ending = NEVER) -> AsyncIterator[bool]:
        """Entered once the next call may be sent, and left when its response starts.

        False if the ``ending`` was requested while it waited: then it must not be sent.
        """
        latest = self._clock() + LONGEST_PAUSE
        async with self._queue:  # Only the first in the queue waits; the others then see what remains.
            while (pause := min(self._start(), latest) - self._clock()) > SHORTEST_PAUSE:
                if not ending.requested:
                    self._on_wait(pause)
                    await ending.wait(pause, self._sleep)
                if ending.requested:
                    yield False
                    return
            self._last = self._clock()
            self._in_flight += 1
        try:
            yield True
        finally:
            self._in_flight -= 1

    def learn(self, headers: Mapping[str, str], *, refused: bool) -> None:
        """Read a response's ``X-RateLimit-*`` headers, and if the call was ``refused``, its ``Retry-After``."""
        now = self._clock()
        requested = retry_after_seconds(headers.get("retry-after"), now=self._now()) if refused else None
        if requested and requested <= LONGEST_PAUSE:
            self._hold = max(self._hold, now + requested)
            self._on_wait(requested)
        limit, remaining, reset = (
            _number(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining", "reset")
        )
        if limit is None or remaining is None or reset is None:
            return
        # Responses can arrive out of order: before the reset, only a lower count is newer.
        if remaining < self._left or now >= self._reset:
            seconds = reset - self._now().timestamp() if reset > EPOCH else reset
            self._left, self._plenty, self._reset = remaining, limit * PLENTY, now + min(seconds, LONGEST_PAUSE)

    def _start(self) -> float:
        """The earliest time for the next call: the remaining ones are spread until the reset."""
        remaining = max(0.0, self._left - self._in_flight)  # The last response's count doesn't include calls in flight.
        if remaining > self._plenty:
            return self._hold
        return max(self._hold, self._last + (self._reset - self._last) / (remaining + 1))


def _number(header: str | None) -> float | None:
    try:
        number = float(header or "")
    except ValueError:
        return None
    return number if isfinite(number) else None
