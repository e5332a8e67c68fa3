"""The comments and empty lines between values, and which value they belong to when a file is laid out again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

_BREAK: Final = re.compile(r"\r\n|\r|\n")


class Line(NamedTuple):
    """A comment on a line of its own, and its column; an empty text is an empty line."""

    text: str
    column: int = 0


class Gap(NamedTuple):
    """What separates two values: a comment ``beside`` the first one, and lines ``above`` the second."""

    beside: str
    above: tuple[Line, ...]


def gap(text: str) -> Gap:
    """Parse ``text`` between two values, which only consists of comments, white space, commas and the like."""
    first, *rest = _BREAK.split(text)
    above: list[Line] = []
    for index, line in enumerate(rest):
        comment = _comment(line)
        if comment:
            above.append(Line(comment, line.index("#")))
        elif not line.strip() and index < len(rest) - 1:  # the last one is the value's own line
            above.append(Line(""))
    return Gap(_comment(first), tuple(above))


def tidy(lines: Sequence[Line], *, first: bool) -> list[str]:
    """The texts of ``lines`` above an entry, without two empty ones in a row, or any at the start if ``first``."""
    texts: list[str] = []
    for line in lines:
        if line.text or not (texts[-1:] == [""] or (first and not texts)):
            texts.append(line.text)
    return texts


def split_tail(lines: Sequence[Line], column: int) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """``lines`` split after the last of the initial comments that are to the right of ``column``."""
    end = 0
    for index, line in enumerate(lines):
        if line.text and line.column <= column:
            break
        if line.text:
            end = index + 1
    return tuple(lines[:end]), tuple(lines[end:])


def indented(text: str) -> str:
    """The initial comments in ``text``, after the last value of a document, that are indented like its values."""
    length = end = 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        is_comment = line.lstrip().startswith("#")
        if number > 0 and line.strip() and not (is_comment and line[0] in " \t"):
            break
        length += len(line)
        if number > 0 and is_comment:
            end = length
    return text[:end]


def _comment(line: str) -> str:
    _, mark, rest = line.partition("#")
    return f"#{rest}".rstrip() if mark else ""
