"""Slows all calls of a client down before the server's rate limit is used up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from math import isfinite
from typing import Final

import anyio

from webchat_sync.api.retry import retry_after_seconds
from webchat_sync.environment import Environment

PLENTY: Final = 0.1
"""The part of the limit above which calls go out at full speed."""
LONGEST_PAUSE: Final = 60.0
"""Seconds: no call is held back longer, whatever the headers say."""
SHORTEST_PAUSE: Final = 0.001
"""Seconds: less is not worth a sleep, and may be no more than a clock's rounding."""
EPOCH: Final = 1_000_000_000
"""A reset above this is a time since 1970; below, it is seconds from now."""


class Pacer:
    """One for all workers of a client, so that they wait together and not on their own.

    ``on_wait`` is told how many seconds calls are about to wait.
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
    async def turn(self) -> AsyncIterator[None]:
        """Begins when the next call may go out, and ends with the beginning of its answer."""
        latest = self._clock() + LONGEST_PAUSE
        async with self._queue:  # Only the first in the queue waits; when it goes, the others see what is left.
            while (pause := min(self._start(), latest) - self._clock()) > SHORTEST_PAUSE:
                self._on_wait(pause)
                await self._sleep(pause)
            self._last = self._clock()
            self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    def learn(self, headers: Mapping[str, str], *, refused: bool) -> None:
        """Take in an answer's ``X-RateLimit-*`` headers, and if the call was ``refused``, its ``Retry-After``."""
        now = self._clock()
        asked = retry_after_seconds(headers.get("retry-after"), now=self._now()) if refused else None
        if asked and asked <= LONGEST_PAUSE:
            self._hold = max(self._hold, now + asked)
            self._on_wait(asked)
        limit, left, reset = (_number(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining", "reset"))
        if limit is None or left is None or reset is None:
            return
        # Answers overtake one another: before the reset, only a lower count is a later one.
        if left < self._left or now >= self._reset:
            seconds = reset - self._now().timestamp() if reset > EPOCH else reset
            self._left, self._plenty, self._reset = left, limit * PLENTY, now + min(seconds, LONGEST_PAUSE)

    def _start(self) -> float:
        """When the next call may go out, at the earliest: the last ones that are left are spread until the reset."""
        left = max(0.0, self._left - self._in_flight)  # What is in flight is not in the last answer's count.
        if left > self._plenty:
            return self._hold
        return max(self._hold, self._last + (self._reset - self._last) / (left + 1))


def _number(header: str | None) -> float | None:
    try:
        number = float(header or "")
    except ValueError:
        return None
    return number if isfinite(number) else None
