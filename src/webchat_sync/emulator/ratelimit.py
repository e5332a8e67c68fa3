"""Counts calls in windows of a fixed length, and reports that in headers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from webchat_sync.frozen import frozen


@frozen
class Allowance:
    """What remains of a window after a call. ``reset`` is in seconds from now."""

    granted: bool
    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the API's responses (the vendor's OpenAPI document)."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(self.reset),
        }


class Window:
    """Grants ``limit`` calls in every ``seconds``; ``clock`` is monotonic, in seconds."""

    def __init__(self, limit: int, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._start = -math.inf
        self._used = 0

    def take(self) -> Allowance:
        """Count one call."""
        now = self._clock()
        if now >= self._start + self._seconds:
            self._start, self._used = now, 0
        self._used += 1
        return Allowance(
            granted=self._used <= self._limit,
            limit=self._limit,
            remaining=max(0, self._limit - self._used),
            reset=math.ceil(self._start + self._seconds - now),
        )
