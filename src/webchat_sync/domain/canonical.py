"""Maps values that mean the same, by the catalogue's rules, to the same text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, cast

from webchat_sync.domain.catalogue import PLAIN, Shape
from webchat_sync.domain.hosts import same_host_key
from webchat_sync.domain.names import stored_form
from webchat_sync.model import Json

ITEM_ID: Final = "id"
"""The key that the server adds to list items, at any depth."""

ADDED: Final = frozenset({ITEM_ID, "createdAt", "updatedAt"})
"""The keys that servers add to mappings, at any depth; `serverKeys` in the catalogue lists keys of one field."""

_SORTED: Final = json.JSONEncoder(sort_keys=True)


def canonical(shape: Shape, value: Json) -> str:
    """``value`` as text that's the same for all values that differ only in meaningless ways.

    These are the order of keys, the order in sets, null keys, and the parts of texts that comparisons ignore.
    """
    return _SORTED.encode(canonical_value(shape, value))


def canonical_value(shape: Shape, value: Json) -> Json:
    """``value`` without meaningless differences, except for the order of keys; see :func:`canonical`."""
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
    """Like :func:`canonical`, without the keys that servers add: what a person wrote."""
    return canonical(shape, _without_added(value))


def member_texts(items: Shape, members: Sequence[Json], *, with_ids: bool) -> list[str]:
    """A text for every member of a set, equal for members that mean the same; ``items`` is their shape.

    Without ids, what servers add is ignored.
    """
    if with_ids:
        return [canonical(items, member) for member in members]
    return [own_text(Shape(items=items), [member]) for member in members]


def have_ids(members: Sequence[Json]) -> bool:
    """Whether any of ``members`` contains an id or another key that servers add, at any depth."""
    bare: Json = [*members]
    return _without_added(bare) != bare


def added_by_server(shape: Shape, live: Mapping[str, Json], declared: Mapping[str, Json]) -> dict[str, Json]:
    """The members of ``live`` that the server added, and that neither ``declared`` nor the catalogue has."""
    keys = ADDED & live.keys() - declared.keys() - shape.properties.keys()
    return {key: live[key] for key in live if key in keys and is_plain(live[key])}


def comparable(shape: Shape, text: str) -> str:
    """The part of ``text`` that comparisons consider."""
    match shape.compare:
        case "exact":
            return text
        case "trimmed":
            return stored_form(text)
        case "caseless":
            return text.strip().casefold()
        case "host":
            return same_host_key(text)


def _without_added(value: Json) -> Json:
    if isinstance(value, dict):
        remaining = {
            key: member
            for key, member in value.items()
            if key not in ADDED or not (is_plain(member) or member is None)  # null removes one, so it's declared too
        }
        return {key: _without_added(member) for key, member in remaining.items()}
    return [_without_added(item) for item in value] if isinstance(value, list) else value


def is_plain(value: Json) -> bool:
    """Whether ``value`` could be an id or a time from a server: a text or a number."""
    return isinstance(value, (str, int, float))
