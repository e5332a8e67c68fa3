"""How long a regular expression from elsewhere may take, since Python's engine tries one path after another.

Steps are counted from the pattern alone, for the worst text of a given length: looking at a character or a position is
one, and so is a repetition. What comes after a part is tried again for every way to match that part. Two unbounded
repetitions therefore take about the square of the text's length, and repeating something that has several ways takes
more than can be tried. What can't be counted is refused.
"""

from __future__ import annotations

import math
import re
import warnings
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern

_DEEPEST: Final = 40
"""The limit of groups in groups."""

_WIDEST: Final = 10_000
"""The limit of characters in the ranges of a case-insensitive pattern, since compiling it looks at all of them."""

_MOST_CLASSES: Final = 20
"""The limit of classes in a pattern with characters beyond Latin-1: compiling one takes some milliseconds."""

_MANY: Final = 1_000
"""A repetition with more ways than this is named as the cause."""

_ATOM: Final = lazy_pattern(r"\[\^?\]?(?:[^\]\\]|\\.)*+\]|\\[^1-9]|[^\\\[\](){}*+?|]|[{}\]]", re.DOTALL)
_TIMES: Final = lazy_pattern(r"(?:([*+?])|\{(?!\})(\d*+)(,?)(\d*+)\})([?+]?)")
_FLAGS: Final = lazy_pattern(r"(?:\(\?[aimsu]+\))+")
_GROUP: Final = lazy_pattern(r"\((?!\?)|\(\?(?:(?P<once>[=!>]|<[=!])|P<\w+>|[aimsu]*(?:-[ims]+)?:)")
_ANCHOR: Final = lazy_pattern(r"\^|\\A")
_IGNORES_CASE: Final = lazy_pattern(r"\(\?[a-z]*i")
_ESCAPED_CHARACTER: Final = lazy_pattern(r"(?<!\\)(?:\\\\)*+\\[xuUN\d]")
_RANGE: Final = lazy_pattern(r"(?=(.)-\\?(.))", re.DOTALL)


@frozen(slots=False)
class Limits:
    """How many ``characters`` a pattern may have, and how many ``steps`` it may take in any ``text`` of that length."""

    characters: int
    text: int
    steps: int


def pattern_flaw(pattern: str, limits: Limits) -> Diagnostic | None:
    """Why ``pattern`` is invalid, or may take too long to compile or to search a text for; None if it's fine."""
    try:
        _check_compiling(pattern, limits.characters)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
        reader = _Reader(pattern, limits.text)
        if reader.steps() > limits.steps:
            raise reader.repeated_choice or _TooSlowError(
                f"it can take more than {limits.steps:,} steps, for text of up to {limits.text:,} characters",
                "Begin it with `^`, and use fewer of `*`, `+`, `?`, `{…}` and `|`.",
            )
    except _TooSlowError as error:
        return Diagnostic(f"this pattern can take too long: {error.reason}", hint=error.hint)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        hint = "Use a regular expression, for example `^[a-z]+$`."
        return Diagnostic(f"this isn't a valid pattern: {error}", hint=hint)
    return None


