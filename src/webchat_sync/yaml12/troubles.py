"""Collects the problems of one file while it's read, with the reader's current path."""

from __future__ import annotations

from typing import Final, NoReturn

from webchat_sync.errors import Diagnostic, Step
from webchat_sync.yaml12.document import Source

MOST_PROBLEMS: Final = 1000
"""After this many problems, the rest of a file isn't read."""


class RefusedError(Exception):
    """The rest of the file isn't read."""


class Troubles:
    """``trail`` is the path of the value being read, which the reader updates."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Diagnostic] = []
        self.trail: list[Step] = []
        self._source = source

    def add(self, code: str, message: str, position: int, hint: str = "") -> None:
        """Add a problem with the value at ``position``. Raises RefusedError if there are too many."""
        self.add_at(Diagnostic(message, hint=hint, code=code), position)

    def add_at(self, problem: Diagnostic, position: int) -> None:
        """Like :meth:`add`, with a problem that has no place."""
        if len(self.problems) == MOST_PROBLEMS:
            message = f"stopped reading this file after {MOST_PROBLEMS:,} problems"
            self.refuse(message, position, "Fix these first.")
        self.problems.append(problem.at(self._source.place(position), tuple(self.trail)))

    def refuse(self, message: str, position: int, hint: str) -> NoReturn:
        """Report that the file exceeds a limit at ``position``. Always raises RefusedError."""
        self.problems.append(Diagnostic(message, self._source.place(position), hint=hint, code="limit"))
        raise RefusedError
