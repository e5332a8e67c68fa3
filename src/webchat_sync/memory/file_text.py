"""The text of the file that keeps the memory: indented JSON, of which only what changed is written anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from webchat_sync.flat import json_text
from webchat_sync.memory.document import Document, Section
from webchat_sync.model import OrganizationKey

ENTRIES: Final = "entries"
ORGANIZATIONS: Final = "organizations"

_ROTATIONS: Final = "rotations"
_DEPTH: Final = "\n    "
_BETWEEN: Final = f",{_DEPTH}".encode()


@dataclass(slots=True)
class FileText:
    """Lays documents out as a file, and keeps the text of every part, since there can be thousands of them."""

    _entries: dict[OrganizationKey, tuple[Section, Mapping[str, bytes]]] = field(default_factory=dict)
    _rest: dict[OrganizationKey, tuple[Document, bytes]] = field(default_factory=dict)

    def lay_out(self, stored: Mapping[str, Any], documents: Mapping[OrganizationKey, Document]) -> bytes:
        """The file for ``documents``: rotations as a list of entries, and the rest by organisation.

        The keys of ``stored`` that aren't about them are kept.
        """
        lists = {ENTRIES: _list(self._entries_of(documents)), ORGANIZATIONS: _list(self._rests_of(documents))}
        if lists[ORGANIZATIONS] == b"[]":
            del lists[ORGANIZATIONS]
        kept = {name: value for name, value in stored.items() if name not in (ENTRIES, ORGANIZATIONS)}
        parts = {**{name: _text(value, "\n  ") for name, value in kept.items()}, **lists}
        return b"{%s\n}\n" % b",".join(b"\n  %s: %s" % (_text(name, ""), text) for name, text in parts.items())

    def _entries_of(self, documents: Mapping[OrganizationKey, Document]) -> Iterator[bytes]:
        for scope, document in sorted(documents.items(), key=_by_scope):
            entries = document.sections.get(_ROTATIONS, {})
            before, known = self._entries.get(scope, ({}, {}))
            texts = {
                channel: known[channel]
                if channel in before and before[channel] is entry
                else _text({**scope._asdict(), "channel_id": channel, **entry}, _DEPTH)
                for channel, entry in entries.items()
            }
            self._entries[scope] = entries, texts
            if texts:
                yield _BETWEEN.join([texts[channel] for channel in sorted(texts)])

    def _rests_of(self, documents: Mapping[OrganizationKey, Document]) -> Iterator[bytes]:
        for scope, document in sorted(documents.items(), key=_by_scope):
            known = self._rest.get(scope)
            if known is None or not _same_rest(known[0], document):
                rest = {
                    name: value for name, value in document.as_json().items() if name not in ("version", _ROTATIONS)
                }
                known = self._rest[scope] = document, _text({**scope._asdict(), **rest}, _DEPTH) if rest else b""
            if known[1]:
                yield known[1]


def _by_scope(item: tuple[OrganizationKey, Document]) -> OrganizationKey:
    return item[0]


def _same_rest(one: Document, other: Document) -> bool:
    """Whether everything but the rotations is the same object in both."""
    names = (one.sections.keys() | other.sections.keys()) - {_ROTATIONS}
    same = all(one.sections.get(name) is other.sections.get(name) for name in names)
    return same and one.unknown is other.unknown


def _list(texts: Iterable[bytes]) -> bytes:
    inside = _BETWEEN.join(texts)
    return b"[%s%s\n  ]" % (_DEPTH.encode(), inside) if inside else b"[]"


def _text(value: object, depth: str) -> bytes:
    """``value`` as JSON, with ``depth`` before each of its further lines."""
    return json_text(value).replace("\n", depth or "\n").encode()
