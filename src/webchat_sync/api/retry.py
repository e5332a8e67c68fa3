"""Which failed attempts are repeated, when, and how often."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from webchat_sync.environment import NEVER, Ending, Environment
from webchat_sync.errors import ApiError, LockLostError, NotSentError

ATTEMPTS: Final = 5
FIRST_BACKOFF: Final = 0.5
"""Seconds: the longest wait after the first attempt; it doubles with every further one."""
LONGEST_WAIT: Final = 60.0
"""Seconds: if a server asks for more, the call isn't repeated."""
LONGEST_ASKED: Final = 366 * 86_400.0
"""Seconds: a server's request for more than a year is treated as a year."""
BUDGET: Final = 180.0
"""Seconds after the first attempt of a call in which further ones may start."""

NOT_HELD: Final = "this run no longer holds the lock, so it writes nothing more"

T = TypeVar("T")


async def repeat(
    attempt: Callable[[int], Awaitable[T]],
    *,
    repeatable: bool,
    environment: Environment,
    permitted: Callable[[], bool] = lambda: True,
    ending: Ending = NEVER,
) -> T:
    """The result of the first successful attempt; attempts receive their number, from 1.

    A transient failure is followed by another attempt, up to ATTEMPTS in total and within BUDGET; if the call isn't
    ``repeatable``, only if the failed one can't have had an effect. The wait is what the server asks for, or a random
    part of a doubling span ("full jitter"). Raises the ApiError of the last attempt, with the number of attempts, and
    in doubt if any of them was. No attempt starts unless it's ``permitted``: LockLostError if that was the first one.
    No further one starts once the ``ending`` is requested.
    """
    began = environment.clock()
    number, in_doubt, doubt_hint = 0, False, ""
    failure: ApiError | None = None
    while True:
        if not permitted():
            raise failure or LockLostError(NOT_HELD, hint="Run it again.")
        number += 1
        try:
            return await attempt(number)
        except NotSentError as error:
            raise failure or error.counted(0, in_doubt=False, hint=error.hint) from None
        except ApiError as error:
            if error.in_doubt:
                in_doubt, doubt_hint = True, error.hint
            failure = error.counted(number, in_doubt=in_doubt, hint=doubt_hint if in_doubt else error.hint)
        # Raised outside the handler, without its context: httpx and the JSON parser may quote secrets in the response.
        if number >= ATTEMPTS or not permitted() or not _worth_another(failure, repeatable=repeatable):
            raise failure
        wait = max(failure.retry_after or 0.0, environment.random() * FIRST_BACKOFF * 2.0 ** (number - 1))
        if environment.clock() - began + wait > BUDGET:
            raise failure
        await ending.wait(wait, environment.sleep)
        if ending.requested:
            raise failure


def _worth_another(error: ApiError, *, repeatable: bool) -> bool:
    if not error.transient or (error.retry_after or 0.0) > LONGEST_WAIT:
        return False
    return repeatable or not error.in_doubt


def retry_after_seconds(header: str | None, *, now: datetime) -> float | None:
    """The wait that a ``Retry-After`` header requests, in seconds or as an HTTP date; None if it's neither."""
    if header is None:
        return None
    if re.fullmatch(r"[0-9]+", header.strip()):
        return min(float(header), LONGEST_ASKED)
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())
