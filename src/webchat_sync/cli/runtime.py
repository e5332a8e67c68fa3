"""What the commands need from the world: handed in, so that a test can hand in another."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO, TypeVar

if TYPE_CHECKING:
    import httpx


T = TypeVar("T")


def wait_for(make: Callable[[], Awaitable[T]]) -> T:
    """What ``make`` comes to.

    It is not the result of asyncio's task: at its end asyncio writes that out in full, which takes minutes for a plan.
    """
    import anyio

    made: list[T] = []

    async def keep() -> None:
        made.append(await make())

    anyio.run(keep)
    return made[0]


async def _sleep(seconds: float) -> None:
    from anyio import sleep

    await sleep(seconds)


def _random() -> float:
    from random import random

    return random()  # noqa: S311 - spreads retries; no secret comes of it


def _new_id() -> str:
    from uuid import uuid4

    return str(uuid4())


def _is_terminal(stream: TextIO | None) -> bool:
    """Whether it is one; a stream that was closed at the start is None."""
    return stream is not None and stream.isatty()


def _columns() -> int:
    from shutil import get_terminal_size

    return get_terminal_size().columns


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Runtime:
    """The environment, time, sleep, chance and network of one run; ``clock`` gives seconds that never go back.

    ``interactive`` says whether somebody can answer questions, ``animated`` whether stderr is a terminal that
    can show a progress bar, ``colorful`` whether stdout is a terminal that shows colours, and ``columns`` how wide
    that is. ``allowed_env`` names, globs among them, are variables
    that manifests may read by --allow-env. ``allowed_paths`` are globs of
    paths outside of the tree that secrets and ledgers may lie at in CI, by --allow-path.
    """

    environ: Mapping[str, str] = field(repr=False)
    now: Callable[[], datetime] = _now
    sleep: Callable[[float], Awaitable[None]] = _sleep
    random: Callable[[], float] = _random
    clock: Callable[[], float] = time.monotonic
    new_id: Callable[[], str] = _new_id
    transport: httpx.AsyncBaseTransport | None = None
    interactive: bool = False
    animated: bool = False
    colorful: bool = False
    columns: int = 80
    allowed_env: tuple[str, ...] = ()
    allowed_paths: tuple[str, ...] = ()

    @staticmethod
    def real() -> Runtime:
        """The world as it is."""
        return Runtime(
            environ=os.environ,
            interactive=_is_terminal(sys.stdin),
            animated=_is_terminal(sys.stderr),
            colorful=_is_terminal(sys.stdout),
            columns=_columns() if _is_terminal(sys.stdout) else 80,
        )
