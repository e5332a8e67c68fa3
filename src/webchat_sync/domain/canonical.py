"""One text for all values that mean the same, by the catalogue's rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, cast

from webchat_sync.domain.catalogue import PLAIN, Shape
from webchat_sync.domain.hosts import same_host_key
from webchat_sync.domain.names import stored_form
from webchat_sync.model import Json

ITEM_ID: Final = "id"
"""The key that the server adds to items of lists, at any depth."""

_SORTED: Final = json.JSONEncoder(sort_keys=True)


def canonical(shape: Shape, value: Json) -> str:
    """``value`` as a text that is the same for all values that differ only in what has no meaning.

    That is: the order of keys, the order inside sets, null keys, and the parts of texts that are not compared.
    """
    return _SORTED.encode(canonical_value(shape, value))


def canonical_value(shape: Shape, value: Json) -> Json:
    """``value`` without what has no meaning, but for the order of keys; see :func:`canonical`."""
    if isinstance(value, str):
        return comparable(shape, value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        inner = shape.properties
        return {
            key: canonical_value(inner.get(key, PLAIN), member) for key, member in value.items() if member is not None
        }
    if isinstance(value, list):
        items = shape.items or PLAIN
        if shape.list_type == "set":
            return cast("Json", sorted({canonical(items, item) for item in value}))
        return [canonical_value(items, item) for item in value]
    return value


def own_text(shape: Shape, value: Json) -> str:
    """As :func:`canonical`, without the ids of items of lists, at any depth: what a person wrote of the value."""
    return canonical(shape, _without_ids(value))


def member_texts(items: Shape, members: Sequence[Json], *, with_ids: bool) -> list[str]:
    """A text for every member of a set, the same for those that mean the same; ``items`` is what they are.

    Without ids they are compared where the declared ones have none, as the server adds them.
    """
    if with_ids:
        return [canonical(items, member) for member in members]
    return [own_text(Shape(items=items), [member]) for member in members]


def have_ids(members: Sequence[Json]) -> bool:
    """Whether there is an id in an item of a list among ``members``, at any depth."""
    bare: Json = [*members]
    return _without_ids(bare) != bare


def comparable(shape: Shape, text: str) -> str:
    """What counts of ``text`` when it is compared."""
    match shape.compare:
        case "exact":
            return text
        case "trimmed":
            return stored_form(text)
        case "caseless":
            return text.strip().casefold()
        case "host":
            return same_host_key(text)


def _without_ids(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _without_ids(member) for key, member in value.items()}
    if isinstance(value, list):
        return [
            {key: _without_ids(member) for key, member in item.items() if key != ITEM_ID or not _is_id(member)}
            if isinstance(item, dict)
            else _without_ids(item)
            for item in value
        ]
    return value


def _is_id(value: Json) -> bool:
    """Whether a server may have given it as an id: a text or a number, and nothing with parts."""
    return isinstance(value, (str, int, float))
