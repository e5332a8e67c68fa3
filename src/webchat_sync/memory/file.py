"""Ledger and lock in files of one folder, for a machine that keeps them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, InputError, LockedError, MemoryUnavailableError
from webchat_sync.files import writable, write_private
from webchat_sync.frozen import frozen
from webchat_sync.memory.document import (
    INCOMPLETE,
    VERSION,
    DamagedError,
    Document,
    check_version,
    parse_document,
    unreadable,
)
from webchat_sync.memory.file_text import ENTRIES, ORGANIZATIONS, FileText
from webchat_sync.memory.ports import Edit, Holder, Note, Run
from webchat_sync.model import ChannelKey, OrganizationKey, moment_text, read_moment
from webchat_sync.strict_json import load_json, texts
from webchat_sync.tree import escape_named, left_by, read_regular

if TYPE_CHECKING:
    from filelock import BaseFileLock

_IDS: Final = ("base_url", "organization", "channel_id")
_WAY_OUT: Final = (
    "Restore it from a backup. If you have none, move it elsewhere: the channels' current secrets are then "
    "adopted, and none is rotated because of this."
)

_ELSEWHERE: Final = (
    "Check the folder and its permissions, or use --memory to keep the ledger and the lock in a Git repository."
)


@frozen
class _Content:
    """The file's bytes, and what they say."""

    data: bytes
    stored: Mapping[str, Any]
    documents: Mapping[OrganizationKey, Document]


@dataclass(slots=True)
class FileMemory:
    """The memory in the file at ``path``, for any number of organisations. Implements Memory.

    The files that name it are in ``folders``, which no link may leave.
    Rotations are a list of entries, as in all versions; the rest is grouped by organisation.
    """

    path: Path
    folders: tuple[Path, ...] = ()
    _text: FileText = field(default_factory=FileText, init=False, repr=False, compare=False)
    _written: _Content | None = field(default=None, init=False, repr=False, compare=False)

    def read(self) -> Mapping[OrganizationKey, Document]:
        """See :class:`Memory`."""
        return self._content().documents

    def write(
        self, edits: Mapping[OrganizationKey, Edit], note: Note, *, logged: Collection[OrganizationKey] = ()
    ) -> Mapping[OrganizationKey, Document]:
        """See :class:`Memory`. There's no history."""
        content = self._content()
        before = content.documents
        after = {scope: edit(before.get(scope, Document())) for scope, edit in edits.items()}
        if any(document != before.get(scope, Document()) for scope, document in after.items()):
            documents = {**before, **after}
            data = self._text.lay_out(content.stored, documents)
            self._replace(data)
            self._written = _Content(data, content.stored, documents)
        return after

    def flaw(self) -> str:
        """See :class:`Memory`."""
        return writable(self.path.parent)

    def _content(self) -> _Content:
        """What's in the file now. It's only parsed if another process changed it."""
        try:
            if link := escape_named(self.path, self.folders):
                hint = "Use the path of the file itself in `settings.ledger`."
                message = f"the ledger {self.path} isn't used because the link {link} leads outside {left_by(link)}"
                raise InputError([Diagnostic(message, hint=hint)])
            data = read_regular(self.path)
            written = self._written
            return written if written is not None and written.data == data else _parse(data)
        except FileNotFoundError:
            return _Content(b"", {"version": VERSION}, {})
        except OSError as error:
            what = f"can't read the ledger {self.path}: {error.strerror}"
            raise InputError([Diagnostic(what, hint="Check the path and the permissions.")]) from None
        except ValueError as error:
            raise self._unreadable(error) from None

    def _replace(self, data: bytes) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self.path, data)
        except OSError as error:
            what = f"can't write the ledger {self.path}: {error.strerror}"
            raise MemoryUnavailableError(what, hint=_ELSEWHERE) from None

    def _unreadable(self, error: ValueError) -> InputError:
        return unreadable(f"the ledger {self.path}", error, _WAY_OUT)


