"""What the files must declare to match the live channels: resolving a drift in favour of live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from webchat_sync.domain.canonical import added_by_server, canonical
from webchat_sync.domain.catalogue import PLAIN, Catalogue, Shape
from webchat_sync.domain.match_items import list_shape, match_items, without_added
from webchat_sync.domain.names import stored_form
from webchat_sync.errors import InputError
from webchat_sync.frozen import frozen
from webchat_sync.model import Declaration, Json, LiveChannel, Manifest
from webchat_sync.plan.diff import equal
from webchat_sync.plan.match_channels import match_channels


@frozen
class Adoption:
    """What must change in ``declaration`` to describe ``live``.

    ``fields`` are the new values of declared fields that drifted. ``pin``: the id must be pinned. ``left`` gives the
    reasons why drifted fields keep their declared values.
    """

    declaration: Declaration
    live: LiveChannel
    fields: Mapping[str, Json]
    pin: bool
    left: Mapping[str, str]


def adoptions(
    manifest: Manifest, channels: Sequence[LiveChannel], *, catalogue: Catalogue
) -> tuple[list[Adoption], tuple[LiveChannel, ...]]:
    """The adoptions of all declarations with a live channel to keep, and the undeclared channels.

    Only declared fields are adopted, except ignored ones. Channels declared with ``state: absent`` or not live yet are
    skipped. Raises InputError like a plan if a declaration can't be matched.
    """
    matches = match_channels(manifest.declarations, channels)
    if matches.problems:
        raise InputError(matches.problems)
    unpinned = {
        stored_form(declaration.name)
        for declaration, live in matches.pairs
        if declaration.id is None and (live is None or declaration.absent)
    }
    adopted = [
        _adoption(declaration, live, unpinned, catalogue)
        for declaration, live in matches.pairs
        if live is not None and not declaration.absent
    ]
    return adopted, matches.undeclared


def _adoption(declaration: Declaration, live: LiveChannel, unpinned: set[str], catalogue: Catalogue) -> Adoption:
    fields: dict[str, Json] = {}
    left: dict[str, str] = {}
    for name, declared in declaration.fields.items():
        if name in declaration.ignore:
            continue
        if name not in live.fields:
            if declared is not None:
                left[name] = "the server doesn't return it"
        elif not equal(catalogue.shape(name), live.fields[name], declared):
            if name == "name" and stored_form(live.name) in unpinned:
                left[name] = f'its live name "{live.name}" belongs to another declaration'
            else:
                fields[name] = adopted_value(catalogue.shape(name), live.fields[name], declared)
    return Adoption(declaration, live, fields, declaration.id is None, left)


def adopted_value(shape: Shape, live: Json, declared: Json) -> Json:
    """A value equivalent to ``live`` that keeps the spelling of ``declared`` wherever both mean the same.

    Items of keyed lists have server-owned keys only if the declared item has them.
    """
    value = _adopted(shape, live, declared)
    return value if equal(shape, live, value) else live


def _adopted(shape: Shape, live: Json, declared: Json) -> Json:
    if equal(shape, live, declared):
        return declared
    if isinstance(live, dict) and isinstance(declared, dict):
        return _adopted_map(shape, live, declared)
    if not isinstance(live, list):
        return live
    known = declared if isinstance(declared, list) else []
    shape = list_shape(shape, live, known)
    items = shape.items or PLAIN
    if shape.list_type == "map":
        return _adopted_items(shape, live, known)
    if shape.list_type == "set":
        live_texts = {canonical(items, item) for item in live}
        known_texts = {canonical(items, item) for item in known}
        stays = [item for item in known if canonical(items, item) in live_texts]
        return stays + [item for item in live if canonical(items, item) not in known_texts]
    if len(live) == len(known):
        return [_adopted(items, item, mine) for item, mine in zip(live, known, strict=True)]
    return live


def _adopted_map(shape: Shape, live: Mapping[str, Json], declared: Mapping[str, Json]) -> dict[str, Json]:
    """The declared keys in their order, then the new ones; null equals a missing key."""
    value: dict[str, Json] = {}
    added = added_by_server(shape, live, declared)
    for key in [*declared, *(key for key in live if key not in declared and key not in added)]:
        mine, theirs = declared.get(key), live.get(key)
        if key in live or mine is None:
            value[key] = _adopted(shape.properties.get(key, PLAIN), theirs, mine)
    return {key: item for key, item in value.items() if key in declared or item is not None}


def _adopted_items(shape: Shape, live: Sequence[Json], declared: Sequence[Json]) -> list[Json]:
    mine = {
        live_index: index
        for index, live_index in enumerate(match_items(shape, live, declared))
        if live_index is not None
    }
    items = shape.items or PLAIN
    value: list[Json] = []
    for index, theirs in enumerate(live):
        own = declared[mine[index]] if index in mine else {}
        bare = without_added(shape.server_keys, theirs, own)
        value.append(_adopted(items, bare, own) if index in mine else bare)
    return value
