"""The comments and the empty lines between the values of a file: whose they are when it is laid out anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

_BREAK: Final = re.compile(r"\r\n|\r|\n")


class Line(NamedTuple):
    """A comment on a line of its own, and the column that it stands at; an empty text is an empty line."""

    text: str
    column: int = 0


class Gap(NamedTuple):
    """What stands between two values: a comment ``beside`` the first one, and lines ``above`` the second."""

    beside: str
    above: tuple[Line, ...]


def gap(text: str) -> Gap:
    """``text`` between two values, in which only comments, blanks, commas and the like stand."""
    first, *rest = _BREAK.split(text)
    above: list[Line] = []
    for index, line in enumerate(rest):
        comment = _comment(line)
        if comment:
            above.append(Line(comment, line.index("#")))
        elif not line.strip() and index < len(rest) - 1:  # the last one leads to the value
            above.append(Line(""))
    return Gap(_comment(first), tuple(above))


def tidy(lines: Sequence[Line], *, first: bool) -> list[str]:
    """The texts of ``lines`` above an entry: never two empty ones in a row, and none at the top of the ``first``."""
    kept: list[str] = []
    for line in lines:
        if line.text or not (kept[-1:] == [""] or (first and not kept)):
            kept.append(line.text)
    return kept


def split_tail(lines: Sequence[Line], column: int) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """``lines`` cut behind the last comment of those that begin them and stand right of ``column``."""
    end = 0
    for index, line in enumerate(lines):
        if line.text and line.column <= column:
            break
        if line.text:
            end = index + 1
    return tuple(lines[:end]), tuple(lines[end:])


def indented(text: str) -> str:
    """What ``text``, behind the last value of a document, begins with of comments that stand under its values."""
    taken = end = 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        is_comment = line.lstrip().startswith("#")
        if number > 0 and line.strip() and not (is_comment and line[0] in " \t"):
            break
        taken += len(line)
        if number > 0 and is_comment:
            end = taken
    return text[:end]


def _comment(line: str) -> str:
    _, mark, rest = line.partition("#")
    return f"#{rest}".rstrip() if mark else ""
