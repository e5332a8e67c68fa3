"""The protocols of the memory: ledger and lock, and the refs of a remote that one implementation is based on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeAlias

from webchat_sync.frozen import frozen
from webchat_sync.memory.document import Document
from webchat_sync.model import OrganizationKey, moment_text

EXPIRY: Final = 60.0
"""Seconds without a renewal after which other runs take a lease over."""

LONGEST: Final = 3600.0
"""The longest lease in seconds, whatever its holder claims."""

Edit: TypeAlias = Callable[[Document], Document]
"""A change of an organisation's document. It's applied again if another run wrote in between."""


@frozen
class Run:
    """The run that writes. ``id`` is unique; ``url`` and ``commit``, which is that of the manifests, can be empty."""

    id: str
    host: str
    url: str = ""
    commit: str = ""


@frozen
class Note:
    """A description of a write for the history, and the names of the channels that it's about."""

    what: str
    channels: tuple[str, ...] = ()


@frozen
class Record:
    """One write in the history."""

    at: datetime
    organizations: tuple[str, ...]
    note: Note
    run: Run


class Memory(Protocol):
    """Remembers documents between runs. Methods raise MemoryUnavailableError, and InputError if it's damaged."""

    def read(self) -> Mapping[OrganizationKey, Document]:
        """Everything remembered now."""
        ...

    def write(
        self, edits: Mapping[OrganizationKey, Edit], note: Note, *, logged: Collection[OrganizationKey] = ()
    ) -> Mapping[OrganizationKey, Document]:
        """Apply ``edits`` to the current documents, and return the documents that they result in.

        The history gets an entry about those that change, and about the organisations in ``logged`` in any case.
        It's durable on return. Raises LockLostError if this run no longer holds the lock; nothing is written then.
        """
        ...

    def flaw(self) -> str:
        """Why it can't be written, as far as that's known without writing; empty if it can."""
        ...


@frozen
class Holder:
    """The holder of a lock, ``since`` when its own clock says, if that's known; ``lease`` is in seconds, 0 for none.

    ``organizations`` are the ones it locked, as far as they're known.
    """

    run: Run
    since: datetime | None
    lease: float = 0.0
    organizations: tuple[str, ...] = ()

    def __str__(self) -> str:
        who = f"{self.run.url} on {self.run.host}" if self.run.url else self.run.host
        return f"{who} (since {moment_text(self.since) if self.since else 'an unknown time'})"


class Lock(Protocol):
    """Prevents runs over the same organisations from writing at the same time, to the memory or to the API."""

    def acquire(self, timeout: float, waiting: Callable[[Holder], object] = lambda _: None) -> Sequence[Holder]:
        """Acquire the lock, waiting ``timeout`` seconds at most; returns the holders that it was taken over from.

        ``waiting`` is called once with the holder that it waits for. Raises LockedError if another run holds it, and
        MemoryUnavailableError.
        """
        ...

    def still_held(self) -> bool:
        """Whether this run may write; checked before every write."""
        ...

    def renew(self) -> bool:
        """Renew the lease, and return whether the lock is still held. Doesn't raise if the remote is unavailable."""
        ...

    def release(self) -> None:
        """Release it. Raises nothing: if it fails, the lease expires."""
        ...

    def holders(self) -> Sequence[Holder]:
        """The current holders of the lock or parts of it. Raises MemoryUnavailableError."""
        ...

    def break_open(self, holder: Holder) -> bool:
        """Release what ``holder`` holds; returns whether that was anything. Raises MemoryUnavailableError."""
        ...


@frozen
class Swap:
    """Set a ref to ``new`` if it's ``old``; None means that it doesn't exist."""

    ref: str
    old: str | None
    new: str | None


class Refs(Protocol):
    """The refs of a remote, and its commits: files without folders. Methods raise MemoryUnavailableError."""

    def tips(self, *refs: str) -> Mapping[str, str]:
        """The ids of the commits that these refs point to now; missing refs are omitted."""
        ...

    def files(self, commit: str) -> Mapping[str, bytes]:
        """The files of a commit that :meth:`tips` or :meth:`commit` returned, by name."""
        ...

    def commit(self, files: Mapping[str, bytes], message: str, parent: str | None) -> str:
        """Create a commit, which stays local until a ref is swapped to it, and return its id.

        It has the files of ``parent``, added to or replaced by ``files``.
        """
        ...

    def swap(self, *swaps: Swap) -> bool:
        """Swap all of these or none; returns whether it was done, even if the remote's response was lost."""
        ...

    def messages(self, ref: str) -> Sequence[tuple[datetime, str]]:
        """The time and message of every commit of the ref, newest first."""
        ...
