"""A document to declarations: its structure and its values checked, its defaults merged in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from webchat_sync.errors import Place, Problem
from webchat_sync.manifest.checks import Check
from webchat_sync.manifest.document import Document, Path, dotted
from webchat_sync.manifest.expectations import Entries, Expectations
from webchat_sync.manifest.words import kind
from webchat_sync.model import Declaration, Json

MOST_PROBLEMS: Final = 1000
"""How many problems of one document are listed."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A declaration and where it stands, before it is known whether it gets along with all the others."""

    declaration: Declaration
    document: Document
    path: Path

    def place(self, *steps: str) -> Place:
        """Where the value at ``steps`` inside the channel stands."""
        return self.document.place((*self.path, *steps))

    def problem(self, message: str, *steps: str, hint: str) -> Problem:
        """A problem with the value at ``steps`` inside the channel."""
        path = (*self.path, *steps)
        return Problem(message, place=self.document.place(path), path=dotted(path), hint=hint)


@dataclass(frozen=True, slots=True)
class Part:
    """What one document says about one organisation; None is for what it does not say."""

    document: Document
    organization: str | None
    prune: bool | None
    drafts: tuple[Draft, ...]


class _Fields(NamedTuple):
    values: Mapping[str, Json]
    places: Mapping[str, Place]


def declare(document: Document, expectations: Expectations) -> tuple[Part, list[Problem]]:
    """The part of a manifest that ``document`` is, and everything that is wrong with it by itself.

    What is wrong is left out of the part: a channel without a usable name or id, a setting of the wrong type.
    """
    value = document.value
    if not isinstance(value, dict):
        message = f"expected a mapping that begins with `version: 1`, but this is {kind(value)}"
        return Part(document, None, None, ()), [Problem(message, place=document.place())]
    drafts = _drafts(document, value, expectations.fields)
    prune = _mapping(value.get("settings")).get("prune")
    part = Part(
        document,
        organization=_text(value.get("organization")),
        prune=prune if isinstance(prune, bool) else None,
        drafts=tuple(draft for draft in drafts if draft.declaration.name),
    )
    problems = list(islice(_wrong(document, value, drafts, expectations), MOST_PROBLEMS + 1))
    if len(problems) > MOST_PROBLEMS:
        problems[-1] = Problem(f"only {MOST_PROBLEMS} problems of this document are listed", place=document.place())
    return part, problems


def _wrong(
    document: Document, value: dict[str, Json], drafts: Iterable[Draft], expectations: Expectations
) -> Iterator[Problem]:
    yield from _problems(document, (), expectations.frame, value)
    yield from _problems(document, ("defaults",), expectations.defaults, _mapping(value.get("defaults")))
    for draft, channel in zip(drafts, _channels(value).values(), strict=True):
        yield from _problems(document, draft.path, expectations.channel, channel)
        yield from _contradictions(draft, channel)


def _drafts(document: Document, value: dict[str, Json], declarable: Collection[str]) -> list[Draft]:
    defaults = _Fields(_mapping(value.get("defaults")), document.places(("defaults",)))
    return [_draft(document, path, channel, defaults, declarable) for path, channel in _channels(value).items()]


def _draft(
    document: Document, path: Path, channel: Mapping[str, Json], defaults: _Fields, declarable: Collection[str]
) -> Draft:
    sync = _mapping(channel.get("sync"))
    absent, pin = sync.get("state") == "absent", _text(sync.get("id"))
    fields = {**defaults.values, **channel}
    places = {**defaults.places, **document.places(path)}
    known = [name for name in declarable if name in fields]
    ignore = sync.get("ignore")
    declaration = Declaration(
        name=_text(channel.get("name")) or (pin if absent and pin else ""),
        fields={name: fields[name] for name in known},
        place=document.place(path),
        field_places={name: places[name] for name in known},
        id=pin,
        renamed_from=_text(sync.get("renamedFrom")),
        absent=absent,
        protect=sync.get("protect") is True,
        ignore=frozenset(each for each in ignore if isinstance(each, str)) if isinstance(ignore, list) else frozenset(),
    )
    return Draft(declaration, document, path)


def _contradictions(draft: Draft, channel: Mapping[str, Json]) -> Iterator[Problem]:
    """What no schema can say: the values are right, but not beside each other."""
    declaration = draft.declaration
    if "name" not in channel and not declaration.name:
        hint = "Each channel needs a name. Only one with `state: absent` can do with a `sync.id` in its place."
        yield draft.problem("`name` is missing", hint=hint)
    if declaration.protect and declaration.absent:
        hint = "Remove `protect` to delete the channel, or `state: absent` to keep it."
        yield draft.problem("a protected channel cannot be absent", "sync", "protect", hint=hint)


def _problems(document: Document, base: Path, expected: Check | Entries, value: dict[str, Json]) -> Iterator[Problem]:
    for path, message, hint, at_key in expected.findings(value, lambda path: document.written((*base, *path))):
        full = (*base, *path)
        yield Problem(message, place=document.place(full, key=at_key), path=dotted(full), hint=hint)


def _channels(value: dict[str, Json]) -> dict[Path, dict[str, Json]]:
    channels = value.get("channels")
    listed = enumerate(channels) if isinstance(channels, list) else ()
    return {("channels", index): channel for index, channel in listed if isinstance(channel, dict)}


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None
