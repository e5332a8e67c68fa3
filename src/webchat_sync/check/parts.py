"""What documents declare, with places, as the rules need it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Protocol

from webchat_sync.errors import Diagnostic, Path, Place, Step
from webchat_sync.frozen import frozen
from webchat_sync.model import Declaration, GitMemory, Json, Prune


class Located(Protocol):
    """A plain value that knows its places, in one file or in several."""

    @property
    def value(self) -> Json:
        """The whole value."""
        ...

    def place(self, path: Iterable[Step] = (), *, key: bool = False) -> Place:
        """The place of the value at ``path``, or of its key."""
        ...

    def written(self, path: Iterable[Step]) -> str:
        """The rest of the line from the start of the value at ``path``."""
        ...

    def steps(self, path: Path) -> Path:
        """The path to the value at ``path`` in its own file."""
        ...


@frozen
class Draft:
    """A declaration with its document, before it's checked against all the others."""

    declaration: Declaration
    document: Located
    path: Path

    def place(self, *steps: Step) -> Place:
        """The place of the value at ``steps`` inside the channel."""
        return self.document.place((*self.path, *steps))

    def problem(self, code: str, message: str, *steps: Step, hint: str) -> Diagnostic:
        """A problem with the value at ``steps`` inside the channel."""
        path = (*self.path, *steps)
        return Diagnostic(message, self.document.place(path), self.document.steps(path), hint, code=code)


@frozen
class Part:
    """What one document says about one organisation; None means that it doesn't say.

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
