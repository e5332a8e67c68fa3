"""Matches the items of a declared list with those of the live one."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Final

from webchat_sync.domain.canonical import ITEM_ID, canonical, have_ids, is_plain, own_text
from webchat_sync.domain.catalogue import PLAIN, Shape
from webchat_sync.domain.item_order import keep_order, own_part
from webchat_sync.jsonvalue import as_json
from webchat_sync.model import Item, Json, Position

if TYPE_CHECKING:
    from difflib import Match

Identity = Callable[[Json], Hashable | None]

UNDESCRIBED: Final = Shape(list_type="map", list_keys=(ITEM_ID, "name", "label"), server_keys=frozenset({ITEM_ID}))
"""The shape of a list without a schema whose live items have ids, which the server adds at any depth."""

MOST_PAIRS: Final = 1_000_000
"""The limit of pairs to compare; above it, items without keys are matched by position, and equal ones in any order."""


def list_shape(shape: Shape, live: Sequence[Json], declared: Sequence[Json]) -> Shape:
    """How these two lists are compared: by the catalogue, and by the ids that the server gave the items."""
    if not _ids_added(shape, live, declared):
        return shape
    if shape.list_type == "atomic":
        return replace(UNDESCRIBED, items=shape.items)
    keys = (ITEM_ID, *(key for key in shape.list_keys if key != ITEM_ID))
    return replace(shape, list_keys=keys, server_keys=shape.server_keys | {ITEM_ID})


def server_keys(shape: Shape, live: Sequence[Json], declared: Sequence[Json]) -> frozenset[str]:
    """Those of :func:`list_shape`."""
    return shape.server_keys | {ITEM_ID} if _ids_added(shape, live, declared) else shape.server_keys


def _ids_added(shape: Shape, live: Sequence[Json], declared: Sequence[Json]) -> bool:
    """Whether the server gave ids to the items, which the catalogue doesn't say."""
    if ITEM_ID in shape.server_keys or not any(isinstance(item, dict) for item in declared):
        return False
    return any(has_key(item, ITEM_ID) for item in live)


def match_items(shape: Shape, live: Sequence[Json], declared: Sequence[Json]) -> Sequence[int | None]:
    """For every declared item, the index of its live item; None for a new item.

    In a list with keys, a declared server key has priority, unless several live items have it: then it's the equal one.
    Equal items come next, then the catalogue's keys in order, and finally items without any key, by position.
    Each live item is matched once. If it's open which of several equal items is which, they keep their order. In a list
    without keys, all items do.
    """
    if shape.list_type == "atomic":
        return _match_in_order(shape.items or PLAIN, live, declared)
    matched: list[int | None] = [None] * len(declared)
    free = dict.fromkeys(range(len(live)))
    for identity in _identities(shape, live, with_ids=have_ids(declared)):
        if not free or None not in matched:
            break
        old = {index: identity(live[index]) for index in free}
        new = {index: identity(item) for index, item in enumerate(declared) if matched[index] is None}
        for live_index, index in _same_keys(old, new):
            matched[index] = live_index
            del free[live_index]
    return matched if len(live) * len(declared) > MOST_PAIRS else keep_order(shape, live, declared, matched)


def item_steps(shape: Shape, items: Sequence[Json]) -> list[Item | Position]:
    """The step to every item: its key if that's unique, otherwise its index from 0.

    A number isn't used as a key if other items have indexes that it could be confused with.
    """
    keys = [key for key in shape.list_keys if key not in shape.server_keys]
    keys += [key for key in shape.list_keys if key in shape.server_keys]
    named = [next(((key, text) for key in keys if (text := item_key(item, key)) is not None), None) for item in items]
    counts = Counter(name and name[1] for name in named)
    unique = [name is not None and counts[name[1]] == 1 for name in named]
    texts_only = not all(unique)
    return [
        Item(name[1], name[0], index)
        if name is not None and unique[index] and (name[1].startswith('"') or not texts_only)
        else Position(index)
        for index, name in enumerate(named)
    ]


