"""Applies overlays to manifests: their values are merged in, and every value remembers its file.

Mappings are merged deeply, channels by name; any other list, and any scalar, is replaced, even by null.

An overlay that names an organisation applies to the documents of that organisation and to those that name none; one
that names none applies to all. It changes declared channels. One that isn't declared is an error, since a misspelt name
would otherwise create a channel, unless the overlay has ``sync: {state: present}``. Such a channel is added to the
documents of one organisation, and only if it doesn't matter to which of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from webchat_sync.domain.names import stored_form
from webchat_sync.domain.spelling import nearest
from webchat_sync.errors import Diagnostic, Path, Place, Step
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import brief, kind, show
from webchat_sync.model import Json
from webchat_sync.sentences import listed
from webchat_sync.yaml12.document import Document

CHANNELS: Final = "channels"

_FEW: Final = 10
"""How many organisations a hint lists."""

_MOST_SUGGESTIONS: Final = 100
"""The number of misspelt names for which a similar one is suggested."""


@frozen
class _Layers:
    """The index of a channel in the base, and in the overlay; None if it isn't there."""

    base: int | None
    overlay: int | None


@frozen
class Overlaid:
    """A document with an overlay applied: like :class:`~webchat_sync.yaml12.document.Document`, but from two files.

    The place of a value is where it was written; the place of a merged mapping is in the base.
    """

    base: Layered
    overlay: Document
    value: Json
    channels: tuple[_Layers, ...]

    def place(self, path: Iterable[Step] = (), *, key: bool = False) -> Place:
        """The place of the value at ``path``, or of its key."""
        document, inner = self._origin(tuple(path))
        return document.place(inner, key=key)

    def written(self, path: Iterable[Step]) -> str:
        """The rest of the line from the start of the value at ``path``."""
        document, inner = self._origin(tuple(path))
        return document.written(inner)

    def steps(self, path: Path) -> Path:
        """The path to the value at ``path`` in its own file."""
        document, inner = self._origin(path)
        return document.steps(inner)

    def _origin(self, path: Path) -> tuple[Layered, Path]:
        below, above = self._below(path), self._above(path)
        if above is None or below is None:
            return (self.overlay, above) if above is not None else (self.base, below or path)
        steps, reached = _follow(self.overlay.value, above)
        if steps == 1 and above[0] == CHANNELS and isinstance(reached, list):
            return self.base, below
        if isinstance(reached, dict):
            reached_steps, under = _follow(self.base.value, below[:steps])
            if reached_steps == steps and isinstance(under, dict):
                return self.base, below
        return self.overlay, above

    def _below(self, path: Path) -> Path | None:
        match path:
            case (first, int() as index, *rest) if first == CHANNELS and index < len(self.channels):
                base = self.channels[index].base
                return None if base is None else (CHANNELS, base, *rest)
        return path

    def _above(self, path: Path) -> Path | None:
        match path:
            case (first, int() as index, *rest) if first == CHANNELS and index < len(self.channels):
                overlay = self.channels[index].overlay
                return None if overlay is None else (CHANNELS, overlay, *rest)
        return path


Layered: TypeAlias = "Document | Overlaid"


def lay_over(
    documents: Sequence[Layered], overlays: Iterable[Document], *, organization: str | None
) -> tuple[list[Layered], list[Diagnostic]]:
    """``documents`` with the ``overlays`` applied in turn, and the problems that prevent that.

    ``organization`` is for documents that name none.
    """
    laying = _Laying(documents, organization)
    problems: list[Diagnostic] = []
    for overlay in overlays:
        if isinstance(overlay.value, dict):
            problems += laying.lay(overlay, overlay.value)
        else:
            message = f"expected a mapping such as `channels: [...]`, but this is {kind(overlay.value)}"
            problems.append(Diagnostic(message, overlay.place(), code="type"))
    return laying.documents, problems


def organization_of(document: Layered) -> str | None:
    """The organisation that a document names."""
    return _text(document.value, "organization")


