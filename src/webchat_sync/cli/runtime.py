"""What the commands need from the world: handed in, so that a test can hand in another."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TextIO, TypeVar

from webchat_sync.environment import Environment

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


def _is_terminal(stream: TextIO | None) -> bool:
    """Whether it is one; a stream that was closed at the start is None."""
    return stream is not None and stream.isatty()


def _columns() -> int:
    from shutil import get_terminal_size

    return get_terminal_size().columns


@dataclass(frozen=True, slots=True)
class Runtime(Environment):
    """The world of one run of a command: beside what every part needs, the terminal and what the operator allows.

    ``interactive`` says whether somebody can answer questions, ``animated`` whether stderr is a terminal that
    can show a progress bar, ``colorful`` whether stdout is a terminal that shows colours, and ``columns`` how wide
    that is. ``verbose``, ``quiet`` and ``no_color`` are the options of those names. ``allowed_env`` names, globs among
    them, are variables that manifests may read by --allow-env. ``allowed_paths`` are globs of paths outside of the
    tree that secrets and ledgers may lie at in CI, by --allow-path.
    """

    interactive: bool = False
    animated: bool = False
    colorful: bool = False
    columns: int = 80
    verbose: bool = False
    quiet: bool = False
    no_color: bool = False
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
