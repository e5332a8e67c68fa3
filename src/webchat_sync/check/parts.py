"""What documents declare, beside the places of it: what the rules look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from webchat_sync.errors import Diagnostic, Path, Place, Step
from webchat_sync.model import Declaration, GitMemory, Json, Prune


class Located(Protocol):
    """A value made of plain values that knows where they stand, in one file or in several."""

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

    def steps(self, path: Path) -> Path:
        """The way to the value at ``path`` in the file that it comes from."""
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

    def problem(self, code: str, message: str, *steps: Step, hint: str) -> Diagnostic:
        """A problem with the value at ``steps`` inside the channel."""
        path = (*self.path, *steps)
        return Diagnostic(message, self.document.place(path), self.document.steps(path), hint, code=code)


@dataclass(frozen=True, slots=True)
class Part:
    """What one document says about one organisation; None is for what it does not say.

    ``policies`` are the files of rules that it names, with the steps to the name.
    """

    document: Located
    organization: str | None = None
    prune: Prune | None = None
    learn: bool | None = None
    api_key_env: str | None = None
    drafts: tuple[Draft, ...] = ()
    ledger: str | None = None
    memory: GitMemory | None = None
    field_entries: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    policies: tuple[tuple[Path, str], ...] = ()