class _Suggestions:
    """Finds similar names for the first problems only, since each search goes through all names."""

    def __init__(self) -> None:
        self._left = _MOST_SUGGESTIONS

    def nearest(self, name: str, known: Iterable[str | None]) -> str | None:
        """The one of ``known`` that ``name`` probably means."""
        self._left -= 1
        return nearest(name, [other for other in known if other]) if self._left >= 0 else None


class _Laying:
    """The documents of a run, found by their organisation: an overlay can have a document for each of thousands."""

    def __init__(self, documents: Sequence[Layered], organization: str | None) -> None:
        self.documents = list(documents)
        self._suggestions = _Suggestions()
        self._indexes: defaultdict[str | None, list[int]] = defaultdict(list)
        for index, document in enumerate(documents):
            if isinstance(document.value, dict):
                self._indexes[organization_of(document) or organization or None].append(index)

    def lay(self, overlay: Document, value: dict[str, Json]) -> list[Diagnostic]:
        """Apply one overlay with this ``value``; returns the problems that prevent that."""
        named = _text(value, "organization")
        if named is not None and None in self._indexes:
            self._indexes[named] = sorted([*self._indexes[named], *self._indexes.pop(None)])
        owners = self._indexes if named is None else [named] if named in self._indexes else []
        owner_by_index = dict(sorted((index, owner or "") for owner in owners for index in self._indexes[owner]))
        if not owner_by_index:
            return [self._no_manifest(overlay, named)] if self._indexes else []
        assigned = _Assignment(self.documents, owner_by_index, overlay, self._suggestions)
        for index in owner_by_index:
            self.documents[index] = _laid(self.documents[index], overlay, value, assigned.of(index))
        return assigned.problems

    def _no_manifest(self, overlay: Document, named: str | None) -> Diagnostic:
        path = ("organization",)
        known = [owner for owner in self._indexes if owner] if len(self._indexes) <= _FEW else []
        if not known and (meant := self._suggestions.nearest(named or "", self._indexes)):
            known = [meant]
        hint = f"Did you mean {listed([brief(owner) for owner in sorted(known)], last='or')}?" if known else ""
        message = f"no manifest belongs to organisation {show(named)}, so this overlay changes nothing"
        return Diagnostic(message, overlay.place(path), path, hint, code="overlay")


