"""The memory document of one organisation on one server; it contains no secrets.

New versions only add keys. Keys that this version doesn't know are preserved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any, Final, Protocol, TypeAlias

from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import Json, show
from webchat_sync.model import DoubtfulCreate, KnownChannel, LedgerEntry

VERSION: Final = 1
INCOMPLETE: Final = "an entry is incomplete, or one of its values has the wrong type"

_UPDATE: Final = "A newer version of webchat-sync wrote it. Use that version, or a newer one, in every pipeline."

Section: TypeAlias = Mapping[str, Mapping[str, Any]]

_ROTATIONS, _CREATES, _CHANNELS = "rotations", "creates", "channels"
_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], object]]] = {
    _ROTATIONS: LedgerEntry.from_json,
    _CREATES: DoubtfulCreate.from_json,
    _CHANNELS: KnownChannel.from_json,
}
"""How the entries of each section are read; a document's cached property has the name of its section."""


class _Entry(Protocol):
    """An entry for a channel or a create."""

    def as_json(self) -> Mapping[str, Any]:
        """The entry as stored."""
        ...


class DamagedError(ValueError):
    """The document is damaged; the message is the reason, to follow ``it is damaged:``."""


class NewerError(DamagedError):
    """A newer version of the program wrote the document, and only that one can read it."""


def unreadable(subject: str, error: ValueError, way_out: str) -> InputError:
    """The error for the document of ``subject``, which is damaged or newer; ``way_out`` is only for a damaged one."""
    if isinstance(error, NewerError):
        # Its rotations are still needed, so it must not be replaced by an older one.
        return InputError([Diagnostic(f"{subject} can't be read: {error}", hint=_UPDATE)])
    return InputError([Diagnostic(f"{subject} is damaged: {error}", hint=way_out)])


@frozen(slots=False)
class Document:
    """What is remembered. The ``with_`` methods return a changed copy."""

    sections: Mapping[str, Section] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def rotations(self) -> Mapping[str, LedgerEntry]:
        """The rotations of identity secrets, by channel id."""
        return {channel_id: LedgerEntry.from_json(known) for channel_id, known in self._section(_ROTATIONS).items()}

    @cached_property
    def creates(self) -> Mapping[str, DoubtfulCreate]:
        """The creates in doubt, by their unique attempts."""
        return {attempt: DoubtfulCreate.from_json(known) for attempt, known in self._section(_CREATES).items()}

    @cached_property
    def channels(self) -> Mapping[str, KnownChannel]:
        """The channels seen before, by id."""
        return {channel_id: KnownChannel.from_json(known) for channel_id, known in self._section(_CHANNELS).items()}

    def with_rotation(self, channel_id: str, entry: LedgerEntry | None) -> Document:
        """Remember the channel's last rotation; None forgets it."""
        return self._with(_ROTATIONS, {channel_id: entry})

    def with_creates(self, creates: Mapping[str, DoubtfulCreate | None]) -> Document:
        """Remember creates that are about to be sent; None for those whose outcome is known."""
        return self._with(_CREATES, creates)

    def with_channels(self, channels: Mapping[str, KnownChannel | None]) -> Document:
        """Remember the channels; None for those that are deleted."""
        return self._with(_CHANNELS, channels)

    def as_json(self) -> dict[str, Any]:
        """The document as stored; :func:`parse_document` reads it."""
        known = {name: dict(sorted(section.items())) for name, section in self.sections.items() if section}
        return {"version": VERSION, **known, **self.unknown}

    def _section(self, name: str) -> Section:
        return self.sections.get(name, {})

    def _with(self, name: str, entries: Mapping[str, _Entry | None]) -> Document:
        section = {**self._section(name)}
        for key, entry in entries.items():
            if entry is None:
                section.pop(key, None)
            else:
                section[key] = {**section.get(key, {}), **entry.as_json()}
        sections = {**self.sections, name: section}
        # An empty section is like a missing one, so it's no change.
        document = replace(self, sections={name: section for name, section in sections.items() if section})
        # What was already read stays so: an apply with 1,000 rotations changes 2,000 entries, one at a time.
        vars(document).update({read: vars(self)[read] for read in _READERS.keys() & vars(self).keys()})
        if name in vars(self):
            changed = {key: _READERS[name](section[key]) for key in entries if key in section}
            kept = {key: known for key, known in vars(self)[name].items() if key in section}
            vars(document)[name] = kept | changed
        return document


def parse_document(stored: object) -> Document:
    """The inverse of :meth:`Document.as_json`. Raises DamagedError."""
    if not isinstance(stored, dict):
        raise DamagedError("it isn't a JSON object")
    check_version(stored.get("version"))
    sections = {name: _checked(name, stored.get(name, {})) for name in (_ROTATIONS, _CREATES, _CHANNELS)}
    unknown = {name: stored[name] for name in stored if name not in {"version", *sections}}
    document = Document({name: section for name, section in sections.items() if section}, unknown)
    _readable(lambda: (document.rotations, document.creates, document.channels))
    return document


def check_version(version: Json) -> None:
    """Raise DamagedError for an unsupported version, and NewerError for one of the future."""
    if version is None:
        raise DamagedError("it has no `version`")
    if version != VERSION:
        is_newer = isinstance(version, int) and version > VERSION
        reason = f"its version is {show(version)}, but this version of webchat-sync only supports {VERSION}"
        raise (NewerError if is_newer else DamagedError)(reason)


def _checked(name: str, section: object) -> Section:
    if isinstance(section, dict) and all(isinstance(known, dict) for known in section.values()):
        return section
    raise DamagedError(f"`{name}` isn't a JSON object of objects")


def _readable(read: Callable[[], object]) -> None:
    try:
        read()
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DamagedError(INCOMPLETE) from None
