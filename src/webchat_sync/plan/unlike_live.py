"""Compares declared values with the live ones of the same place, where the structure isn't documented.

All of it may be right, so it never prevents an apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Final

from webchat_sync.domain.catalogue import PLAIN, Catalogue, Shape
from webchat_sync.domain.spelling import nearest
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import as_json
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Impact, Json, LiveChannel
from webchat_sync.plan.shapes import WORDS, Seen, observe_field, type_of
from webchat_sync.sentences import in_a_row

LIKENESS: Final = 0.75
"""How similar two keys must be for one to count as a misspelling of the other."""

_LAST_WORD: Final = lazy_pattern(r"[A-Z]?[^A-Z]+$")


@frozen
class LiveShapes:
    """The shapes of the live ``channels`` of an organisation, observed when first needed."""

    channels: Sequence[LiveChannel]
    catalogue: Catalogue
    _seen: dict[str, Seen] = field(default_factory=dict)

    def warnings(self, declared: Mapping[str, Json]) -> tuple[Impact, ...]:
        """Keys and types in the ``declared`` fields that no live channel has, each once."""
        warnings = (warning for name, value in declared.items() for warning in self._of_field(name, value))
        return tuple(dict.fromkeys(warnings))

    def _of_field(self, name: str, declared: Json) -> Iterator[Impact]:
        known = self.catalogue.fields.get(name)
        if known is None or known.opaque:
            if name not in self._seen:
                self._seen[name] = observe_field(name, self.channels)
            for code, text in _differences(_Place(name), declared, self._seen[name], self.catalogue.shape(name)):
                yield Impact("warning", code, text, name)


@frozen
class _Place:
    """A place in the field ``name``: ``steps`` are keys, and None for the items of a list."""

    name: str
    steps: tuple[str | None, ...] = ()

    def below(self, step: str | None) -> _Place:
        return _Place(self.name, (*self.steps, step))

    def __str__(self) -> str:
        return self.name + "".join("[]" if step is None else f".{step}" for step in self.steps)

    def holders(self, count: int) -> str:
        """The phrase for the values there: ``is in none of the 3 live triggers``."""
        if count == 1:
            return f"isn't in the only live value of {self}"
        word = _LAST_WORD.search(self.name) if self.steps == (None,) else None
        called = word[0].lower() if word else str(self)
        return f"is in none of the {count:,} live {called}"


def _differences(place: _Place, declared: Json, seen: Seen, shape: Shape) -> Iterator[tuple[str, str]]:
    if declared is None or not seen.filled:
        return
    if type_of(declared) not in seen.types:
        yield "type-not-live", _other_type(place, type_of(declared), seen)
    elif isinstance(declared, dict):
        yield from _of_mapping(place, declared, seen, shape)
    elif isinstance(declared, list) and seen.items is not None:
        for item in declared:
            yield from _differences(place.below(None), item, seen.items, shape.items or PLAIN)


def _of_mapping(place: _Place, declared: Mapping[str, Json], seen: Seen, shape: Shape) -> Iterator[tuple[str, str]]:
    for key, value in declared.items():
        inner = seen.keys.get(key, seen.members)
        if inner is not None:
            yield from _differences(place.below(key), value, inner, shape.properties.get(key, PLAIN))
        elif key not in shape.properties:
            # Keys that are also declared can't be what was meant.
            similar = nearest(key, seen.keys.keys() - declared.keys(), likeness=LIKENESS)
            if similar is not None:
                holders = place.holders(seen.types["object"])
                yield "key-not-live", f"{as_json(key)} {holders}; did you mean {as_json(similar)}?"


def _other_type(place: _Place, declared: str, seen: Seen) -> str:
    live_types = in_a_row([WORDS[name] for name in seen.types if name != "null"], last="or")
    subject = f"{as_json(str(place))} is {WORDS[declared]}"
    values = {1: "the only live value", 2: "both live values"}.get(seen.filled, f"all {seen.filled:,} live values")
    return f"{subject}, but {live_types} in {values}"
