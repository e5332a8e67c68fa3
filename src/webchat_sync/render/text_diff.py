"""Long texts: word-by-word differences, and wrapping."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Final, Literal, TypeAlias

from webchat_sync.flat import no_command
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.render.blocks import blocks

Mark: TypeAlias = Literal[" ", "-", "+"]
Piece: TypeAlias = "tuple[Mark, str]"
"""A part of a text: in both texts, only in the old one, or only in the new one."""

MOST_PAIRS: Final = 8
"""The limit of pairs of equal words per word. Above it, as in a repetitive text, the comparison would take more than
linear time, so the whole difference is shown at once."""

# Compiled on first use, since few plans have long texts and compiling takes time.
_WORD: Final = r"(?s)\s*(?:\\u[0-9a-f]{4}|\\.|\w+|\S)|\s+"
"""A word, a punctuation character or an escape, with the white space before it."""

_WIDE: Final = "[\u2e80-\u2fff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff]"
"""Scripts without spaces: a line can end after any of these, or after punctuation that follows."""

_UNIT: Final = rf'{_WIDE}[\u3001-\u303f\uff01-\uff65]*|(?:(?!\\n|{_WIDE})\S)*(?:\\n(?:"$)?|\s+|(?={_WIDE})|$)'
_COLOR: Final = lazy_pattern(r"\x1b\[[0-9;]*m")
_LINE_FEED: Final = "\\n"


def compare(before: str, after: str) -> list[Piece]:
    """The pieces of two texts that are written as JSON."""
    old, new = re.findall(_WORD, before), re.findall(_WORD, after)
    start = common_start(old, new)
    end = common_start(old[start:][::-1], new[start:][::-1])
    pieces: list[Piece] = [(" ", "".join(old[:start]))]
    pieces += _between(old[start : len(old) - end], new[start : len(new) - end])
    pieces.append((" ", "".join(old[len(old) - end :])))
    return [(mark, text) for mark, text in pieces if text]


def common_start(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words, or characters of two texts, are the same at the start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (left, right) in pairs if left != right), min(len(one), len(other)))


def _between(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    """The pieces between the common words at both ends."""
    counts = Counter(old)
    if sum(counts[word] for word in new) > MOST_PAIRS * (len(old) + len(new)):
        yield from _replaced("".join(old), "".join(new))
        return
    for block in blocks(old, new):
        removed = "".join(old[block.old_start : block.old_end])
        if block.equal:
            yield " ", removed
        else:
            yield from _replaced(removed, "".join(new[block.new_start : block.new_end]))


def _replaced(removed: str, added: str) -> Iterator[Piece]:
    """Removed and added text; a common space at the start is kept."""
    if removed[:1] == added[:1] == " ":
        yield " ", " "
        removed, added = removed[1:], added[1:]
    if removed:
        yield "-", removed
    if added:
        yield "+", added


def wrap(pieces: Sequence[Piece], show: Callable[[Piece], str], *, width: int, first: int) -> list[str]:
    """The pieces on lines of at most ``width`` columns (``first`` for the first one), formatted by ``show``.

    Lines end after white space and after every escaped line feed; overlong words aren't broken.
    """
    lines: list[list[Piece]] = [[]]
    room = first
    for unit in _units(pieces):
        columns_used = _taken([*lines[-1][-1:], *unit], show) - _taken(lines[-1][-1:], show)
        trailing = len(unit[-1][1]) - len(unit[-1][1].rstrip())
        if lines[-1] and columns_used - trailing > room:
            lines.append([])
            room, columns_used = width, _taken(unit, show)
        lines[-1] += unit
        room -= columns_used
        if unit[-1][1].endswith(_LINE_FEED):
            lines.append([])
            room = width
    return [_shown(line, show) for line in lines if line]


def columns(text: str) -> int:
    """The width of ``text`` in terminal columns, without colour codes."""
    plain = _COLOR.sub("", text)
    if plain.isascii():
        return len(plain)
    from rich.cells import cell_len

    return cell_len(plain)


def _units(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """What must be on one line: everything up to and including the next white space or line feed."""
    unit: list[Piece] = []
    for mark, text in pieces:
        for word in filter(None, re.findall(_UNIT, text)):
            unit.append((mark, word))
            if word.endswith(_LINE_FEED) or word[-1].isspace() or re.match(_WIDE, word):
                yield unit
                unit = []
    if unit:
        yield unit


def _taken(line: Sequence[Piece], show: Callable[[Piece], str]) -> int:
    return sum(columns(show(part)) for part in _parts(line))


def _parts(line: Sequence[Piece]) -> Iterator[Piece]:
    """Merges adjacent pieces with the same mark."""
    for mark, group in groupby(line, key=lambda piece: piece[0]):
        yield mark, "".join(text for _, text in group)


def _shown(line: Sequence[Piece], show: Callable[[Piece], str]) -> str:
    return no_command("".join(map(show, _parts(line))).rstrip())
