"""The changes of a channel as lines of a ``diff`` block, with symbols in the first column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webchat_sync.flat import flat
from webchat_sync.render.text import unchanged_line
from webchat_sync.render.text_diff import common_start
from webchat_sync.render.values import block, inline
from webchat_sync.render.walk import Channel, Line, Side, Words
from webchat_sync.sentences import counted

WIDTH: Final = 100
"""The width of a list or a map above which it's written on several lines."""

LONGEST: Final = 240
"""The length after which a value is cut; of a changed text, the surroundings of the change are kept."""

_AROUND: Final = 40


def diff_lines(channel: Channel) -> Iterator[str]:
    """Dangers and warnings after ``!``, old values after ``-``, new values after ``+``.

    A list or a map can take several lines, in one text with line feeds.
    """
    if channel.change.note:
        yield f"# {flat(channel.change.note)}"
    if channel.change.renamed_from is not None:
        yield f"# renamed from {inline(channel.change.renamed_from)}"
    for impact in channel.change.impact:
        yield f"{'#' if impact.level == 'info' else '!'} {impact.level}: {flat(impact.text)}"
    for line in channel.lines:
        yield from _line(line)
    for beside in channel.beside:
        yield f"{'!' if beside.symbol == '~' else beside.symbol} {flat(beside.text)}"
        yield from (f"# {flat(line)}" for line in beside.below)
    if channel.unchanged:
        yield f"# {unchanged_line(len(channel.unchanged))}"


def _line(line: Line) -> Iterator[str]:
    path = flat(line.path)
    if line.symbol != "~":
        yield _value(line.symbol, path, line.after if line.symbol == "+" else line.before)
    elif isinstance(line.before, Words) and isinstance(line.after, Words):
        remark = f", {line.remark}" if line.remark else ""
        yield f"! {path}: {flat(line.before.text)} -> {flat(line.after.text)}{remark}"
    elif isinstance(line.before, str) and isinstance(line.after, str):
        before, after = cut(inline(line.before), inline(line.after))
        yield f"- {path}: {before}"
        yield f"+ {path}: {after}"
    else:
        yield _value("-", path, line.before)
        yield _value("+", path, line.after)


def cut(before: str, after: str) -> tuple[str, str]:
    """The two texts without most of their common start and end, if they're long."""
    if max(len(before), len(after)) <= LONGEST:
        return before, after
    start = common_start(before, after)
    end = common_start(before[start:][::-1], after[start:][::-1])
    return _middle(before, start, end), _middle(after, start, end)


def _middle(text: str, start: int, end: int) -> str:
    """``text`` from a bit before ``start`` to a bit after ``end``, which counts from the end of the text."""
    first = 0 if start <= _AROUND * 2 else start - _AROUND
    last = len(text) if end <= _AROUND * 2 else len(text) - end + _AROUND
    return f"{'…' if first else ''}{_short(text[first:last])}{'…' if last < len(text) else ''}"


def _value(symbol: str, path: str, value: Side) -> str:
    """The value with the symbol before each of its lines."""
    if isinstance(value, Words):
        return f"{symbol} {path}: {flat(value.text)}"
    if isinstance(value, str):
        return f"{symbol} {path}: {_short(inline(value))}"
    lines = f"{path}: {block(value, indent='', width=WIDTH)}".split("\n")
    return "\n".join(f"{symbol} {_short(line)}" for line in lines)


def _short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… ({counted(len(text) - LONGEST, 'more character')})"
