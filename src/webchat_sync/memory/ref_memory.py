"""The memory as commits on a ref of a remote: one file per server and organisation, one commit per write."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote, unquote

from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, InputError, MemoryUnavailableError
from webchat_sync.flat import visible
from webchat_sync.memory.document import Document, parse_document, unreadable
from webchat_sync.memory.lease import RefLock
from webchat_sync.memory.ports import Edit, Note, Record, Refs, Run, Swap
from webchat_sync.model import OrganizationKey
from webchat_sync.strict_json import load_json

TRIES: Final = 200
"""How often a write is attempted if other runs keep writing first.

Runs over other organisations write to the same ref. One of them succeeds each time, so the number of attempts is
limited by the number of runs: 40 at once on a slow machine needed more than 30.
"""

PAUSE: Final = 0.2
"""The longest wait in seconds before the second attempt; doubled before every further one, up to two seconds."""

_SUFFIX: Final = ".json"


@dataclass(slots=True)
class RefMemory:
    """The memory on ``ref``. Implements Memory. Writes need ``lock`` if it's given."""

    refs: Refs
    ref: str
    run: Run
    environment: Environment
    lock: RefLock | None = None
    _tip: str | None = field(default=None, init=False)
    _stored: dict[str, bytes] = field(default_factory=dict, init=False)

    def read(self) -> Mapping[OrganizationKey, Document]:
        """See :class:`Memory`."""
        self._look()
        return {_scope(name): self._document(name) for name in self._stored}

    def write(
        self, edits: Mapping[OrganizationKey, Edit], note: Note, *, logged: Collection[OrganizationKey] = ()
    ) -> Mapping[OrganizationKey, Document]:
        """See :class:`Memory`."""
        if self._tip is None:
            self._look()
        for attempt in range(TRIES):
            changed = {}
            for scope, edit in edits.items():
                before = self._document(_name(scope))
                if (after := edit(before)) != before or scope in logged:
                    changed[scope] = after
            if not changed or self._swapped(changed, note):
                return {scope: self._document(_name(scope)) for scope in edits}
            self.environment.pause(min(PAUSE * 2.0**attempt, 2.0) * (0.5 + self.environment.random() / 2))
            self._look()
        raise MemoryUnavailableError("other runs keep writing to the memory, so this run can't", hint="Run it again.")

    def flaw(self) -> str:
        """Always empty: acquiring the lock shows whether the remote can be written to."""
        return ""

    def history(self) -> Sequence[Record]:
        """All writes, newest first. Commits of others are omitted; raises InputError if the last one isn't ours."""
        self._look()
        records = (_record(at, message) for at, message in self.refs.messages(self.ref))
        return [record for record in records if record.organizations]

    def _look(self) -> None:
        """Read the current state of the ref."""
        tip = self.refs.tips(self.ref).get(self.ref)
        if tip == self._tip:
            return
        try:
            stored = dict(self.refs.files(tip)) if tip else {}
        except ValueError as error:
            why = "it isn't UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            raise self._strange(f": {why}") from None
        # Every write leaves at least one file, so a commit without any isn't ours.
        if tip and not (stored and all(map(_is_ours, stored))):
            raise self._strange()
        self._tip, self._stored = tip, stored

    def _strange(self, why: str = "") -> InputError:
        message = f"{self.ref} contains something other than webchat-sync's memory{why}"
        hint = (
            "If the memory was overwritten, find its last commit on the remote's machine or in a mirror, for example "
            f"with `git fsck --no-reflogs --lost-found`, and run `git push --force REMOTE COMMIT:{self.ref}`. If the "
            "ref belongs to something else, use another one. To start again with an empty memory, run `git push "
            f"REMOTE :{self.ref}`."
        )
        return InputError([Diagnostic(message, hint=hint)])

    def _swapped(self, changed: Mapping[OrganizationKey, Document], note: Note) -> bool:
        """Write ``changed`` to the ref; False if another run wrote first."""
        files = {_name(scope): _text(document) for scope, document in changed.items()}
        commit = self.refs.commit(files, _message(changed, note, self.run), self._tip)
        swap = Swap(self.ref, self._tip, commit)
        if not (self.lock.swap(swap) if self.lock else self.refs.swap(swap)):
            return False
        self._tip = commit
        self._stored |= files
        return True

    def _document(self, name: str) -> Document:
        stored = self._stored.get(name)
        try:
            return Document() if stored is None else parse_document(load_json(stored, unique_keys=True))
        except ValueError as error:
            hint = (
                f"To see what was written, run `git fetch REMOTE {self.ref}` and `git log -p FETCH_HEAD`. To restore "
                f"an earlier commit, run `git push --force REMOTE COMMIT:{self.ref}`."
            )
            raise unreadable(f"the memory on {self.ref}", error, hint) from None


def _text(document: Document) -> bytes:
    return f"{visible(json.dumps(document.as_json(), ensure_ascii=False, indent=2, sort_keys=True))}\n".encode()


def _is_ours(name: str) -> bool:
    """Whether a file can be that of an organisation."""
    return name.endswith(_SUFFIX) and "@" in name and name.isascii()


def _name(scope: OrganizationKey) -> str:
    """The file of the scope: a unique name without a slash."""
    return f"{quote(scope.base_url, safe='')}@{quote(scope.organization, safe='')}{_SUFFIX}"


def _scope(name: str) -> OrganizationKey:
    return OrganizationKey(*map(unquote, name.removesuffix(_SUFFIX).split("@", 1)))


def _message(scopes: Iterable[OrganizationKey], note: Note, run: Run) -> str:
    organizations = dict.fromkeys(scope.organization for scope in scopes)
    values = [
        *(("Organization", organization) for organization in organizations),
        *(("Channel", channel) for channel in note.channels),
        *(("Run", run.url), ("Manifests", run.commit), ("Host", run.host), ("Run-Id", run.id)),
    ]
    trailers = "".join(f"{name}: {_line(value)}\n" for name, value in values if value)
    return f"{_line(note.what)}\n\n{trailers}"


def _line(text: str) -> str:
    """The text in one line, so that a channel's name can't look like a trailer."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _record(at: datetime, message: str) -> Record:
    what, _, rest = message.partition("\n")
    trailers: dict[str, list[str]] = {}
    for line in rest.splitlines():
        name, _, value = line.partition(": ")
        trailers.setdefault(name, []).append(value)
    run_id, host, url, commit = (trailers.get(name, [""])[0] for name in ("Run-Id", "Host", "Run", "Manifests"))
    run = Run(run_id, host, url, commit)
    return Record(at, tuple(trailers.get("Organization", ())), Note(what, tuple(trailers.get("Channel", ()))), run)
