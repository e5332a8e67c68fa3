"""How long a regular expression from a manifest may take, since Python's engine tries one path after another.

The paths are counted from the pattern alone. A repetition of something that repeats, or of alternatives, has more than
can be tried; two unbounded repetitions have as many as the square of the text's length. What can't be counted has no
bound: possessive repetitions, back-references.
"""

from __future__ import annotations

import math
import re
from typing import Final

MOST_WAYS: Final = 100_000
"""The limit of paths through a text, which takes some milliseconds."""

LONGEST: Final = 10_000
"""The text length to count paths for, unless `maxLength` is lower."""

MOST_CHARACTERS: Final = 1_000
"""The limit of a pattern's length."""

_ATOM: Final = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*+\]|\\[^\d]|[^\\\[\](){}*+?|]|[{}\]]", re.DOTALL)
_TIMES: Final = re.compile(r"(?:([*+?])|\{(?!\})(\d*+)(,?)(\d*+)\})([?+]?)")
_EXTENSION: Final = re.compile(r"(?<!\\)(?:\\\\)*+\(\?(?!:)")
"""Groups with a special meaning: flags, which take long to compile, look-arounds, names."""


class _UncountedError(Exception):
    """The pattern contains something that can't be counted."""


def is_plain(pattern: str) -> bool:
    """Whether compiling ``pattern`` is sure to be fast."""
    return len(pattern) <= MOST_CHARACTERS and not _EXTENSION.search(pattern)


def ways(pattern: str, length: int = LONGEST) -> float:
    """The maximum number of ways to match ``pattern``, which is plain and compiles, with a text of that length."""
    try:
        count, end = _alternatives(pattern, 0, length)
    except (_UncountedError, RecursionError):
        return math.inf
    if end != len(pattern):
        return math.inf
    # Without an anchor, a match can start anywhere.
    return count if pattern.startswith("^") and not _has_alternatives(pattern) else count * (length + 1)


def _has_alternatives(pattern: str) -> bool:
    """Whether there may be a ``|`` outside groups, so that an anchor only applies to the first alternative."""
    return "|" in re.sub(r"\((?:[^()\\]|\\.)*+\)", "", pattern)


def _alternatives(pattern: str, at: int, length: int) -> tuple[float, int]:
    """The ways of the part from ``at`` to a closing bracket or the end, and its end."""
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
    """The ways of one character, class or group, with its repetition."""
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
    """The minimum and maximum number of repetitions in a text of ``length`` characters."""
    mark, least, comma, most, _ = times.groups()
    if mark:
        return (1 if mark == "+" else 0), (1 if mark == "?" else length)
    if not comma:
        return int(least), int(least)
    return int(least or 0), int(most) if most else max(length, int(least or 0))
