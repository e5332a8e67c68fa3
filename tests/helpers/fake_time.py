"""Time that passes only while somebody sleeps in it, and then at once; and sleep that takes no time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from anyio import sleep_forever
from anyio.lowlevel import checkpoint

from webchat_sync.cli.progress import STILL

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


async def at_once(seconds: float) -> None:
    """Returns immediately, except to the progress message, which would otherwise use the CPU during every call."""
    if seconds == STILL:
        await sleep_forever()
    await checkpoint()


class FakeTime:
    """``seconds`` have passed since noon; ``waits`` has each sleep in the order in which they began.

    Those who sleep at the same time sleep side by side. ``before_waking`` may do something when
    their time has come and before they go on.
    """

    def __init__(self, *, before_waking: Callable[[], Awaitable[None]] = checkpoint) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []
        self.before_waking = before_waking

    def clock(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        awake = self.seconds + seconds
        await checkpoint()
        self.seconds = max(self.seconds, awake)
        await self.before_waking()
