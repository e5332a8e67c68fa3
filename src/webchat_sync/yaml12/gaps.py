"""The comments and empty lines between values, and which value they belong to when a file is laid out again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.yaml12.document import LINE_BREAK

_LINE: Final = lazy_pattern(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BREAK: Final = lazy_pattern(r"[\r\n]")
_BLANKS: Final = " \t"


class Line(NamedTuple):
    """A comment on a line of its own, and its column; an empty text is an empty line."""

    text: str
    column: int = 0


class Gap(NamedTuple):
    """What separates two values: a ``trailing`` comment after the first one, and lines ``above`` the second."""

    trailing: str
    above: tuple[Line, ...]


def gap(text: str) -> Gap:
    """Parse ``text`` between two values, which only consists of comments, white space, commas and the like."""
    first, *rest = LINE_BREAK.split(text)
    above: list[Line] = []
    for index, line in enumerate(rest):
        comment = _comment(line)
        if comment:
            above.append(Line(comment, line.index("#")))
        elif not line.strip() and index < len(rest) - 1:  # the last one is the value's own line
            above.append(Line(""))
    return Gap(_comment(first), tuple(above))


def comments_above(gap: str) -> str:
    """The end of ``gap``, the text before an entry: the lines of the comments right above it, and its indentation.

    Empty if there are none. The first line of ``gap`` belongs to what precedes it, and an empty line separates what's
    above it from the entry.
    """
    lines = _LINE.findall(gap)
    # The last line is the entry's indentation, after which the pattern also matches an empty text.
    lines = lines[:-1] if lines and not lines[-1] and len(lines) > 1 and not lines[-2].endswith(("\r", "\n")) else lines
    first = len(lines) - 1
    while first > 1 and lines[first - 1].lstrip(_BLANKS).startswith("#"):
        first -= 1
    return "" if first == len(lines) - 1 else "".join(lines[first:])


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
    for number, line in enumerate(_LINE.findall(text)):
        is_comment = line.lstrip().startswith("#")
        if number > 0 and line.strip() and not (is_comment and line[0] in " \t"):
            break
        length += len(line)
        if number > 0 and is_comment:
            end = length
    return text[:end]


def last_break(written: str) -> int:
    """The start of the line break after which ``written`` only has spaces; its end if there is none."""
    body = written.rstrip(" \t")
    last = next((newline for newline in ("\r\n", "\r", "\n") if body.endswith(newline)), "")
    return len(body) - len(last) if last else len(written)


def first_of_last_breaks(written: str) -> int:
    """The start of the first line break after which ``written`` only has white space; its end if there is none."""
    line_break = _BREAK.search(written, len(written.rstrip(" \t\r\n")))
    return line_break.start() if line_break else len(written)


def _comment(line: str) -> str:
    _, mark, rest = line.partition("#")
    return f"#{rest}".rstrip() if mark else ""
