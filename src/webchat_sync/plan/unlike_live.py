"""What is declared beside what is live in the same place, where nobody has published which keys and types there are.

It may all be right: nothing of it keeps a plan from being applied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from webchat_sync.domain.catalogue import PLAIN, Catalogue, Shape
from webchat_sync.domain.spelling import nearest
from webchat_sync.model import Impact, Json, LiveChannel
from webchat_sync.plan.shapes import WORDS, Seen, observe_fields, type_of

LIKENESS: Final = 0.75
"""How much two keys must have in common for one to be a misspelling of the other."""

_LAST_WORD: Final = re.compile(r"[A-Z]?[^A-Z]+$")


@dataclass(frozen=True)
class LiveShapes:
    """What the live ``channels`` of an organisation look like inside, once somebody asks."""

    channels: Sequence[LiveChannel]
    catalogue: Catalogue
    learn: bool = field(default=True)

    @cached_property
    def _seen(self) -> Mapping[str, Seen]:
        return observe_fields(self.channels, self.catalogue) if self.learn else {}

    def warnings(self, sent: Mapping[str, Json]) -> tuple[Impact, ...]:
        """What the fields that are ``sent`` have inside, and nothing live has; of each kind once."""
        told = {
            impact: None
            for name, value in sent.items()
            if isinstance(value, (dict, list, str))
            for impact in _unlike(name, value, self._seen.get(name), self.catalogue.shape(name))
        }
        return tuple(told)


def _unlike(field_name: str, declared: Json, seen: Seen | None, shape: Shape) -> Iterator[Impact]:
    if seen is None:
        return
    for code, text in _differences(_Place(field_name), declared, seen, shape):
        yield Impact("warning", code, text, field_name)


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in the field ``name``: ``path`` leads to it, ``[]`` to the items of a list."""

    name: str
    path: str = ""

    def below(self, step: str) -> _Place:
        return _Place(self.name, f"{self.path}{step}")

    def holders(self, count: int) -> str:
        """What the values there are called: ``3 live triggers``, ``1 live conditions``."""
        if self.path == "[]" and (word := _LAST_WORD.search(self.name)):
            plural = word[0].lower()
            return f"{count} live {plural.removesuffix('s') if count == 1 else plural}"
        return f"{count} live {self.name}{self.path}"


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
                yield "key-not-live", f"{_quoted(key)} is in none of {holders}; did you mean {_quoted(meant)}?"


def _other_type(place: _Place, declared: str, seen: Seen) -> str:
    there = " or ".join(WORDS[name] for name in seen.types if name != "null")
    return f"{_quoted(f'{place.name}{place.path}')} is {WORDS[declared]}, and {there} in all {seen.filled} live ones"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
