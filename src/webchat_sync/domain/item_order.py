"""Keeps the order of list items where it's open which of several equal ones is which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from webchat_sync.domain.canonical import canonical, own_text
from webchat_sync.domain.catalogue import PLAIN, Shape
from webchat_sync.model import Json


def keep_order(
    shape: Shape, live: Sequence[Json], declared: Sequence[Json], matched: Sequence[int | None]
) -> Sequence[int | None]:
    """``matched``, with live items swapped if that has no effect except that fewer items move.

    Declared items that are equal can swap their live items, and so can live items that are equal. Ids that aren't
    declared don't count; an item that's declared with ids keeps them.
    """
    stays = [live_index for live_index in matched if live_index is not None]
    if stays == sorted(stays):
        return matched
    items = shape.items or PLAIN
    written, stored = ([own_part(shape, item) for item in side] for side in (declared, live))
    keyed = [part != item for part, item in zip(written, declared, strict=True)]
    with_ids = [own_text(items, part) != canonical(items, part) for part in written]

    texts: list[str | None] = [None] * len(live)
    for part, partner in zip(written, matched, strict=True):
        if partner is not None:
            texts[partner] = canonical(items, part)
    keys = [canonical(PLAIN, _server_part(shape, item)) for item in live]
    matched = _swapped(matched, list(zip(texts, keys, strict=True)), [2 if has_key else 1 for has_key in keyed])

    alike = [(own_text(items, part), canonical(items, part), key) for part, key in zip(stored, keys, strict=True)]
    return _swapped(matched, alike, [3 if key else 2 if ids else 1 for key, ids in zip(keyed, with_ids, strict=True)])


def own_part(shape: Shape, item: Json) -> Json:
    """``item`` without the keys that the server owns."""
    if not isinstance(item, dict):
        return item
    return {key: value for key, value in item.items() if key not in shape.server_keys}


def _server_part(shape: Shape, item: Json) -> Json:
    return {key: item[key] for key in item if key in shape.server_keys} if isinstance(item, dict) else None


def _swapped(
    matched: Sequence[int | None], classes: Sequence[tuple[str | None, ...]], kept: Sequence[int]
) -> list[int | None]:
    """``matched``, where each declared item gets the first possible live item after the one of the previous item.

    ``classes`` has the classes of every live item, from wide to narrow. ``kept`` says how many of them a declared item
    keeps. An item only gets one that isn't needed by those that keep more.
    """
    free: defaultdict[tuple[str | None, ...], list[int]] = defaultdict(list)
    spare: Counter[tuple[str | None, ...]] = Counter()
    for live_index, own in enumerate(classes):
        for depth in range(1, len(own) + 1):
            free[own[:depth]].append(live_index)
            spare[own[:depth]] += 1
    pairs = [(index, partner) for index, partner in enumerate(matched) if partner is not None]
    spare.subtract(classes[partner][:depth] for index, partner in pairs for depth in range(1, kept[index] + 1))
    swapped, previous = list(matched), -1
    for index, partner in pairs:
        narrower = range(kept[index] + 1, len(classes[partner]) + 1)
        choices = [
            choice
            for choice in free[classes[partner][: kept[index]]]
            if all(spare[classes[choice][:depth]] > 0 for depth in narrower)
        ]
        previous = next((choice for choice in choices if choice > previous), choices[0])
        swapped[index] = previous
        for depth in range(1, len(classes[previous]) + 1):
            free[classes[previous][:depth]].remove(previous)
        spare.subtract(classes[previous][:depth] for depth in narrower)
    return swapped
