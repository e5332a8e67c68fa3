"""The bodies of a plan's calls: a create with an optional PATCH after it, and the PATCH of an update."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from webchat_sync.domain.canonical import added_by_server, have_ids, is_plain, member_texts
from webchat_sync.domain.catalogue import PLAIN, Catalogue, Shape
from webchat_sync.domain.match_items import list_shape, match_items
from webchat_sync.model import CreateChannel, Declaration, Json, LiveChannel, PatchChannel


def create_operations(
    declaration: Declaration, organization: str, catalogue: Catalogue
) -> tuple[CreateChannel] | tuple[CreateChannel, PatchChannel]:
    """A create with the fields that it accepts and, if there are others, a PATCH with those.

    A channel that needs the PATCH is created switched off and switched on by it, so that no visitor sees a
    half-configured widget. A declared ``enabled: false`` is respected.
    """
    known = catalogue.fields
    accepted = {name: value for name, value in declaration.fields.items() if name in known and known[name].create}
    rest = {name: value for name, value in declaration.fields.items() if name not in accepted}
    if not rest:
        return (CreateChannel(organization, accepted),)
    if accepted.get("enabled") is not False:
        rest["enabled"] = True
    return CreateChannel(organization, {**accepted, "enabled": False}), PatchChannel(organization, None, rest)


def update_operation(
    declaration: Declaration, live: LiveChannel, fields: Iterable[str], organization: str, catalogue: Catalogue
) -> PatchChannel:
    """The PATCH with the named declared fields, which keeps what the server owns inside them."""
    body = {
        name: with_server_keys(catalogue.shape(name), live.fields.get(name), declaration.fields[name])
        for name in fields
    }
    return PatchChannel(organization, live.id, body)


def with_server_keys(shape: Shape, live: Json, declared: Json) -> Json:
    """``declared`` with the keys that the server added to the same items of ``live``.

    A PATCH replaces the whole field, so an item sent without its ``id`` would become a different item.
    """
    if isinstance(live, dict) and isinstance(declared, dict):
        members = {
            key: with_server_keys(shape.properties.get(key, PLAIN), live.get(key), member)
            for key, member in declared.items()
        }
        return {**added_by_server(shape, live, declared), **members}
    if isinstance(live, list) and isinstance(declared, list):
        shape = list_shape(shape, live, declared)
        match = _members if shape.list_type == "set" else match_items
        return [
            item if index is None else _item_with_server_keys(shape, live[index], item)
            for item, index in zip(declared, match(shape, live, declared), strict=True)
        ]
    return declared


def _members(shape: Shape, live: Sequence[Json], declared: Sequence[Json]) -> list[int | None]:
    """For every declared member of a set, the index of the equivalent live one; None for a new one."""
    items, with_ids = shape.items or PLAIN, have_ids(declared)
    before, after = (member_texts(items, side, with_ids=with_ids) for side in (live, declared))
    return [before.index(text) if text in before else None for text in after]


def _item_with_server_keys(shape: Shape, live: Json, declared: Json) -> Json:
    merged = with_server_keys(shape.items or PLAIN, live, declared)
    if not isinstance(live, dict) or not isinstance(merged, dict):
        return merged
    owned: Mapping[str, Json] = {key: live[key] for key in live if key in shape.server_keys and is_plain(live[key])}
    return {**owned, **merged}
