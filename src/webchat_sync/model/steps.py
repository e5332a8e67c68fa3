"""Places inside a value: tuples of typed steps, turned into text only for output, by :func:`path_text`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import field
from typing import TypeAlias

from webchat_sync.frozen import frozen
from webchat_sync.model.values import Json


@frozen
class Key:
    """To the value of a key in a map; the first step of a place is a field of the channel."""

    name: str


@frozen
class Item:
    """To the list item whose key ``by`` has ``value``; without ``by``, to the item of a set that equals ``value``.

    ``text`` is the value as JSON. ``position`` is the item's index, from 0: in the live list for a removed item,
    otherwise in the declared list. It doesn't count when places are compared.
    """

    text: str
    by: str | None = None
    position: int | None = field(default=None, compare=False)

    @staticmethod
    def of(value: Json, by: str | None = None, position: int | None = None) -> Item:
        """The step to the item that ``value`` identifies."""
        return Item(json.dumps(value, ensure_ascii=False), by, position)

    @property
    def value(self) -> Json:
        """The value that identifies the item."""
        value: Json = json.loads(self.text)
        return value


@frozen
class Position:
    """To the item at this index, from 0: in the live list for a removed item, otherwise in the declared list."""

    index: int


@frozen
class Order:
    """To the order of the items that are in both the live and the declared list."""


Step: TypeAlias = "Key | Item | Position | Order"
Steps: TypeAlias = "tuple[Step, ...]"


def path_text(steps: Steps) -> str:
    """The place as text for people: ``operatingHours.days.mon[1]``, ``prechatFields["Email"].required``."""
    return "".join(_text(step, first=index == 0) for index, step in enumerate(steps))


def within(inner: Steps, outer: Steps) -> bool:
    """Whether ``inner`` is the place ``outer`` or one inside it."""
    return inner[: len(outer)] == outer


def steps_document(steps: Steps) -> list[dict[str, Json]]:
    """The steps in a JSON plan."""
    return [_document(step) for step in steps]


def read_steps(documents: Sequence[dict[str, Json]]) -> Steps:
    """The inverse of :func:`steps_document`; raises KeyError for anything else."""
    return tuple(_read(document) for document in documents)


def _text(step: Step, *, first: bool) -> str:
    match step:
        case Key(name):
            if first:
                return name
            return f".{name}" if name.isidentifier() else f"[{json.dumps(name, ensure_ascii=False)}]"
        case Item(text):
            return f"[{text}]"
        case Position(index):
            return f"[{index}]"
        case Order():
            return " (order)"


def _document(step: Step) -> dict[str, Json]:
    match step:
        case Key(name):
            return {"key": name}
        case Item():
            return {"item": step.value, "by": step.by, "position": step.position}
        case Position(index):
            return {"position": index}
        case Order():
            return {"order": True}


def _read(document: dict[str, Json]) -> Step:
    match document:
        case {"key": str(name)}:
            return Key(name)
        case {"item": value, "by": by, "position": position}:
            return Item.of(value, by if isinstance(by, str) else None, position if isinstance(position, int) else None)
        case {"position": int(index)}:
            return Position(index)
        case {"order": True}:
            return Order()
        case _:
            raise KeyError("step")