class _Assignment:
    """Which channel of an overlay applies to which channel of which document."""

    def __init__(
        self,
        documents: Sequence[Layered],
        owner_by_index: Mapping[int, str],
        overlay: Document,
        suggestions: _Suggestions,
    ) -> None:
        self._suggestions = suggestions
        self.problems: list[Diagnostic] = []
        self._overlay = overlay
        self._taken = owner_by_index
        applies = (documents[index].value for index in owner_by_index)
        self._defaults = [value.get("defaults") for value in applies if isinstance(value, dict)]
        self._changed: dict[tuple[int, int], int] = {}
        self._added: defaultdict[int, list[int]] = defaultdict(list)
        self._lengths = {index: len(channels_of(documents[index].value)) for index in owner_by_index}
        self._pins: dict[tuple[int, int], str | None] = {}
        self._by_name: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for index in owner_by_index:
            for position, channel in enumerate(channels_of(documents[index].value)):
                self._pins[index, position] = _text(_sync(channel), "id")
                self._by_name[stored_form(_text(channel, "name") or "")].append((index, position))
        for position, channel in enumerate(channels_of(overlay.value)):
            self._assign(position, channel)

    def of(self, document: int) -> tuple[_Layers, ...]:
        """The resulting channels of one document."""
        layers = [_Layers(below, self._changed.get((document, below))) for below in range(self._lengths[document])]
        return (*layers, *(_Layers(None, above) for above in self._added[document]))

    def _assign(self, position: int, channel: Json) -> None:
        name = stored_form(_text(channel, "name") or "")
        if not name:
            self._added[next(iter(self._taken))].append(position)  # the schema reports the missing name
            return
        if name not in self._by_name:
            self._add(position, name, channel)
            return
        pin = _text(_sync(channel), "id")
        by_owner: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for target in self._by_name[name]:
            by_owner[self._taken[target[0]]].append(target)
        for targets in by_owner.values():
            meant = [target for target in targets if self._pins[target] == pin] if len(targets) > 1 else targets
            if len(meant) == 1:
                self._change(position, meant[0])
            else:
                hint = "Identify the right one by the `sync.id` that it's pinned to."
                self._problem(f"{len(targets):,} channels with this name are declared", position, hint)

    def _change(self, position: int, target: tuple[int, int]) -> None:
        first = self._changed.setdefault(target, position)
        if first != position:
            place = self._overlay.place((CHANNELS, first, "name"))
            self._problem(f"this overlay already changes this channel, at {place}", position, "Merge the two entries.")

    def _add(self, position: int, name: str, channel: Json) -> None:
        if _text(_sync(channel), "state") != "present":
            meant = self._suggestions.nearest(name, self._by_name)
            add = "To add a new channel here, give it `sync: {state: present}`."
            hint = f"Did you mean `{brief(meant)}`? {add}" if meant else add
            self._problem(f"no manifest declares a channel {show(name)}", position, hint)
        elif (owners := len(set(self._taken.values()))) > 1:
            hint = "Add it in another overlay that names the `organization`, or declare it in a manifest."
            message = f"this overlay applies to {owners:,} organisations, so it can't add a channel"
            self._problem(message, position, hint)
        elif any(defaults != self._defaults[0] for defaults in self._defaults):
            message = "the files that this overlay applies to have different `defaults`, so it can't add a channel"
            self._problem(message, position, "Declare the channel in one of these files instead.")
        else:
            self._added[next(iter(self._taken))].append(position)

    def _problem(self, message: str, position: int, hint: str) -> None:
        path = (CHANNELS, position, "name")
        self.problems.append(Diagnostic(message, self._overlay.place(path), path, hint, code="overlay"))


def _laid(base: Layered, overlay: Document, value: dict[str, Json], layers: tuple[_Layers, ...]) -> Overlaid:
    merged = _merged(base.value, value)
    if isinstance(merged, dict) and isinstance(base.value, dict) and isinstance(value.get(CHANNELS), list):
        below, above = base.value.get(CHANNELS, []), channels_of(value)
        # The checks report anything but a list.
        joined: Json = [_channel(layer, below, above) for layer in layers] if isinstance(below, list) else below
        return Overlaid(base, overlay, {**merged, CHANNELS: joined}, layers)
    kept = tuple(_Layers(position, None) for position in range(len(layers)))
    return Overlaid(base, overlay, merged, () if CHANNELS in value else kept)


def _channel(layers: _Layers, below: Sequence[Json], above: Sequence[Json]) -> Json:
    if layers.base is None or layers.overlay is None:
        return above[layers.overlay] if layers.overlay is not None else below[layers.base or 0]
    return _merged(below[layers.base], above[layers.overlay])


def _merged(base: Json, over: Json) -> Json:
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {**base, **{key: _merged(base[key], value) if key in base else value for key, value in over.items()}}


def _follow(value: Json, path: Path) -> tuple[int, Json]:
    """How many steps of ``path`` exist in ``value``, and the value there."""
    for steps, step in enumerate(path):
        match value, step:
            case dict() as mapping, str() as key if key in mapping:
                value = mapping[key]
            case list() as items, int() as index if index < len(items):
                value = items[index]
            case _:
                return steps, value
    return len(path), value


def channels_of(value: Json) -> list[Json]:
    """The channels in the value of a manifest or an overlay."""
    channels = value.get(CHANNELS) if isinstance(value, dict) else None
    return channels if isinstance(channels, list) else []


def _sync(channel: Json) -> Json:
    return channel.get("sync") if isinstance(channel, dict) else None


def _text(value: Json, key: str) -> str | None:
    text = value.get(key) if isinstance(value, dict) else None
    return text if isinstance(text, str) and text else None
