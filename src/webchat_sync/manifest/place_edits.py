"""Chooses the file for every edit of a channel, if overlays apply to manifests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from webchat_sync.errors import Diagnostic, Place
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import mapping
from webchat_sync.manifest.give_back import Layers, Part, give_back
from webchat_sync.manifest.overlay import CHANNELS, Layered, Overlaid, channels_of, organization_of
from webchat_sync.manifest.ownership import naming_themselves
from webchat_sync.model import UNKNOWN, Json
from webchat_sync.yaml12.document import Document
from webchat_sync.yaml12.emit import Inline

IN_DEFAULTS: Final = "the value in `defaults` is unchanged, and the live one is now in the channel itself"


@frozen
class Edit:
    """The changes to the channel declared at ``place``: the values of fields, and the id to pin, if any."""

    place: Place
    fields: Mapping[str, Json]
    pin: str | None


@frozen
class Left:
    """A field of the channel declared at ``place`` that no file can take, and why."""

    place: Place
    field: str
    reason: str


@dataclass(slots=True)
class _Draft:
    """The new channels of one document."""

    channels: list[Json]
    changed: bool = False


@dataclass(slots=True)
class Placed:
    """The new values of documents, by their ``id``; only those that change."""

    targets: dict[int, Json] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    notes: list[Diagnostic] = field(default_factory=list)


def layers_of(document: Layered) -> list[Document]:
    """The documents that make up ``document``, the base first."""
    return [*layers_of(document.base), document.overlay] if isinstance(document, Overlaid) else [document]


def place_edits(documents: Sequence[Layered], edits: Mapping[Place, Edit], organization: str | None) -> Placed:
    """Distribute the edits among the documents they belong to; ``documents`` are all that a run reads.

    A value goes back to its document if that's only for this environment: it names its organisation itself, or it's the
    last overlay, or it has no overlay. Otherwise, it goes into the last overlay. ``organization`` is for documents that
    name none.
    """
    placed = Placed()
    drafts: dict[int, _Draft] = {}
    layered = [layers_of(document) for document in documents]
    writable = _writable(documents, layered, organization)
    for document, below, layers in zip(documents, layered, writable, strict=True):
        for part in below:
            if id(part) not in drafts:
                drafts[id(part)] = _Draft(list(channels_of(part.value)))
        for index in range(len(channels_of(document.value))):
            edit = edits.get(document.place((CHANNELS, index)))
            if edit is not None:
                target = _Target(document, index, layers, [drafts[id(part)] for part in below])
                placed.left += target.take(edit)
                placed.notes += target.notes(edit)
    for below in layered:
        for part in below:
            if drafts[id(part)].changed and isinstance(part.value, dict):
                placed.targets[id(part)] = {**part.value, CHANNELS: drafts[id(part)].channels}
    return placed


def _writable(
    documents: Sequence[Layered], layered: Sequence[Sequence[Document]], organization: str | None
) -> list[Layers]:
    """Which of the parts of each document are only for this environment."""
    owners: defaultdict[int, set[str | None]] = defaultdict(set)
    for document, below in zip(documents, layered, strict=True):
        for part in below:
            owners[id(part)].add(organization_of(document) or organization)
    on_top = {(id(below), id(below[-1])) for below in layered if len(owners[id(below[-1])]) == 1}
    others = {id(part): part for below in layered for part in below if (id(below), id(part)) not in on_top}
    literal = naming_themselves(others.values())
    return [Layers([(id(below), id(part)) in on_top or part.place() in literal for part in below]) for below in layered]


class _Target:
    """One channel, and its parts in the documents that make it up."""

    def __init__(self, document: Layered, index: int, layers: Layers, drafts: Sequence[_Draft]) -> None:
        self._document = document
        self._layers = layers
        self._drafts = drafts
        self._index = index
        self._positions = _positions(document, index)
        self._first = next(layer for layer, position in enumerate(self._positions) if position is not None)
        self._parts: list[dict[str, Json]] = [
            dict(mapping(draft.channels[position])) if position is not None else {}
            for draft, position in zip(drafts, self._positions, strict=True)
        ]
        self._name = mapping(channels_of(document.value)[index]).get("name")

    def take(self, edit: Edit) -> Iterator[Left]:
        """Make the edit in the drafts; yields what can't be edited."""
        for name, value in edit.fields.items():
            parts = self._renamed(value) if name == "name" else self._given(name, value)
            if parts is None:
                yield Left(edit.place, name, self._reason(name))
                continue
            for layer, part in enumerate(parts):
                self._put(layer, name, part)
        if edit.pin is not None:
            own = [layer for layer in range(self._first, len(self._parts)) if self._layers.own[layer]]
            for layer in own[:1]:
                self._put(layer, "sync", Inline({**mapping(self._parts[layer].get("sync")), "id": edit.pin}))
            if not own:
                yield Left(edit.place, "sync.id", self._reason("sync"))
        self._store()

    def notes(self, edit: Edit) -> Iterator[Diagnostic]:
        """A note for every value that was only in `defaults`."""
        before = mapping(channels_of(self._document.value)[self._index])
        for name in edit.fields:
            if name not in before and any(name in part for part in self._parts):
                path = (CHANNELS, self._index, name)
                yield Diagnostic(IN_DEFAULTS, edit.place, path, severity="warning")

    def _given(self, name: str, value: Json) -> list[Part] | None:
        parts = [part.get(name, UNKNOWN) for part in self._parts]
        homes = [
            layer
            for layer, part in enumerate(layers_of(self._document))
            if name in mapping(mapping(part.value).get("defaults"))
        ]
        return give_back(parts, value, self._layers, self._layers.from_(max([self._first, *homes])))

    def _renamed(self, value: Json) -> list[Part] | None:
        """The new name, in every file that has the channel, since files refer to it by name."""
        having = [layer for layer, position in enumerate(self._positions) if position is not None]
        if not all(self._layers.own[layer] for layer in having):
            return None
        self._name = value
        return [value if layer in having else UNKNOWN for layer in range(len(self._parts))]

    def _put(self, layer: int, name: str, part: Part) -> None:
        if part is UNKNOWN:
            self._parts[layer].pop(name, None)
        else:
            self._parts[layer][name] = part

    def _store(self) -> None:
        for layer, (draft, part) in enumerate(zip(self._drafts, self._parts, strict=True)):
            position = self._positions[layer]
            if position is not None and part != draft.channels[position]:
                draft.channels[position], draft.changed = part, True
            elif position is None and part:
                draft.channels.append({"name": self._name, **part})
                draft.changed = True

    def _reason(self, name: str) -> str:
        if name == "name":
            return "the files match the channel by its name, which other environments use too; rename it in all of them"
        file = self._document.place((CHANNELS, self._index, name)).file
        subject = "the channel is declared in" if name == "sync" else "its value comes from"
        return f"{subject} {file}, which may also apply to other organisations"


def _positions(document: Layered, index: int | None) -> list[int | None]:
    """The index of the channel in each of the documents that make it up."""
    if not isinstance(document, Overlaid):
        return [index]
    if index is None:
        return [*_positions(document.base, None), None]
    layers = document.channels[index]
    return [*_positions(document.base, layers.base), layers.overlay]
