"""What a server does to the values it is sent: always (ids of list items), and by its quirks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from webchat_sync.domain.catalogue import PLAIN, Catalogue, Shape
from webchat_sync.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """What real servers do that a naive client trips on; each is off until asked for.

    ``trim_texts`` and ``lower_case``: texts are stored so where the catalogue says that it makes no difference.
    ``drop_nulls`` and ``reorder_keys``: how channels are answered, at every depth. ``omit``: fields that the list
    leaves out. ``idempotency``: a POST whose ``Idempotency-Key`` was seen before answers the channel of the first.
    ``media_key``: the name under which an upload answers its id.
    """

    trim_texts: bool = False
    lower_case: bool = False
    drop_nulls: bool = False
    reorder_keys: bool = False
    omit: frozenset[str] = frozenset()
    idempotency: bool = False
    media_key: Literal["mediaAssetId", "mediaId"] = "mediaAssetId"


NO_QUIRKS: Final = Quirks()


def as_stored(
    fields: Mapping[str, Json], catalogue: Catalogue, *, quirks: Quirks, new_id: Callable[[], str]
) -> dict[str, Json]:
    """The fields as the server keeps them: items of keyed lists have the keys that the server owns."""
    return {name: _stored(value, catalogue.shape(name), quirks, new_id) for name, value in fields.items()}


def as_answered(value: Json, quirks: Quirks) -> Json:
    """A stored value as the server answers it."""
    if not (quirks.reorder_keys or quirks.drop_nulls):
        return value
    if isinstance(value, list):
        return [as_answered(item, quirks) for item in value]
    if not isinstance(value, dict):
        return value
    keys = sorted(value, reverse=True) if quirks.reorder_keys else value
    return {key: as_answered(value[key], quirks) for key in keys if value[key] is not None or not quirks.drop_nulls}


def _stored(value: Json, shape: Shape, quirks: Quirks, new_id: Callable[[], str]) -> Json:
    if isinstance(value, str):
        return _text(value, shape, quirks)
    if isinstance(value, dict):
        return {key: _stored(each, shape.properties.get(key, PLAIN), quirks, new_id) for key, each in value.items()}
    if isinstance(value, list):
        items = [_stored(item, shape.items or PLAIN, quirks, new_id) for item in value]
        return [_with_server_keys(item, shape, new_id) for item in items]
    return value


def _text(value: str, shape: Shape, quirks: Quirks) -> str:
    if quirks.trim_texts and shape.compare != "exact":
        value = value.strip()
    return value.lower() if quirks.lower_case and shape.compare == "caseless" else value


def _with_server_keys(item: Json, shape: Shape, new_id: Callable[[], str]) -> Json:
    if not isinstance(item, dict):
        return item
    return {**{key: new_id() for key in sorted(shape.server_keys - item.keys())}, **item}
