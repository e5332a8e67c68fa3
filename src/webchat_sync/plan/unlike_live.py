"""What is declared beside what is live in the same place, where nobody has published which keys and types there are.

It may all be right: nothing of it keeps a plan from being applied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from webchat_sync.domain.catalogue import PLAIN, Catalogue, Shape
from webchat_sync.domain.spelling import nearest
from webchat_sync.model import Impact, Json, LiveChannel
from webchat_sync.plan.shapes import WORDS, Seen, observe_field, type_of

LIKENESS: Final = 0.75
"""How much two keys must have in common for one to be a misspelling of the other."""

_LAST_WORD: Final = re.compile(r"[A-Z]?[^A-Z]+$")


@dataclass(frozen=True, slots=True)
class LiveShapes:
    """What the live ``channels`` of an organisation look like inside, a field once somebody asks for it."""

    channels: Sequence[LiveChannel]
    catalogue: Catalogue
    _seen: dict[str, Seen] = field(default_factory=dict)

    def warnings(self, declared: Mapping[str, Json]) -> tuple[Impact, ...]:
        """What is inside the fields that are ``declared`` and inside nothing live; of every kind once."""
        warnings = (warning for name, value in declared.items() for warning in self._of_field(name, value))
        return tuple(dict.fromkeys(warnings))

    def _of_field(self, name: str, declared: Json) -> Iterator[Impact]:
        known = self.catalogue.fields.get(name)
        if known is None or known.opaque:
            if name not in self._seen:
                self._seen[name] = observe_field(name, self.channels)
            for code, text in _differences(_Place(name), declared, self._seen[name], self.catalogue.shape(name)):
                yield Impact("warning", code, text, name)


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in the field ``name``: ``path`` leads to it, ``[]`` to the items of a list."""

    name: str
    path: str = ""

    def below(self, step: str) -> _Place:
        return _Place(self.name, f"{self.path}{step}")

    def holders(self, count: int) -> str:
        """What the values there are called: ``is in none of 3 live triggers``."""
        word = _LAST_WORD.search(self.name) if self.path == "[]" else None
        called = word[0].lower() if word else f"{self.name}{self.path}"
        return f"is in none of {count} live {called}" if count > 1 else f"isn't in the only live value of {self.name}"


def _differences(place: _Place, declared: Json, seen: Seen, shape: Shape) -> Iterator[tuple[str, str]]:
    if declared is None or not seen.filled:
        return
    if type_of(declared) not in seen.types:
        yield "type-not-live", _other_type(place, type_of(declared), seen)
    elif isinstance(declared, dict):
        yield from _of_mapping(place, declared, seen, shape)
    elif isinstance(declared, list) and seen.items is not None:
        for item in declared:
            yield from _differences(place.below("[]"), item, seen.items, shape.items or PLAIN)


def _of_mapping(place: _Place, declared: Mapping[str, Json], seen: Seen, shape: Shape) -> Iterator[tuple[str, str]]:
    for key, value in declared.items():
        inner = seen.keys.get(key, seen.members)
        if inner is not None:
            yield from _differences(place.below(f".{key}"), value, inner, shape.properties.get(key, PLAIN))
        elif key not in shape.properties:
            # Who has written both has not taken one for the other.
            meant = nearest(key, seen.keys.keys() - declared.keys(), likeness=LIKENESS)
            if meant is not None:
                holders = place.holders(seen.types["object"])
                yield "key-not-live", f"{_quoted(key)} {holders}; did you mean {_quoted(meant)}?"


def _other_type(place: _Place, declared: str, seen: Seen) -> str:
    there = " or ".join(WORDS[name] for name in seen.types if name != "null")
    told = f"{_quoted(f'{place.name}{place.path}')} is {WORDS[declared]}"
    values = {1: "the only live value", 2: "both live values"}.get(seen.filled, f"all {seen.filled} live values")
    return f"{told}, but {there} in {values}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