class _TooSlowError(Exception):
    """The pattern has too many steps, or something whose steps can't be counted."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def _check_compiling(pattern: str, most_characters: int) -> None:
    if len(pattern) > most_characters:
        raise _TooSlowError(f"it has more than {most_characters:,} characters", "Use a shorter pattern.")
    if pattern.count("[") > _MOST_CLASSES and (max(pattern) > "\xff" or _ESCAPED_CHARACTER.search(pattern)):
        raise _TooSlowError(
            f"it has more than {_MOST_CLASSES} character classes, with characters beyond Latin-1 or escapes such as "
            "`\\x41`",
            "Use fewer classes in one pattern.",
        )
    if _IGNORES_CASE.search(pattern):
        width = sum(ord(last) - ord(first) for first, last in _RANGE.findall(pattern))
        if width > _WIDEST or _ESCAPED_CHARACTER.search(pattern):
            raise _TooSlowError(
                "it ignores case, and has large ranges or escapes such as `\\x41`",
                "Remove the flag `i`, or write the characters themselves, in ranges such as `[a-z]`.",
            )


@frozen(slots=False)
class _Cost:
    """The maximum number of ``ways`` to match a part from one position, and of ``steps`` to try all of them."""

    ways: float
    steps: float

    def then(self, following: _Cost) -> _Cost:
        return _Cost(self.ways * following.ways, self.steps + self.ways * following.steps)

    def repeated(self, least: int, most: int) -> _Cost:
        """The cost of repeating it ``least`` to ``most`` times."""
        once = self.steps + 1
        if self.ways == 1:
            return _Cost(most - least + 1, most * once)
        ways, steps, reached = 0.0, 0.0, 1.0
        for times in range(most + 1):
            ways += reached if times >= least else 0
            steps += reached * once if times < most else 0
            reached *= self.ways
            if math.isinf(reached):
                return _Cost(math.inf, math.inf)
        return _Cost(ways, steps)


class _Reader:
    """Reads a pattern that compiles, and counts the steps in any text of ``length`` characters."""

    def __init__(self, pattern: str, length: int) -> None:
        self._pattern, self._length = pattern, length
        flags = _FLAGS.match(pattern)
        self._at = flags.end() if flags else 0
        self._anchors = not (flags and "m" in flags[0])
        self._depth = 0
        self.repeated_choice: _TooSlowError | None = None
        """Set once a group that can match in several ways is repeated often."""

    def steps(self) -> float:
        """The steps of searching: without an anchor, a match can start anywhere."""
        starts, total = self._length + 1, 0.0
        while True:
            anchored = self._anchors and _ANCHOR.match(self._pattern, self._at)
            total += self._sequence().steps * (1 if anchored else starts) + starts
            if self._at == len(self._pattern):
                return total
            self._at += 1

    def _sequence(self) -> _Cost:
        """The cost up to a ``|``, a closing bracket or the end."""
        cost = _Cost(1, 0)
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            cost = cost.then(self._piece())
        return cost

    def _piece(self) -> _Cost:
        """The cost of one character, class or group, with its repetition."""
        if self._pattern[self._at] == "(":
            cost = self._group()
        elif atom := _ATOM.match(self._pattern, self._at):
            self._at = atom.end()
            cost = _Cost(1, 1)
        else:
            raise _TooSlowError("it has a backreference", "Remove the backreference.")
        times = _TIMES.match(self._pattern, self._at)
        if times is None:
            return cost
        self._at = times.end()
        least, most = _bounds(times, self._length)
        choice, cost = cost.ways > 1, cost.repeated(least, most)
        if choice and cost.ways > _MANY:
            self.repeated_choice = _TooSlowError(
                "it repeats a group that contains a repetition or an alternative",
                "Don't repeat groups that contain `*`, `+`, `?`, `{…}` or `|`.",
            )
        return _Cost(1, cost.steps) if times[5] == "+" else cost

    def _group(self) -> _Cost:
        opening = _GROUP.match(self._pattern, self._at)
        if opening is None:
            beginning = self._pattern[self._at : self._at + 4]
            # `(?P` itself also begins a named group, which is supported.
            written = beginning if beginning.startswith("(?P") else beginning[:3]
            raise _TooSlowError(f"it contains `{written}`, which isn't supported", "Use a group without a `?`.")
        if self._depth == _DEEPEST:
            raise _TooSlowError(f"it has more than {_DEEPEST} groups inside each other", "Use fewer groups.")
        self._at = opening.end()
        self._depth += 1
        ways, steps = 0.0, 0.0
        while True:
            cost = self._sequence()
            ways, steps = ways + cost.ways, steps + cost.steps
            self._at += 1
            if self._pattern[self._at - 1] == ")":
                break
        self._depth -= 1
        # A look-around or an atomic group isn't tried in another way once it has matched.
        return _Cost(1 if opening["once"] else ways, steps)


def _bounds(times: re.Match[str], length: int) -> tuple[int, int]:
    """The minimum and maximum number of repetitions, of which one may match nothing, and the last one may fail."""
    mark, least, comma, most, _ = times.groups()
    if mark:
        return (1 if mark == "+" else 0), (1 if mark == "?" else length + 2)
    if not comma:
        return int(least), int(least)
    return int(least or 0), int(most) if most else max(length, int(least or 0)) + 2
