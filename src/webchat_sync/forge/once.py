"""Makes something exactly once on a server that knows no idempotency keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from webchat_sync.environment import Sleep
from webchat_sync.errors import ApiError

LOOKS: Final = (0.0, 1.0, 2.0, 4.0)
"""Seconds before every look for what may have been made: a server may commit after it gave up."""

POSTS: Final = 3
"""How often it is sent at most, each time only after all looks found nothing."""

T = TypeVar("T")


async def once(
    send: Callable[[], Awaitable[T]],
    look: Callable[[], Awaitable[T | None]],
    sleep: Sleep,
) -> T:
    """What ``send`` makes; when its answer is lost, what ``look`` finds of it before it is sent again.

    Raises the ApiError of ``send`` when it is not in doubt or the last one, and that of ``look`` as it comes: nothing
    is sent again without having looked.
    """
    posts = 0
    while True:
        posts += 1
        try:
            return await send()
        except ApiError as error:
            if not error.in_doubt:
                raise
            doubt = error
        for seconds in LOOKS:
            await sleep(seconds)
            if (made := await look()) is not None:
                return made
        if posts == POSTS:
            raise doubt
