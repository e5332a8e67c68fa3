"""Makes something exactly once on a server that may lose its answer: look before sending again, and never guess."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from webchat_sync.environment import Sleep
from webchat_sync.errors import ApiError

LOOKS: Final = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before every look for what may have been made: a server may commit after it gave up."""

POSTS: Final = 3
"""How often it is sent at most, each time only after all looks found nothing."""

T = TypeVar("T")


async def create_once(
    send: Callable[[], Awaitable[T]], look: Callable[[ApiError], Awaitable[T | None]], sleep: Sleep
) -> T:
    """What ``send`` makes; when its answer is lost, what ``look`` finds of it before it is sent again.

    ``look`` is given the doubt. Raises the ApiError of ``send`` when it is not in doubt or the last one, and that of
    ``look`` as it comes: nothing is sent again without having looked.
    """
    posts = 0
    while True:
        posts += 1
        try:
            return await send()
        except ApiError as error:
            # After a doubt even a refusal may mean that the first attempt took effect late, so it is looked for.
            if posts == 1 and not error.in_doubt:
                raise
            failure = error
        for seconds in LOOKS:
            await sleep(seconds)
            if (made := await look(failure)) is not None:
                return made
        if posts == POSTS or not failure.in_doubt:
            raise failure
