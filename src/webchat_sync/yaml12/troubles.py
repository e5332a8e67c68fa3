"""The problems of one file while it is read, with the path that the reader is at."""

from __future__ import annotations

from typing import Final, NoReturn

from webchat_sync.errors import Diagnostic, Step
from webchat_sync.yaml12.document import Source

MOST_PROBLEMS: Final = 1000
"""After how many problems the rest of a file is not read."""


class RefusedError(Exception):
    """The rest of the file is not read."""


class Troubles:
    """``trail`` is the path to the value that is being read; the reader keeps it."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Diagnostic] = []
        self.trail: list[Step] = []
        self._source = source

    def add(self, code: str, message: str, position: int, hint: str = "") -> None:
        """A problem with the value at ``position``. Raises RefusedError when there are too many."""
        self.add_at(Diagnostic(message, hint=hint, code=code), position)

    def add_at(self, problem: Diagnostic, position: int) -> None:
        """As :meth:`add`, of a problem without a place."""
        if len(self.problems) == MOST_PROBLEMS:
            message = f"stopped reading this file after {MOST_PROBLEMS} problems"
            self.refuse(message, position, "Fix these first.")
        self.problems.append(problem.at(self._source.place(position), tuple(self.trail)))

    def refuse(self, message: str, position: int, hint: str) -> NoReturn:
        """A limit that the file goes beyond at ``position``. Always raises RefusedError."""
        self.problems.append(Diagnostic(message, self._source.place(position), hint=hint, code="limit"))
        raise RefusedError
