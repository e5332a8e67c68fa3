"""A run's memory in one file, and the content of such a file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import anyio

from webchat_sync.frozen import frozen
from webchat_sync.memory.document import Document
from webchat_sync.memory.file import FileMemories
from webchat_sync.memory.opened import OpenMemory
from webchat_sync.memory.ports import Edit, Holder, Note
from webchat_sync.model import ChannelKey, LedgerEntry, OrganizationKey
from webchat_sync.workflow.ownership import Ownership
from webchat_sync.workflow.remembering import RunMemory


class Unwanted:
    """A lock that this run holds and no one else wants."""

    def acquire(self, timeout: float, waiting: Callable[[Holder], object] = lambda _: None) -> Sequence[Holder]:
        return ()

    def still_held(self) -> bool:
        return True

    def renew(self) -> bool:
        return True

    def release(self) -> None:
        pass

    def holders(self) -> Sequence[Holder]:
        return ()

    def break_open(self, holder: Holder) -> bool:
        return False


@frozen(slots=False)
class Watched(FileMemories):
    """Memories in files; something happens during every write."""

    on_write: Callable[[], object] = lambda: None

    def write(
        self, edits: Mapping[OrganizationKey, Edit], note: Note, *, logged: Collection[OrganizationKey] = ()
    ) -> Mapping[OrganizationKey, Document]:
        written = super().write(edits, note, logged=logged)
        self.on_write()
        return written


def book(
    path: Path,
    base_url: str,
    organizations: Iterable[str] = ("acme",),
    *,
    on_write: Callable[[], object] = lambda: None,
) -> RunMemory:
    """The memory in the file at ``path``, read, with a lock that no one else wants."""
    opened = OpenMemory(Watched(dict.fromkeys(organizations, path), on_write=on_write), Unwanted(), 60.0)
    memory = RunMemory(opened, base_url, ownership=Ownership("here"), run="a run")
    memory.read()
    return memory


def documents(path: Path, *folders: Path) -> dict[tuple[str, str], Document]:
    read = FileMemories({"": path}, folders).read()
    return {tuple(scope): document for scope, document in read.items()}  # type: ignore[misc]


def read_ledger(path: Path, *folders: Path) -> dict[ChannelKey, LedgerEntry]:
    return {
        ChannelKey(*scope, channel_id): entry
        for scope, document in documents(path, *folders).items()
        for channel_id, entry in document.rotations.items()
    }


def record(path: Path, key: ChannelKey, entry: LedgerEntry | None) -> None:
    memory = book(path, key.base_url, [key.organization])
    anyio.run(lambda: memory.record(key, entry, name="Support"))