def without_added(keys: Iterable[str], live_item: Json, declared_item: Json) -> Json:
    """``live_item`` without those of ``keys`` that the server added, and ``declared_item`` lacks."""
    if not isinstance(live_item, dict) or not isinstance(declared_item, dict):
        return live_item
    bare = live_item.copy()
    for key in keys:
        if key not in declared_item and is_plain(bare.get(key)):
            del bare[key]
    return bare


def _identities(shape: Shape, live: Sequence[Json], *, with_ids: bool) -> Iterator[Identity]:
    items = shape.items or PLAIN
    server_keys = [key for key in shape.list_keys if key in shape.server_keys]
    own_keys = [key for key in shape.list_keys if key not in shape.server_keys]
    if with_ids:  # at any depth
        yield partial(canonical, items)
    for key in server_keys:
        yield partial(_key_and_own_text, key=key, shape=shape)  # of several with one key, the one that is equal
        yield partial(_unique_key, key=key, counts=Counter(item_key(item, key) for item in live))
    if with_ids:
        yield lambda item: canonical(items, own_part(shape, item))
    yield lambda item: own_text(items, own_part(shape, item))
    for key in [*server_keys, *own_keys]:
        yield partial(item_key, key=key)
    yield lambda item: None if any(has_key(item, key) for key in own_keys) else "without a key"


def _same_keys(live: Mapping[int, Hashable], declared: Mapping[int, Hashable]) -> Iterator[tuple[int, int]]:
    """Indexes of live and declared items with the same key: the longest runs of several first, then the others."""
    old, new = ({index: key for index, key in side.items() if key is not None} for side in (live, declared))
    if len({*old.values()}) < len(old) or len({*new.values()}) < len(new):
        old_indexes, new_indexes = list(old), list(new)
        for old_start, new_start, size in _runs(list(old.values()), list(new.values())):
            for offset in range(size):
                yield old_indexes[old_start + offset], new_indexes[new_start + offset]
                del old[old_indexes[old_start + offset]], new[new_indexes[new_start + offset]]
    candidates: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for index, key in old.items():
        candidates[key].append(index)
    for index, key in new.items():
        if candidates[key]:
            yield candidates[key].popleft(), index


def _unique_key(item: Json, key: str, counts: Mapping[str | None, int]) -> str | None:
    text = item_key(item, key)
    return text if counts.get(text) == 1 else None


def _key_and_own_text(item: Json, key: str, shape: Shape) -> tuple[str, str] | None:
    text = item_key(item, key)
    return None if text is None else (text, own_text(shape.items or PLAIN, own_part(shape, item)))


def has_key(item: Json, key: str) -> bool:
    """Whether :func:`item_key` gives one."""
    return isinstance(item, dict) and isinstance(item.get(key), str | int | float)


def item_key(item: Json, key: str) -> str | None:
    """The key of an item as JSON, so that true isn't 1; None if it has none."""
    value = item.get(key) if isinstance(item, dict) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        return encode_basestring(value)  # what `as_json` comes down to for a text, in a third of the time
    return as_json(value) if isinstance(value, (int, float)) else None


def _match_in_order(items: Shape, live: Sequence[Json], declared: Sequence[Json]) -> list[int | None]:
    """Match equal items, and between those the items at the same positions."""
    old, new = ([own_text(items, item) for item in side] for side in (live, declared))
    matched: list[int | None] = [None] * len(new)
    for old_start, old_end, new_start, new_end in _blocks(old, new):
        for offset in range(min(old_end - old_start, new_end - new_start)):
            matched[new_start + offset] = old_start + offset
    return matched


def _runs(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Match]:
    if len(old) * len(new) > MOST_PAIRS:
        return []
    from difflib import SequenceMatcher

    return SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    if len(old) * len(new) > MOST_PAIRS:
        yield 0, len(old), 0, len(new)
        return
    from difflib import SequenceMatcher

    for _, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield old_start, old_end, new_start, new_end
