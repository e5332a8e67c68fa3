"""What documents declare, beside the places of it: what the rules look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from webchat_sync.errors import Place, Problem
from webchat_sync.model import Declaration, Json
from webchat_sync.yaml12.document import Path, Step


class Located(Protocol):
    """A value made of plain values that knows where each of them stands, in one file or in several."""

    @property
    def value(self) -> Json:
        """The whole value."""
        ...

    def place(self, path: Iterable[Step] = (), *, key: bool = False) -> Place:
        """Where the value at ``path``, or its key, stands."""
        ...

    def written(self, path: Iterable[Step]) -> str:
        """What the line of the value at ``path`` says from the value on."""
        ...

    def dotted(self, path: Path) -> str:
        """``path`` as text, as it is in the file that the value comes from."""
        ...


@dataclass(frozen=True, slots=True)
class Draft:
    """A declaration and where it stands, before it is known whether it gets along with all the others."""

    declaration: Declaration
    document: Located
    path: Path

    def place(self, *steps: Step) -> Place:
        """Where the value at ``steps`` inside the channel stands."""
        return self.document.place((*self.path, *steps))

    def problem(self, code: str, message: str, *steps: Step, hint: str) -> Problem:
        """A problem with the value at ``steps`` inside the channel."""
        path = (*self.path, *steps)
        return Problem(message, self.document.place(path), self.document.dotted(path), hint, code=code)


@dataclass(frozen=True, slots=True)
class Part:
    """What one document says about one organisation; None is for what it does not say."""

    document: Located
    organization: str | None = None
    prune: bool | None = None
    api_key_env: str | None = None
    drafts: tuple[Draft, ...] = ()
    ledger: str | None = None
