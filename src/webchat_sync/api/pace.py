"""Slows all calls of a client down before the server's rate limit is used up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

PLENTY: Final = 0.1
"""The part of the limit above which calls go out at full speed."""
LONGEST_PAUSE: Final = 60.0
"""Seconds: no call is held back longer, whatever the headers say."""
EPOCH: Final = 1_000_000_000
"""A reset above this is a time since 1970; below, it is seconds from now."""


class Pacer:
    """One for all workers of a client, so that they wait together and not each for itself.

    ``clock`` gives seconds that never go back, ``now`` the time of day; ``on_wait`` is told how many seconds a
    call is about to wait.
    """

    def __init__(
        self,
        *,
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
        now: Callable[[], datetime],
        on_wait: Callable[[float], object] = lambda _: None,
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._now = now
        self._on_wait = on_wait
        self._gap = 0.0
        self._next = clock()

    async def turn(self) -> None:
        """Wait until the next call may go out."""
        start = max(self._clock(), self._next)
        self._next = start + self._gap
        pause = start - self._clock()
        if pause > 0:
            self._on_wait(pause)
            await self._sleep(pause)

    def learn(self, headers: Mapping[str, str], *, retry_after: float | None = None) -> None:
        """Take in the ``X-RateLimit-*`` headers of an answer, and the wait that a refused call was asked for."""
        now = self._clock()
        if retry_after is not None:
            self._next = max(self._next, now + min(retry_after, LONGEST_PAUSE))
        limit, left, reset = (_number(headers, f"x-ratelimit-{name}") for name in ("limit", "remaining", "reset"))
        if limit is None or left is None or reset is None:
            return
        seconds = min(max(0.0, reset - self._now().timestamp() if reset > EPOCH else reset), LONGEST_PAUSE)
        if left <= 0:
            self._next = max(self._next, now + seconds)
        self._gap = 0.0 if left > limit * PLENTY else seconds / (left + 1)


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        return float(headers[name])
    except (KeyError, ValueError):
        return None
