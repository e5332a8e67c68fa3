"""The two sides of the memory, ledger and lock, and the refs of a remote that one way of keeping it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias

from webchat_sync.memory.document import Document

Edit: TypeAlias = Callable[[Document], Document]
"""A change of what is remembered of an organisation. It is made again when another run has written in between."""


class Scope(NamedTuple):
    """Whose memory: that of one organisation of one server."""

    base_url: str
    organization: str


@dataclass(frozen=True, slots=True)
class Run:
    """The run that writes. ``id`` is its own and no other's; ``url`` and ``commit``, of the manifests, may be empty."""

    id: str
    host: str
    url: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What a write is about, for the history: in words, and the names of the channels."""

    what: str
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One write, as the history tells of it."""

    at: datetime
    organizations: tuple[str, ...]
    note: Note
    run: Run


class Memory(Protocol):
    """Remembers from run to run. Every method raises MemoryUnavailableError, and InputError for a damaged memory."""

    def read(self) -> Mapping[Scope, Document]:
        """All that is remembered now."""
        ...

    def write(self, edits: Mapping[Scope, Edit], note: Note) -> Mapping[Scope, Document]:
        """Make ``edits`` of what is remembered by then, and return what is remembered of these then.

        When this returns, it outlives this machine or process. Raises LockLostError when this run does not hold the
        lock any more; nothing is written then.
        """
        ...

    def flaw(self) -> str:
        """Why it could not be written to, as far as that shows without writing; empty for nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock. ``since`` is the time there, ISO 8601; ``lease`` is in seconds, 0 where none runs.

    ``organizations`` are those that it is about, as far as they are known.
    """

    run: Run
    since: str
    lease: float = 0.0
    organizations: tuple[str, ...] = ()

    def __str__(self) -> str:
        who = f"{self.run.url} on {self.run.host}" if self.run.url else self.run.host
        return f"{who}, since {self.since}"


class Lock(Protocol):
    """Keeps runs over the same organisations apart: whoever holds it is the only one that may write about them.

    That goes for the memory and for the API.
    """

    def acquire(self, timeout: float, waiting: Callable[[Holder], object] = lambda _: None) -> Sequence[Holder]:
        """Take the lock, waiting for it ``timeout`` seconds at most; returns from whom it was taken over, if anybody.

        ``waiting`` is told once whom it waits for. Raises LockedError when another run has it, and
        MemoryUnavailableError.
        """
        ...

    def still_held(self) -> bool:
        """Whether this run may write: to be asked before everything that writes."""
        ...

    def renew(self) -> bool:
        """Prolong the lease, and return whether the lock is still held. Never raises for a remote that is away."""
        ...

    def release(self) -> None:
        """Give it back. Raises nothing: where that fails, the lease runs out."""
        ...

    def holders(self) -> Sequence[Holder]:
        """Who holds it now, or a part of it, whoever that is. Raises MemoryUnavailableError."""
        ...

    def break_open(self, holder: Holder) -> bool:
        """Take from that one what it holds of the lock; returns whether it held any. Raises MemoryUnavailableError."""
        ...


class Swap(NamedTuple):
    """A ref is to become ``new`` if it is ``old``; None stands for a ref that is not there."""

    ref: str
    old: str | None
    new: str | None


class Refs(Protocol):
    """The refs of a remote, and its commits: files without folders. Every method raises MemoryUnavailableError."""

    def tips(self, *refs: str) -> Mapping[str, str]:
        """The ids of the commits that these refs are at now; a ref that is not there is left out."""
        ...

    def files(self, commit: str) -> Mapping[str, bytes]:
        """The files of a commit that :meth:`tips` or :meth:`commit` returned, by their names."""
        ...

    def commit(self, files: Mapping[str, bytes], message: str, parent: str | None) -> str:
        """Make a commit, which is nowhere but here until a ref is swapped for it, and return its id.

        It has the files of ``parent``, and ``files`` instead of those or beside them.
        """
        ...

    def swap(self, *swaps: Swap) -> bool:
        """Swap all of these or none; returns whether it was done, also when the remote's answer was lost."""
        ...

    def messages(self, ref: str) -> Sequence[tuple[datetime, str]]:
        """When every commit of the ref was made, and its message; the newest first."""
        ...
