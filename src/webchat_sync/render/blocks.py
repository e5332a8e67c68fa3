"""What two sequences have in common, found in linear time, however they differ."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_SMALL: Final = 40_000
"""The product of two lengths up to which every pair of entries may be compared, as difflib does."""

_ROUNDS: Final = 4
"""How often a part is searched for entries that occur only once in it."""


class Block(NamedTuple):
    """``old[old_start:old_end]`` corresponds to ``new[new_start:new_end]``; ``equal``: they're the same."""

    equal: bool
    old_start: int
    old_end: int
    new_start: int
    new_end: int


def blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """The parts of ``old`` and ``new`` in order, alternately equal and different; together, they're everything.

    Small sequences are compared as a whole. Others are split at the entries that occur once in both, in the same order,
    and a large part without any counts as different.
    """
    merged: list[Block] = []
    for part in _parts(old, new, Block(False, 0, len(old), 0, len(new)), _ROUNDS):
        if merged and merged[-1].equal == part.equal:
            merged[-1] = merged[-1]._replace(old_end=part.old_end, new_end=part.new_end)
        else:
            merged.append(part)
    return merged


def _parts(old: Sequence[str], new: Sequence[str], part: Block, rounds: int) -> Iterator[Block]:
    _, old_start, old_end, new_start, new_end = part
    while old_start < old_end and new_start < new_end and old[old_start] == new[new_start]:
        old_start, new_start = old_start + 1, new_start + 1
    while old_start < old_end and new_start < new_end and old[old_end - 1] == new[new_end - 1]:
        old_end, new_end = old_end - 1, new_end - 1
    if old_start > part.old_start:
        yield Block(True, part.old_start, old_start, part.new_start, new_start)
    if old_start < old_end or new_start < new_end:
        yield from _between(old, new, Block(False, old_start, old_end, new_start, new_end), rounds)
    if old_end < part.old_end:
        yield Block(True, old_end, part.old_end, new_end, part.new_end)


def _between(old: Sequence[str], new: Sequence[str], part: Block, rounds: int) -> Iterator[Block]:
    """The parts of a ``part`` whose ends differ."""
    _, old_start, old_end, new_start, new_end = part
    if old_start == old_end or new_start == new_end:
        yield part
    elif (old_end - old_start) * (new_end - new_start) <= _SMALL:
        yield from _compared(old, new, part)
    elif rounds and (common := _common(old, new, part)):
        ends = [*common, (old_end, new_end)]
        for one, other in ends:
            yield from _parts(old, new, Block(False, old_start, one, new_start, other), rounds - 1)
            if (one, other) != ends[-1]:
                yield Block(True, one, one + 1, other, other + 1)
            old_start, new_start = one + 1, other + 1
    else:
        yield part


def _compared(old: Sequence[str], new: Sequence[str], part: Block) -> Iterator[Block]:
    from difflib import SequenceMatcher

    _, old_start, old_end, new_start, new_end = part
    matcher = SequenceMatcher(None, old[old_start:old_end], new[new_start:new_end], autojunk=False)
    for kind, one, one_end, other, other_end in matcher.get_opcodes():
        yield Block(kind == "equal", old_start + one, old_start + one_end, new_start + other, new_start + other_end)


def _common(old: Sequence[str], new: Sequence[str], part: Block) -> list[tuple[int, int]]:
    """The positions of entries that occur once on both sides of ``part``: as many as are in the same order."""
    old_places, new_places = _single(old, part.old_start, part.old_end), _single(new, part.new_start, part.new_end)
    pairs = [(place, new_places[entry]) for entry, place in old_places.items() if entry in new_places]
    # The longest increasing subsequence of the second positions.
    lowest: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, place) in enumerate(pairs):
        length = bisect_left(lowest, place)
        before.append(last[length - 1] if length else -1)
        lowest[length : length + 1], last[length : length + 1] = [place], [index]
    increasing: list[tuple[int, int]] = []
    index = last[-1] if last else -1
    while index >= 0:
        increasing.append(pairs[index])
        index = before[index]
    return increasing[::-1]


def _single(entries: Sequence[str], start: int, end: int) -> dict[str, int]:
    """The places of the entries that occur only once between ``start`` and ``end``, in order."""
    part = entries[start:end]
    counts = Counter(part)
    return {entry: start + index for index, entry in enumerate(part) if counts[entry] == 1}
