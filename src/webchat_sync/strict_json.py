"""Reads JSON that someone else may have written: RFC 8259, within limits that all later steps can handle."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from webchat_sync.lazy_pattern import lazy_pattern

DEEPEST: Final = 100
"""The limit of nested objects and lists; in YAML, including those behind aliases."""

MOST_DIGITS: Final = 300
"""Characters of a number: shorter integers can be compared with any number, and shown."""

_MARK: Final = lazy_pattern(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[{\]}]', re.DOTALL)
_SHOWN: Final = 60

_ZEROS: Final = bytes.maketrans(b"123456789", b"0" * 9)
"""Replaces every digit by 0."""

_STEP: Final = 30
_LONG_NUMBER: Final = b"0" * (MOST_DIGITS // _STEP)
"""What's left of a number that's too long, of every 30th character, even if its sign is one of its characters."""

_ESCAPES: Final = rb"\/bfnrtu"
"""Backslashes, and what can follow them apart from a quote."""

_BETWEEN_MARKS: Final = bytes({*range(256)} - {*b'{}[]"', *_ESCAPES})
_AS_LISTS: Final = bytes.maketrans(b"{}", b"[]")
_STRING: Final = lazy_pattern(rb'"[^"]*"')

_FLAWS: Final[Mapping[str, str]] = {
    "Expecting value": "a value is missing",
    "Expecting property name": "a key in double quotes is missing",
    "Expecting ':'": "a colon is missing",
    "Expecting ','": "a comma is missing",
    "Illegal trailing comma": "a comma has nothing after it",
    "Extra data": "there's text after the end of the document",
    "Unterminated string": "a string isn't closed",
    "Invalid control character": "a control character isn't escaped",
    "Invalid \\": "an escape sequence isn't valid",
    "Unexpected UTF-8 BOM": "it begins with a byte order mark",
}
"""The beginnings of the messages of Python's decoder, put in words."""


class JsonError(ValueError):
    """The text isn't JSON, or exceeds a limit: ``it isn't JSON: …`` or ``it can't be read: …``, with the ``reason``.

    ``line`` and ``column`` count from 1. ``beyond``: it has too many levels, too long a number, or a key twice.
    """

    def __init__(self, reason: str, line: int = 1, column: int = 1, *, beyond: bool = False) -> None:
        super().__init__(f"it can't be read: {reason}" if beyond else f"it isn't valid JSON: {reason}")
        self.reason = reason
        self.line = line
        self.column = column
        self.beyond = beyond


def load_json(data: str | bytes, *, unique_keys: bool = False) -> Any:  # noqa: ANN401 - as json.loads
    """The value in ``data``, which has at most DEEPEST levels and MOST_DIGITS characters in a number.

    With ``unique_keys``, as in all our documents, no object may repeat a key; otherwise, the last one counts. Raises
    JsonError, including for numbers that JSON doesn't have: NaN and those that exceed a double.
    """
    text, encoded = _both(data)
    try:
        value = json.loads(
            text,
            parse_constant=_no_number,
            # The parser's own function, which is much faster, unless there may be a number that's too long.
            parse_int=_integer if _LONG_NUMBER in encoded[::_STEP].translate(_ZEROS) else None,
            parse_float=_finite,
            object_pairs_hook=_unique if unique_keys else None,
        )
    except json.JSONDecodeError as error:
        flaw = next((words for begin, words in _FLAWS.items() if error.msg.startswith(begin)), error.msg)
        raise JsonError(flaw, error.lineno, error.colno) from None
    except _NumberError as error:
        raise _at(text, text.find(error.literal), error.reason, beyond=error.beyond) from None
    except RecursionError:
        raise _too_deep(text) from None
    if _is_deeper(encoded, DEEPEST):
        raise _too_deep(text)
    return value


def texts(entry: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """The values of ``names``, which must be text. Raises KeyError and TypeError, without quoting the values."""
    values = [entry[name] for name in names]
    if any(type(value) is not str for value in values):
        raise TypeError
    return values


class _NumberError(Exception):
    def __init__(self, reason: str, literal: str, *, beyond: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.literal = literal
        self.beyond = beyond


def _both(data: str | bytes) -> tuple[str, bytes]:
    """``data`` as text, and in UTF-8."""
    if isinstance(data, str):
        return data, data.encode("utf-8", "surrogatepass")
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise JsonError("not UTF-8") from None
    return text, data if encoding.startswith("utf-8") else text.encode("utf-8", "surrogatepass")


def _no_number(constant: str) -> NoReturn:
    raise _NumberError(f"{constant} isn't a JSON number", constant)


def _integer(literal: str) -> int:
    return int(_bounded(literal))


def _finite(literal: str) -> float:
    number = float(_bounded(literal))
    if math.isinf(number):
        raise _NumberError(f"the number {literal[:_SHOWN]} is too large", literal)
    return number


def _bounded(literal: str) -> str:
    if len(literal) > MOST_DIGITS:
        reason = f"a number has {len(literal):,} characters; at most {MOST_DIGITS:,} are supported"
        raise _NumberError(reason, literal, beyond=True)
    return literal


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise JsonError(f"the key {json.dumps(twice[:_SHOWN])} appears twice in one object", beyond=True)
    return entries


def _is_deeper(encoded: bytes, most: int) -> bool:
    """Whether more than ``most`` objects and lists are nested in a valid document; without recursion.

    Only its brackets are looked at, outside of strings: that takes half as long as looking at every value.
    """
    unescaped = encoded.translate(None, _BETWEEN_MARKS).replace(rb"\\", b"").replace(rb"\"", b"")
    brackets = _STRING.sub(b"", unescaped.translate(_AS_LISTS, _ESCAPES).replace(b'""', b""))
    for _ in range(most):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _too_deep(text: str) -> JsonError:
    depth = 0
    for mark in _MARK.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark.group(), 0)
        if depth > DEEPEST:
            reason = f"more than {DEEPEST} objects and lists are nested inside each other"
            return _at(text, mark.start(), reason, beyond=True)
    # The parser hit its own recursion limit before ours.
    return JsonError("too many objects and lists are nested inside each other", beyond=True)


def _at(text: str, index: int, reason: str, *, beyond: bool) -> JsonError:
    before = text[: max(index, 0)]
    return JsonError(reason, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1, beyond=beyond)
