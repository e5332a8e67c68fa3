"""Which failed attempts are repeated, when, and how often."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from webchat_sync.errors import ApiError

ATTEMPTS: Final = 5
FIRST_BACKOFF: Final = 0.5
"""Seconds: the longest wait after the first attempt; it doubles with each further one."""
LONGEST_WAIT: Final = 60.0
"""Seconds: a server that asks for more is not waited for."""

T = TypeVar("T")


class AttemptError(Exception):
    """One attempt failed with ``error``.

    ``transient``: another attempt may go better. ``retry_after``: the seconds that the server asks to wait.
    """

    def __init__(self, error: ApiError, *, transient: bool, retry_after: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.transient = transient
        self.retry_after = retry_after


async def repeat(
    attempt: Callable[[], Awaitable[T]],
    *,
    attempts: int,
    sleep: Callable[[float], Awaitable[None]],
    random: Callable[[], float],
) -> T:
    """The result of the first attempt that succeeds, out of at most ``attempts``.

    Between two of them it waits as long as the server asks, or else a random part of a doubling span ("full
    jitter"). Raises the ApiError of the last attempt, which then says how many there were. A failure that is not
    transient, and a server that asks for more than LONGEST_WAIT, end it at once.
    """

    def wait(state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        asked = failure.retry_after if isinstance(failure, AttemptError) else None
        return max(asked or 0.0, random() * FIRST_BACKOFF * 2.0 ** (state.attempt_number - 1))

    retrying = AsyncRetrying(
        retry=retry_if_exception(_worth_another),
        wait=wait,
        stop=stop_after_attempt(attempts),
        sleep=sleep,
        reraise=True,
    )
    try:
        result: T = await retrying(attempt)
    except AttemptError as failure:
        # The failure's own text may repeat what the server sent, secrets included: it stays out of tracebacks.
        raise _counted(failure.error, retrying.statistics["attempt_number"]) from None
    return result


def retry_after_seconds(header: str | None, *, now: datetime) -> float | None:
    """The wait that a ``Retry-After`` header asks for, given as seconds or as an HTTP date; None if it is neither."""
    if header is None:
        return None
    if re.fullmatch(r"[0-9]+", header.strip()):
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def _worth_another(error: BaseException) -> bool:
    return isinstance(error, AttemptError) and error.transient and (error.retry_after or 0.0) <= LONGEST_WAIT


def _counted(error: ApiError, attempts: int) -> ApiError:
    if attempts == 1:
        return error
    return type(error)(
        f"{error.reason} ({attempts} attempts)",
        method=error.method,
        path=error.path,
        status=error.status,
        messages=error.messages,
        request_id=error.request_id,
        in_doubt=error.in_doubt,
        hint=error.hint,
    )
