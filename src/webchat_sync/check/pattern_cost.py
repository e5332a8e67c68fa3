"""How long a pattern may take, which somebody brings along: Python's engine tries one way through a text after another.

The ways are counted from the pattern alone. A repetition of what itself repeats, or of alternatives, has more of them
than can be tried; two open repetitions have as many as the square of the text's length. What cannot be counted has no
bound: possessive repetitions, references back.
"""

from __future__ import annotations

import math
import re
from typing import Final

MOST_WAYS: Final = 100_000
"""How many ways through a text are tried at most, which takes some milliseconds."""

LONGEST: Final = 10_000
"""Characters of the text for which ways are counted, unless `maxLength` says less."""

MOST_CHARACTERS: Final = 1_000
"""Of a pattern."""

_ATOM: Final = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*+\]|\\[^\d]|[^\\\[\](){}*+?|]|[{}\]]", re.DOTALL)
_TIMES: Final = re.compile(r"(?:([*+?])|\{(?!\})(\d*+)(,?)(\d*+)\})([?+]?)")
_EXTENSION: Final = re.compile(r"(?<!\\)(?:\\\\)*+\(\?(?!:)")
"""Groups with a meaning of their own: flags, which take long to compile, looks around, names."""


class _UncountedError(Exception):
    """The pattern has something that is not counted."""


def is_plain(pattern: str) -> bool:
    """Whether compiling ``pattern`` takes no time to speak of, whatever it is."""
    return len(pattern) <= MOST_CHARACTERS and not _EXTENSION.search(pattern)


def ways(pattern: str, length: int = LONGEST) -> float:
    """How many ways there are at most to match ``pattern``, which is plain and compiles, with so long a text."""
    try:
        count, end = _alternatives(pattern, 0, length)
    except (_UncountedError, RecursionError):
        return math.inf
    if end != len(pattern):
        return math.inf
    # Without an anchor every place of the text is a beginning.
    return count if pattern.startswith("^") and not _has_alternatives(pattern) else count * (length + 1)


def _has_alternatives(pattern: str) -> bool:
    """Whether there may be a ``|`` outside of groups, so that the anchor is that of the first alternative only."""
    return "|" in re.sub(r"\((?:[^()\\]|\\.)*+\)", "", pattern)


def _alternatives(pattern: str, at: int, length: int) -> tuple[float, int]:
    """The ways of what begins ``at`` up to a closing bracket or the end, and where that is."""
    total = 0.0
    while True:
        count, at = _sequence(pattern, at, length)
        total += count
        if pattern[at : at + 1] != "|":
            return total, at
        at += 1


def _sequence(pattern: str, at: int, length: int) -> tuple[float, int]:
    product = 1.0
    while at < len(pattern) and pattern[at] not in "|)":
        count, at = _piece(pattern, at, length)
        product *= count
    return product, at


def _piece(pattern: str, at: int, length: int) -> tuple[float, int]:
    """The ways of one character, class or group, as often as it is said to be there."""
    if pattern[at] == "(":
        count, at = _alternatives(pattern, at + (3 if pattern[at + 1 : at + 3] == "?:" else 1), length)
        at += 1
    elif atom := _ATOM.match(pattern, at):
        count, at = 1.0, atom.end()
    else:
        raise _UncountedError
    times = _TIMES.match(pattern, at)
    if times is None:
        return count, at
    if times[5] == "+":
        raise _UncountedError
    least, most = _bounds(times, length)
    repeated = 1.0 if count == 1 else math.inf if most > 100 else count**most
    return (most - least + 1) * repeated, times.end()


def _bounds(times: re.Match[str], length: int) -> tuple[int, int]:
    """The least and the most times of a repetition in a text of ``length`` characters."""
    mark, least, comma, most, _ = times.groups()
    if mark:
        return (1 if mark == "+" else 0), (1 if mark == "?" else length)
    if not comma:
        return int(least), int(least)
    return int(least or 0), int(most) if most else max(length, int(least or 0))
