"""What the program needs from outside: time, sleep, randomness, network and variables, passed in as one value."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from webchat_sync.frozen import frozen

if TYPE_CHECKING:
    import httpx

API_KEY_VARIABLE: Final = "MOSEND_API_KEY"
"""The environment variable with the API key; the names of further ones begin with it."""

ORGANIZATION_VARIABLE: Final = "MOSEND_ORG_ID"
"""The environment variable with the id of the organisation."""

BASE_URL_VARIABLE: Final = "MOSEND_BASE_URL"
"""The environment variable with the base URL of the API."""

MEMORY_TOKEN_VARIABLE: Final = "WEBCHAT_SYNC_MEMORY_TOKEN"  # noqa: S105 - a variable's name
"""The environment variable with the token for the remote that keeps the memory."""

COMPLETE_VARIABLE: Final = "_WEBCHAT_SYNC_COMPLETE"
"""The environment variable with which a shell asks click for completions, or a user for the script that does so."""

OWN_FOLDER: Final = ".webchat-sync"
"""The program's own folder, in the current directory."""

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
"""Waits for a number of seconds."""


class Ending(Protocol):
    """Whether a run is about to end: then calls that write aren't repeated, and nothing waits to write."""

    requested: bool

    async def wait(self, seconds: float, sleep: Sleep) -> None:
        """Sleep for ``seconds``, or until the end is requested."""


class _Never:
    requested = False

    async def wait(self, seconds: float, sleep: Sleep) -> None:
        await sleep(seconds)


NEVER: Final[Ending] = _Never()
"""Of calls that are carried out in any case."""


async def _sleep(seconds: float) -> None:
    from anyio import sleep

    await sleep(seconds)


def _random() -> float:
    from random import SystemRandom

    return SystemRandom().random()


def _new_id() -> str:
    from uuid import uuid4

    return str(uuid4())


def _now() -> datetime:
    return datetime.now(UTC)


@frozen
class Environment:
    """The outside world of one run.

    ``now`` returns an aware time, ``clock`` monotonic seconds; ``sleep`` takes seconds, and so does ``pause``, which
    blocks its thread; ``random`` returns 0.0 <= x < 1.0, ``new_id`` a unique text. Without a ``transport``, calls use
    the proxies of the process's environment; a given transport is used as it is.
    """

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    now: Callable[[], datetime] = _now
    sleep: Sleep = _sleep
    random: Callable[[], float] = _random
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    new_id: Callable[[], str] = _new_id
    transport: httpx.AsyncBaseTransport | None = None


REAL: Final = Environment()
"""The real world, without environment variables."""
