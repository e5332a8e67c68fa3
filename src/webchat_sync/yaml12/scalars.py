"""How YAML 1.2 types a plain scalar: the core schema, section 10.3 of the specification.

YAML 1.1 would read ``18:00`` as 1080, ``no`` as false and ``010`` as 8; here they're two texts and the number 10.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from webchat_sync.jsonvalue import Json
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.strict_json import MOST_DIGITS

TYPED_STARTS: Final = frozenset(["", *"-+.0123456789~nNtTfF"])
"""The first characters (``text[:1]``) of plain scalars that may not be text."""

_WORDS: Final[Mapping[str, bool | None]] = {
    "": None,
    **dict.fromkeys(("null", "Null", "NULL", "~")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = lazy_pattern(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = lazy_pattern(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = lazy_pattern(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_BASES: Final = {"0o": 8, "0x": 16}


CORE: Final = "tag:yaml.org,2002:"
"""What ``!!`` at the start of a tag means."""

TEXT_TAGS: Final = ("!", f"{CORE}str")
"""The tags of text."""

_FITTING: Final[Mapping[str, type]] = {
    f"{CORE}int": int,
    f"{CORE}float": float,
    f"{CORE}bool": bool,
    f"{CORE}null": type(None),
}


class UnusableScalarError(ValueError):
    """A scalar that YAML reads as something that JSON, and thus the API, can't represent."""


def resolve(text: str) -> Json:
    """The value of the plain scalar ``text``; raises :class:`UnusableScalarError` if JSON can't represent it."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        _refuse_too_long(text)
        number = int(text[2:], _BASES[text[:2]]) if text[:2] in _BASES else int(text)
        _refuse_too_long(str(number))
        return number
    if _FLOAT.fullmatch(text):
        _refuse_too_long(text)
        if math.isinf(float(text)):
            raise UnusableScalarError("this number is too large")
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        raise UnusableScalarError(f"`{text}` is read as a number that isn't finite")
    return text


def resolve_tagged(tag: str, text: str) -> Json:
    """The value of a scalar with the tag ``tag``; raises :class:`UnusableScalarError` if they don't match."""
    if tag in TEXT_TAGS:
        return text
    if tag not in _FITTING:
        raise UnusableScalarError(f"the tag `{tag_name(tag)}` isn't known")
    value = resolve(text)
    if tag == f"{CORE}float" and type(value) is int:
        return float(value)
    if type(value) is not _FITTING[tag]:
        raise UnusableScalarError(f"the tag `{tag_name(tag)}` doesn't fit this value")
    return value


def is_text(text: str) -> bool:
    """Whether the plain scalar ``text`` is read as text."""
    try:
        return isinstance(resolve(text), str)
    except UnusableScalarError:
        return False


def tag_name(tag: str) -> str:
    """``tag`` as people write it."""
    return f"!!{tag.removeprefix(CORE)}" if tag.startswith(CORE) else tag


def _refuse_too_long(text: str) -> None:
    # A server would return it as JSON, which couldn't be read then.
    if len(text) > MOST_DIGITS:
        raise UnusableScalarError(f"this number has {len(text):,} characters; at most {MOST_DIGITS:,} are supported")
