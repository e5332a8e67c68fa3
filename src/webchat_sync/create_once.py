"""Creates something exactly once on a server that may lose its response: look before sending again, never guess."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from webchat_sync.environment import Sleep
from webchat_sync.errors import ApiError, NotSentError

LOOKS: Final = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before every look for what may have been created, since a server may commit late."""

POSTS: Final = 3
"""How often it's sent at most, each time only after no look found it."""

T = TypeVar("T")


async def create_once(
    send: Callable[[], Awaitable[T]],
    look: Callable[[ApiError], Awaitable[T | None]],
    sleep: Sleep,
    *,
    may_repeat: Callable[[], bool] = lambda: True,
) -> T:
    """The result of ``send``; if its response is lost, what ``look`` finds before it's sent again.

    ``look`` receives the error that's in doubt. Raises the ApiError of ``send`` if it isn't in doubt, was the last
    attempt, or mustn't be repeated, and any error of ``look``, since nothing is sent again without looking.
    """
    posts = 0
    failure: ApiError | None = None
    while True:
        posts += 1
        try:
            return await send()
        except NotSentError as error:
            raise failure or error from None
        except ApiError as error:
            # After an attempt in doubt, even a refusal may mean that it took effect late, so look for it.
            if posts == 1 and not error.in_doubt:
                raise
            failure = error
        for seconds in LOOKS:
            await sleep(seconds)
            if (existing := await look(failure)) is not None:
                return existing
        if posts == POSTS or not failure.in_doubt or not may_repeat():
            raise failure
