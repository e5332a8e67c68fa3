"""The ledger document: what is remembered of one organisation of one server, without any secret in it.

It grows by new keys only. What this version does not know it keeps as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, TypeAlias, TypeVar, get_args

from webchat_sync.model import LedgerEntry, SecretState

VERSION: Final = 1

Section: TypeAlias = Mapping[str, Mapping[str, Any]]

_STATES: Final = get_args(SecretState)
_ROTATIONS, _CREATES, _CHANNELS = "rotations", "creates", "channels"

T = TypeVar("T")


class DamagedError(ValueError):
    """The document is not whole; the message says why, to go behind ``it is damaged:``."""


@dataclass(frozen=True, slots=True)
class DoubtfulCreate:
    """A create that may have taken effect: it was about to be sent, and nothing is known of its end.

    ``at`` is ISO 8601; ``run`` is the URL of the run, or its machine.
    """

    name: str
    at: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """What is remembered of a channel that is or was live.

    ``seen`` is when an apply last saw it live, ISO 8601. ``owned``: an apply of these manifests declared it.
    ``protected``: it was declared with ``protect`` when it was last declared.
    """

    name: str
    seen: str = ""
    owned: bool = False
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """What is remembered. The changing methods return another document, different in one channel only."""

    sections: Mapping[str, Section] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rotations(self) -> Mapping[str, LedgerEntry]:
        """The rotations of identity secrets, by the channels' ids."""
        return {channel_id: LedgerEntry.from_json(known) for channel_id, known in self._section(_ROTATIONS).items()}

    @property
    def creates(self) -> Mapping[str, DoubtfulCreate]:
        """The creates in doubt, by their attempts: no two have the same."""
        return {attempt: _of(DoubtfulCreate, known) for attempt, known in self._section(_CREATES).items()}

    @property
    def channels(self) -> Mapping[str, KnownChannel]:
        """The channels that were seen, by their ids."""
        return {channel_id: _of(KnownChannel, known) for channel_id, known in self._section(_CHANNELS).items()}

    def with_rotation(self, channel_id: str, entry: LedgerEntry | None) -> Document:
        """Remember the last rotation of the channel; None forgets it."""
        return self._with(_ROTATIONS, channel_id, None if entry is None else entry.as_json())

    def with_create(self, attempt: str, create: DoubtfulCreate | None) -> Document:
        """Remember a create that is about to be sent; None once its end is known."""
        return self._with(_CREATES, attempt, None if create is None else asdict(create))

    def with_channel(self, channel_id: str, channel: KnownChannel | None) -> Document:
        """Remember the channel; None once it is deleted."""
        return self._with(_CHANNELS, channel_id, None if channel is None else asdict(channel))

    def as_json(self) -> dict[str, Any]:
        """The document as it is stored; :func:`parse_document` reads it."""
        known = {name: dict(sorted(section.items())) for name, section in self.sections.items() if section}
        return {"version": VERSION, **known, **self.unknown}

    def _section(self, name: str) -> Section:
        return self.sections.get(name, {})

    def _with(self, name: str, key: str, known: Mapping[str, Any] | None) -> Document:
        section = {**self._section(name)}
        if known is None:
            section.pop(key, None)
        else:
            section[key] = {**section.get(key, {}), **known}
        return replace(self, sections={**self.sections, name: section})


def parse_document(stored: object) -> Document:
    """The document that :meth:`Document.as_json` gave, of this version. Raises DamagedError."""
    if not isinstance(stored, dict):
        raise DamagedError("it is no JSON object")
    check_version(stored.get("version"))
    sections = {name: _checked(name, stored.get(name, {})) for name in (_ROTATIONS, _CREATES, _CHANNELS)}
    document = Document(sections, {name: stored[name] for name in stored if name not in {"version", *sections}})
    _readable(lambda: (document.rotations, document.creates, document.channels))
    return document


def check_version(version: object) -> None:
    """Raises DamagedError for a version that this program does not know."""
    if version != VERSION:
        raise DamagedError(f"its version is {version!r}, and this webchat-sync knows {VERSION} only")


def _of(kind: type[T], stored: Mapping[str, Any]) -> T:
    """The value of a dataclass of plain texts and truths, without the keys that it does not have."""
    types = {"str": str, "bool": bool}
    known = {part.name: stored[part.name] for part in fields(kind) if part.name in stored}  # type: ignore[arg-type]
    for part in fields(kind):  # type: ignore[arg-type]
        if part.name in known and not isinstance(known[part.name], types[str(part.type)]):
            raise TypeError(part.name)
    return kind(**known)


def _checked(name: str, section: object) -> Section:
    if isinstance(section, dict) and all(isinstance(known, dict) for known in section.values()):
        return section
    raise DamagedError(f"`{name}` is no JSON object of objects")


def _readable(read: Callable[[], object]) -> None:
    try:
        read()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedError(f"an entry is not whole ({type(error).__name__})") from None