@lru_cache(maxsize=4)
def _parse(data: bytes) -> _Content:
    """Cached, since a run also reads it to recognise secrets. Raises ValueError, in particular DamagedError."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise DamagedError("it isn't UTF-8") from None
    stored = load_json(text, unique_keys=True)
    if not isinstance(stored, dict):
        raise DamagedError("it isn't a JSON object")
    check_version(stored.get("version"))
    if ENTRIES not in stored:
        raise DamagedError(f"it has no `{ENTRIES}`")
    try:
        parts: dict[OrganizationKey, dict[str, Any]] = {}
        for more in stored.get(ORGANIZATIONS, []):
            parts[OrganizationKey(*texts(more, OrganizationKey._fields))] = {**_without_ids(more), "version": VERSION}
        for entry in stored[ENTRIES]:
            key = ChannelKey(*texts(entry, ChannelKey._fields))
            part = parts.setdefault(key.of_organization, {"version": VERSION})
            part.setdefault("rotations", {})[key.channel_id] = _without_ids(entry)
        return _Content(data, stored, {scope: parse_document(part) for scope, part in parts.items()})
    except (KeyError, TypeError, AttributeError):
        raise DamagedError(INCOMPLETE) from None


def _without_ids(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in _IDS}


@frozen(slots=False)
class FileMemories:
    """The memory in several files; ``paths`` are by organisation. Implements Memory.

    ``folders`` are as for :class:`FileMemory`.
    """

    paths: Mapping[str, Path]
    folders: tuple[Path, ...] = ()

    def read(self) -> Mapping[OrganizationKey, Document]:
        """See :class:`Memory`."""
        return {scope: document for file in self._files.values() for scope, document in file.read().items()}

    def write(
        self, edits: Mapping[OrganizationKey, Edit], note: Note, *, logged: Collection[OrganizationKey] = ()
    ) -> Mapping[OrganizationKey, Document]:
        """See :class:`Memory`. There's no history."""
        after: dict[OrganizationKey, Document] = {}
        for path, file in self._files.items():
            of_file = {scope: edit for scope, edit in edits.items() if self._path(scope) == path}
            if of_file:
                after.update(file.write(of_file, note))
        return after

    def flaw(self) -> str:
        """See :class:`Memory`."""
        return next(filter(None, (file.flaw() for file in self._files.values())), "")

    def _path(self, scope: OrganizationKey) -> Path:
        """The file of the organisation, or else the first one."""
        return self.paths.get(scope.organization) or next(iter(self.paths.values()))

    @cached_property
    def _files(self) -> Mapping[Path, FileMemory]:
        return {path: FileMemory(path, self.folders) for path in dict.fromkeys(self.paths.values())}


@dataclass(slots=True, kw_only=True)
class FileLock:
    """The lock of a folder. Implements Lock. The operating system releases it when its process ends."""

    folder: Path
    run: Run
    environment: Environment
    _lock: BaseFileLock | None = field(default=None, init=False)

    def acquire(self, timeout: float, waiting: Callable[[Holder], object] = lambda _: None) -> Sequence[Holder]:
        """See :class:`Lock`. It's never taken over, since the system releases the locks of dead processes."""
        from filelock import FileLock as SystemLock
        from filelock import Timeout

        began, lock = self.environment.clock(), SystemLock(self.folder / "lock", blocking=False)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            notified = False
            while True:
                with suppress(Timeout):
                    lock.acquire()
                    break
                if self.environment.clock() - began >= timeout:
                    raise self._locked()
                if not notified:
                    waiting(self._read())
                notified = True
                self.environment.pause(0.2)
            holder = {**asdict(Holder(self.run, None)), "since": moment_text(self.environment.now())}
            self._holder_file.write_text(json.dumps(holder), encoding="utf-8")
        except OSError as error:
            lock.release()
            what = f"can't take the lock in {self.folder}: {error.strerror}"
            raise MemoryUnavailableError(what, hint=_ELSEWHERE) from None
        self._lock = lock
        return ()

    def still_held(self) -> bool:
        """See :class:`Lock`."""
        return self._lock is not None

    def renew(self) -> bool:
        """See :class:`Lock`. It needs no renewal."""
        return self.still_held()

    def release(self) -> None:
        """See :class:`Lock`."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def holders(self) -> Sequence[Holder]:
        """See :class:`Lock`."""
        from filelock import FileLock as SystemLock
        from filelock import Timeout

        file = self.folder / "lock"
        try:
            if not os.path.lexists(file):  # otherwise, looking would create it and its folder
                return ()
            with SystemLock(file, blocking=False):
                return ()
        except Timeout:
            return (self._read(),)
        except OSError as error:
            what = f"can't see who holds the lock in {self.folder}: {error.strerror}"
            raise MemoryUnavailableError(what, hint="Check the folder and its permissions.") from None

    def break_open(self, holder: Holder) -> bool:
        """Raises LockedError if a live process holds it, which must be ended first; otherwise does nothing."""
        if self.holders():
            raise LockedError(
                f"the lock of this folder belongs to a process that's still running: {self._read()}",
                hint="Stop that process. It releases the lock when it ends.",
            )
        return False

    @property
    def _holder_file(self) -> Path:
        return self.folder / "lock.holder"

    def _read(self) -> Holder:
        try:
            stored = load_json(self._holder_file.read_bytes(), unique_keys=True)
            return Holder(Run(**stored["run"]), read_moment(stored["since"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Holder(Run("", "an unknown process"), None)

    def _locked(self) -> LockedError:
        return LockedError(
            f"another run is using this folder: {self._read()}", hint="Wait for it to finish, then run again."
        )
