"""Ledger and lock in files of one folder: for one machine that keeps them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from webchat_sync.errors import Diagnostic, InputError, LockedError, MemoryUnavailableError
from webchat_sync.files import write_private
from webchat_sync.flat import visible
from webchat_sync.memory.document import DamagedError, Document, check_version, parse_document
from webchat_sync.memory.ports import Edit, Holder, Note, Run, Scope
from webchat_sync.strict_json import load_json

if TYPE_CHECKING:
    from filelock import BaseFileLock

_ENTRIES, _MORE = "entries", "organizations"
_IDS: Final = ("base_url", "organization", "channel_id")
_WAY_OUT: Final = (
    "Restore it from a copy. Without one, move it away: the channels' secrets are then adopted as they are, and none "
    "is rotated for that."
)


@dataclass(frozen=True, slots=True)
class FileMemory:
    """What the file at ``path`` remembers, of any number of organisations, as the Protocol Memory.

    The rotations are a list of entries, as all versions have them; the rest is below the organisation that it is of.
    """

    path: Path

    def read(self, scope: Scope) -> Document:
        """As the Protocol says."""
        return self._document(self._stored(), scope)

    def write(self, scope: Scope, edit: Edit, note: Note) -> Document:
        """As the Protocol says."""
        stored = self._stored()
        before = self._document(stored, scope)
        after = edit(before)
        if after != before:
            self._replace(_with(stored, scope, after.as_json()))
        return after

    def _stored(self) -> dict[str, Any]:
        try:
            stored = load_json(self.path.read_text(encoding="utf-8"), unique_keys=True)
        except FileNotFoundError:
            return {"version": 1}
        except OSError as error:
            raise MemoryUnavailableError(f"the ledger {self.path} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise self._damaged(str(error)) from None
        if not isinstance(stored, dict):
            raise self._damaged("it is no JSON object")
        return stored

    def _document(self, stored: Mapping[str, Any], scope: Scope) -> Document:
        try:
            check_version(stored.get("version"))
            rotations = {entry["channel_id"]: _without_ids(entry) for entry in _of(stored, _ENTRIES, scope)}
            more = next(iter(_of(stored, _MORE, scope)), {})
            return parse_document({"version": 1, **_without_ids(more), "rotations": rotations})
        except DamagedError as error:
            raise self._damaged(str(error)) from None
        except (KeyError, TypeError, AttributeError) as error:
            raise self._damaged(f"an entry is not whole ({type(error).__name__})") from None

    def _replace(self, stored: Mapping[str, Any]) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self.path, visible(json.dumps(stored, ensure_ascii=False, indent=2)) + "\n")
        except OSError as error:
            raise MemoryUnavailableError(f"the ledger {self.path} cannot be written: {error.strerror}") from None

    def _damaged(self, why: str) -> InputError:
        return InputError([Diagnostic(f"the ledger {self.path} is damaged: {why}", hint=_WAY_OUT)])


def _of(stored: Mapping[str, Any], name: str, scope: Scope) -> list[dict[str, Any]]:
    return [entry for entry in stored.get(name, []) if (entry["base_url"], entry["organization"]) == scope]


def _without_ids(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in _IDS}


def _with(stored: Mapping[str, Any], scope: Scope, document: Mapping[str, Any]) -> dict[str, Any]:
    """The file's content with ``document`` for the scope, and all else as it is."""

    def others(name: str) -> list[dict[str, Any]]:
        return [entry for entry in stored.get(name, []) if (entry["base_url"], entry["organization"]) != scope]

    rotations = document.get("rotations", {})
    entries = [{**scope._asdict(), "channel_id": channel_id, **entry} for channel_id, entry in rotations.items()]
    more = {name: value for name, value in document.items() if name not in {"version", "rotations"}}
    organizations = [*others(_MORE), *([{**scope._asdict(), **more}] if more else [])]
    ordered = sorted([*others(_ENTRIES), *entries], key=lambda entry: [str(entry[name]) for name in _IDS])
    return {**stored, _ENTRIES: ordered, **({_MORE: organizations} if organizations else {})}


@dataclass(slots=True, kw_only=True)
class FileLock:
    """The lock of a folder, as the Protocol Lock. The operating system frees it when its process dies."""

    folder: Path
    run: Run
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _lock: BaseFileLock | None = field(default=None, init=False)

    def acquire(self, timeout: float) -> Holder | None:
        """As the Protocol says; nobody has to be waited for who is dead."""
        from filelock import FileLock as SystemLock
        from filelock import Timeout

        began, lock = self.clock(), SystemLock(self.folder / "lock", blocking=False)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            while True:
                with suppress(Timeout):
                    lock.acquire()
                    break
                if self.clock() - began >= timeout:
                    raise self._locked()
                self.sleep(0.2)
            holder = Holder(self.run, self.now().isoformat(timespec="seconds"))
            self._told.write_text(json.dumps(asdict(holder)), encoding="utf-8")
        except OSError as error:
            lock.release()
            raise MemoryUnavailableError(f"the lock in {self.folder} cannot be taken: {error.strerror}") from None
        self._lock = lock
        return None

    def still_held(self) -> bool:
        """As the Protocol says."""
        return self._lock is not None

    def renew(self) -> bool:
        """As the Protocol says; it needs no renewal."""
        return self.still_held()

    def release(self) -> None:
        """As the Protocol says."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def holder(self) -> Holder | None:
        """As the Protocol says."""
        from filelock import FileLock as SystemLock
        from filelock import Timeout

        try:
            with SystemLock(self.folder / "lock", blocking=False):
                return None
        except Timeout:
            return self._read()
        except OSError:
            return None

    def break_open(self) -> Holder | None:
        """Raises LockedError when a living process holds it: it has to be ended; else there is nothing to do."""
        if self.holder() is not None:
            raise self._locked()
        return None

    @property
    def _told(self) -> Path:
        return self.folder / "lock.holder"

    def _read(self) -> Holder:
        try:
            stored = load_json(self._told.read_bytes(), unique_keys=True)
            return Holder(Run(**stored["run"]), str(stored["since"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Holder(Run("", "another process"), "an unknown time")

    def _locked(self) -> LockedError:
        return LockedError(
            f"another apply runs in this folder: {self._read()}", hint="Wait for it to end, then run again."
        )
