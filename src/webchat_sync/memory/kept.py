"""The ledger as commits on a ref of a remote: a document per server and organisation, a commit per write."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote

from webchat_sync.errors import Diagnostic, InputError, MemoryUnavailableError
from webchat_sync.flat import visible
from webchat_sync.memory.document import Document, parse_document
from webchat_sync.memory.lease import RefLock
from webchat_sync.memory.ports import Edit, Note, Record, Refs, Run, Scope, Swap
from webchat_sync.strict_json import load_json

TRIES: Final = 10
"""How often a write is tried that others get ahead of."""

PAUSE: Final = 0.2
"""Seconds before the second try, at most; twice as many before every further one, up to two."""

_SUFFIX: Final = ".json"
_TRAILERS: Final = ("Organization", "Channel", "Run", "Manifests", "Host")


@dataclass(slots=True)
class RefMemory:
    """What ``ref`` remembers, as the Protocol Memory; writes need ``lock`` where one is given.

    ``sleep`` takes seconds; ``random`` gives numbers from 0 to 1.
    """

    refs: Refs
    ref: str
    run: Run
    sleep: Callable[[float], None]
    random: Callable[[], float]
    lock: RefLock | None = None
    _tip: str | None = field(default=None, init=False)

    def read(self, scope: Scope) -> Document:
        """As the Protocol says."""
        self._tip = self.refs.tips(self.ref).get(self.ref)
        return self._document(self._files(), scope)

    def write(self, scope: Scope, edit: Edit, note: Note) -> Document:
        """As the Protocol says."""
        if self._tip is None:
            self._tip = self.refs.tips(self.ref).get(self.ref)
        for attempt in range(TRIES):
            files = self._files()
            before = self._document(files, scope)
            after = edit(before)
            if after == before:
                return after
            stored = visible(json.dumps(after.as_json(), ensure_ascii=False, indent=2, sort_keys=True)) + "\n"
            changed = {**files, _name(scope): stored.encode()}
            commit = self.refs.commit(changed, _message(scope, note, self.run), self._tip)
            swap = Swap(self.ref, self._tip, commit)
            if self.lock.swap(swap) if self.lock else self.refs.swap(swap):
                self._tip = commit
                return after
            self.sleep(min(PAUSE * 2.0**attempt, 2.0) * (0.5 + self.random() / 2))
            self._tip = self.refs.tips(self.ref).get(self.ref)
        raise MemoryUnavailableError(
            "others write to the memory all the time, and this run could not", hint="Run it again."
        )

    def history(self) -> Sequence[Record]:
        """All writes, the newest first."""
        return [_record(at, message) for at, message in self.refs.messages(self.ref)]

    def _files(self) -> dict[str, bytes]:
        files = dict(self.refs.files(self._tip)) if self._tip else {}
        if self._tip and not all(name.endswith(_SUFFIX) for name in files):
            raise InputError([Diagnostic(f"{self.ref} holds something else than a memory", hint="Name another ref.")])
        return files

    def _document(self, files: dict[str, bytes], scope: Scope) -> Document:
        stored = files.get(_name(scope))
        try:
            return Document() if stored is None else parse_document(load_json(stored, unique_keys=True))
        except ValueError as error:
            why = str(error)
        hint = f"`git log {self.ref}`, after fetching it, shows what was written; push an earlier commit to it."
        raise InputError([Diagnostic(f"the memory on {self.ref} is damaged: {why}", hint=hint)])


def _name(scope: Scope) -> str:
    """The file of the scope: a name without a slash, which stands for one scope only."""
    return f"{quote(scope.base_url, safe='')}@{quote(scope.organization, safe='')}{_SUFFIX}"


def _message(scope: Scope, note: Note, run: Run) -> str:
    values = (scope.organization, note.channel, run.url, run.commit, run.host)
    trailers = "".join(f"{name}: {_line(value)}\n" for name, value in zip(_TRAILERS, values, strict=True) if value)
    return f"{_line(note.what)}\n\n{trailers}Run-Id: {_line(run.id)}\n"


def _line(text: str) -> str:
    """The text in one line: a channel's name must not pass for a trailer."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _record(at: datetime, message: str) -> Record:
    what, _, rest = message.partition("\n")
    said = dict(line.split(": ", 1) for line in rest.splitlines() if ": " in line)
    run = Run(said.get("Run-Id", ""), said.get("Host", ""), said.get("Run", ""), said.get("Manifests", ""))
    return Record(at, said.get("Organization", ""), Note(what, said.get("Channel", "")), run)
