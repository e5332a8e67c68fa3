"""The differences between a live value and a declared one, by the catalogue's rules.

Two values are equal if :func:`differences` yields nothing, so there's one notion of equality: the one that the plan
shows. Applying the differences to the live value gives the declared one: removed items go, the others take the declared
order, new items are inserted at their positions, and inner differences are replaced.
"""

from __future__ import annotations

import marshal
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from webchat_sync.domain.canonical import added_by_server, comparable, have_ids, is_plain, member_texts
from webchat_sync.domain.catalogue import PLAIN, Shape
from webchat_sync.domain.match_items import item_steps, list_shape, match_items, server_keys, without_added
from webchat_sync.model import UNKNOWN, FieldChange, Item, Json, Key, Missing, Order, Position, Steps

_HOLDING: Final = (dict, list)


def differences(steps: Steps, shape: Shape, live: Json, declared: Json) -> Iterator[FieldChange]:
    """Each place below ``steps`` where ``declared`` differs from ``live``; nothing if they mean the same.

    Maps are compared by key, where null equals a missing key; lists by the catalogue's list type; texts by its
    comparison. What the server added to items that are declared without it isn't a difference.
    """
    if identical(live, declared):
        return
    if isinstance(live, dict) and isinstance(declared, dict):
        yield from _map_differences(steps, shape, live, declared)
    elif isinstance(live, list) and isinstance(declared, list):
        compare = _set_differences if shape.list_type == "set" else _list_differences
        yield from compare(steps, shape, live, declared)
    elif not _same_scalar(shape, live, declared):
        yield change(steps, live, declared)


def equal(shape: Shape, live: Json, declared: Json) -> bool:
    """Whether the two values mean the same by the catalogue's rules."""
    return next(differences((), shape, live, declared), None) is None


def change(steps: Steps, live: Json, declared: Json) -> FieldChange:
    """One difference; null on one side of a key makes it an addition or a removal, but a list item can be null."""
    if steps and not isinstance(steps[-1], Key):
        return FieldChange(steps, "change", live, declared)
    if live is None:
        return FieldChange(steps, "add", None, declared)
    return FieldChange(steps, "remove" if declared is None else "change", live, declared)


def identical(live: Json | Missing, declared: Json) -> bool:
    """Whether the values are the same JSON: a fast path, since most values are."""
    if live != declared:
        return False
    kind = type(declared)
    if kind is str:
        return True
    # In Python, True equals 1; in JSON, it doesn't, at any depth. Version 0 writes equal values in the same way.
    return kind is type(live) and (kind not in _HOLDING or marshal.dumps(live, 0) == marshal.dumps(declared, 0))


def same_items(shape: Shape, live: Json, declared: Json) -> bool:
    """Whether two values that aren't identical are lists of the same items, apart from keys that the server added.

    A fast path, too.
    """
    if not isinstance(live, list) or not isinstance(declared, list) or len(live) != len(declared):
        return False
    if shape.list_type == "set":  # if one declared member has an id, all do
        return False
    keys = server_keys(shape, live, declared)
    return bool(keys) and all(map(partial(_same_item, keys), live, declared))


def _same_item(keys: Collection[str], live: Json, declared: Json) -> bool:
    """Whether the live item has the declared values, and apart from those only keys that the server added."""
    if not isinstance(live, dict) or not isinstance(declared, dict):
        return identical(live, declared)
    for key, value in declared.items():
        if (before := live.get(key, UNKNOWN)) is not value and not identical(before, value):
            return False
    more = len(live) - len(declared)
    for key in keys:
        if key not in declared and is_plain(live.get(key)):
            more -= 1
    return more == 0


def _same_scalar(shape: Shape, live: Json, declared: Json) -> bool:
    if isinstance(live, str) and isinstance(declared, str):
        return comparable(shape, live) == comparable(shape, declared)
    # In Python, True equals 1; in JSON, it doesn't.
    return isinstance(live, bool) == isinstance(declared, bool) and live == declared


def _map_differences(
    steps: Steps, shape: Shape, live: Mapping[str, Json], declared: Mapping[str, Json]
) -> Iterator[FieldChange]:
    added = added_by_server(shape, live, declared)
    for key in [*declared, *(key for key in live if key not in declared and key not in added)]:
        inner = shape.properties.get(key, PLAIN)
        yield from differences((*steps, Key(key)), inner, live.get(key), declared.get(key))


def _set_differences(
    steps: Steps, shape: Shape, live: Sequence[Json], declared: Sequence[Json]
) -> Iterator[FieldChange]:
    items, with_ids = shape.items or PLAIN, have_ids(declared)
    # Each spelling of a member is a step of its own, since each is added or removed.
    before, after = (
        dict(zip(map(Item.of, side), member_texts(items, side, with_ids=with_ids), strict=True))
        for side in (live, declared)
    )
    meant_before, meant_after = set(before.values()), set(after.values())
    for step, meaning in after.items():
        if meaning not in meant_before:
            yield FieldChange((*steps, step), "add", None, step.value)
    for step, meaning in before.items():
        if meaning not in meant_after:
            yield FieldChange((*steps, step), "remove", step.value, None)


def _list_differences(steps: Steps, shape: Shape, live: list[Json], declared: list[Json]) -> Iterator[FieldChange]:
    """Differences of matched items first, then of the order of those that stay."""
    if same_items(shape, live, declared):
        return
    shape = list_shape(shape, live, declared)
    matched = match_items(shape, live, declared)
    declared_steps, live_steps = item_steps(shape, declared), item_steps(shape, live)
    items = shape.items or PLAIN
    for index, live_index in enumerate(matched):
        place = (*steps, declared_steps[index])
        if live_index is None:
            yield FieldChange(place, "add", None, declared[index])
        else:
            before = without_added(shape.server_keys, live[live_index], declared[index])
            yield from differences(place, items, before, declared[index])
    stays = [live_index for live_index in matched if live_index is not None]
    for index in sorted(set(range(len(live))) - set(stays)):
        yield FieldChange((*steps, live_steps[index]), "remove", live[index], None)
    if stays != sorted(stays):
        old, new = ([_label(live_steps[index]) for index in indexes] for indexes in (sorted(stays), stays))
        yield FieldChange((*steps, Order()), "change", old, new)


def _label(step: Item | Position) -> Json:
    return step.value if isinstance(step, Item) else step.index
