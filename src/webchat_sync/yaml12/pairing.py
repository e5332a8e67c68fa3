"""Matches the items of a written list with those of the new list."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Sequence
from typing import Final

from webchat_sync.errors import Path
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import Json


@frozen
class Habits:
    """What is known about the files: the lists whose items keep their positions, and the last key of a mapping.

    ``on_one_line``: every new value is written on a single line.
    """

    fixed_lists: Collection[Path] = ()
    last_key: str | None = None
    on_one_line: bool = False


NO_HABITS: Final = Habits()


def same(one: object, other: object) -> bool:
    """Whether the two are the same JSON value: key order doesn't matter, and ``1`` differs from ``1.0``."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def pair_items(old: Sequence[Json], new: Sequence[Json]) -> list[int | None]:
    """For every new item, the index of the old one to edit: equal, with the same name, or at the same index.

    The last only counts if no item is added or removed. None is for a new item.
    """
    matches: list[int | None] = [None] * len(new)
    free = dict.fromkeys(range(len(old)))
    for identity in (_whole, *map(_named, ("id", "name", "label"))):
        candidates: defaultdict[str | None, deque[int]] = defaultdict(deque)
        for index in free:
            candidates[identity(old[index])].append(index)
        for position, item in enumerate(new):
            key = identity(item) if matches[position] is None else None
            if key is not None and candidates[key]:
                matches[position] = index = candidates[key].popleft()
                del free[index]
    if len(old) == len(new):
        for position, match in enumerate(matches):
            if match is None and position in free:
                matches[position] = position
    return matches


def _whole(item: Json) -> str:
    return json.dumps(item, sort_keys=True)


def _named(name: str) -> Callable[[Json], str | None]:
    def key(item: Json) -> str | None:
        value = item.get(name) if isinstance(item, dict) else None
        return None if value is None else _whole(value)

    return key
