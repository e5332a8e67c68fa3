"""Which item of a declared list is which item of the live one, for lists whose items have keys."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial

from webchat_sync.domain.catalogue import Shape
from webchat_sync.model import Json

Identity = Callable[[Json], Hashable | None]


def match_items(shape: Shape, live: Sequence[Json], declared: Sequence[Json]) -> list[int | None]:
    """For each declared item, the index of its live item; None for an item that is new.

    The catalogue's keys are tried in their order; items that no key matches are matched when they are equal,
    and items without any key, at last, in the order in which they stand. No live item is given away twice.
    """
    partners: list[int | None] = [None] * len(declared)
    free = dict.fromkeys(range(len(live)))
    for identity in _identities(shape):
        if not free or None not in partners:
            break
        candidates: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        for index in free:
            candidates[identity(live[index])].append(index)
        for index, partner in enumerate(partners):
            key = identity(declared[index]) if partner is None else None
            if key is not None and candidates[key]:
                partners[index] = taken = candidates[key].popleft()
                del free[taken]
    return partners


def item_labels(shape: Shape, items: Sequence[Json]) -> list[str]:
    """How a path names each item: its key as JSON when no other item has the same, else its index from 0."""
    keys = [key for key in shape.list_keys if key not in shape.server_keys]
    keys += [key for key in shape.list_keys if key in shape.server_keys]
    named = [next((found for key in keys if (found := _scalar(item, key)) is not None), None) for item in items]
    times = Counter(named)
    return [
        json.dumps(name, ensure_ascii=False) if name is not None and times[name] == 1 else str(index)
        for index, name in enumerate(named)
    ]


def _identities(shape: Shape) -> Iterator[Identity]:
    for key in shape.list_keys:
        yield partial(_scalar, key=key)
    yield lambda item: json.dumps(_own_part(shape, item), sort_keys=True)
    own_keys = [key for key in shape.list_keys if key not in shape.server_keys]
    yield lambda item: None if any(_scalar(item, key) is not None for key in own_keys) else "without a key"


def _own_part(shape: Shape, item: Json) -> Json:
    if not isinstance(item, dict):
        return item
    return {key: each for key, each in item.items() if key not in shape.server_keys}


def _scalar(item: Json, key: str) -> str | int | float | None:
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, (str, int, float)) else None
