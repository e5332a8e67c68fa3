"""What commands need from outside, passed in so that tests can replace it."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from typing import TextIO, TypeVar

from webchat_sync.environment import Environment
from webchat_sync.frozen import frozen

T = TypeVar("T")


def wait_for(make: Callable[[], Awaitable[T]]) -> T:
    """The result of ``make``.

    It doesn't become the result of asyncio's task, whose repr asyncio creates at the end: for a plan, that takes
    minutes. Raises KeyboardInterrupt for a signal that nothing handles, whatever asyncio makes of it.
    """
    import anyio

    made: list[T] = []

    async def keep() -> None:
        made.append(await make())

    try:
        anyio.run(keep)
    except RuntimeError as error:
        # asyncio loses count if a signal arrives after the last step and tasks are left (Runner.close).
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise
    return made[0]


def _is_terminal(stream: TextIO | None) -> bool:
    """Whether it's a terminal; a stream that was closed at the start is None."""
    return stream is not None and stream.isatty()


def _columns() -> int:
    from shutil import get_terminal_size

    return get_terminal_size().columns


@frozen
class Runtime(Environment):
    """The outside world of one command: the environment, the terminal, and what the operator allows.

    ``interactive``: someone can answer questions. ``animated``: stderr is a terminal that can show a progress bar.
    ``colorful``: stdout is a terminal with colours. ``columns`` is its width. ``verbose``, ``quiet`` and ``no_color``
    are the options with those names. ``allowed_env`` are names or globs of variables that --allow-env lets manifests
    read; ``allowed_paths`` are globs of paths outside the repository that --allow-path lets secrets and ledgers use in
    CI.
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
        """The real world."""
        return Runtime(
            environ=os.environ,
            interactive=_is_terminal(sys.stdin),
            animated=_is_terminal(sys.stderr),
            colorful=_is_terminal(sys.stdout),
            columns=_columns() if _is_terminal(sys.stdout) else 80,
        )
