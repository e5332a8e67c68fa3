"""Values, types and names in plain words, and the nearest known name for a misspelt one."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from webchat_sync.flat import flat
from webchat_sync.model import Json

_LONGEST: Final = 60
_NOT_WORD: Final = re.compile(r"[\W_]+")

TYPES: Final[Mapping[str, str]] = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
"""The types of JSON Schema as a sentence names them."""


def kind(value: Json) -> str:
    """What ``value`` is: text, a number, a yes-or-no value, null, a list or a mapping."""
    match value:
        case None:
            return "null"
        case bool():
            return "a yes-or-no value"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def show(value: Json) -> str:
    """``value`` as JSON in one line, shortened, with an escape for everything that cannot be seen."""
    return brief(json.dumps(value, ensure_ascii=False))


def brief(text: str) -> str:
    """``text`` in one line, shortened, with an escape for everything that cannot be seen."""
    return flat(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def nearest(name: str, known: Collection[str]) -> str | None:
    """The one of ``known`` that ``name`` most likely means, whatever its case and its separators."""
    from difflib import get_close_matches

    folded = {_fold(each): each for each in known}
    close = get_close_matches(_fold(name), folded, n=1)
    return folded[close[0]] if close else None


def suggestion(name: str, known: Collection[str], elsewhere: Mapping[str, str]) -> str:
    """What to do about the unknown key ``name``; ``elsewhere`` says of keys known in other mappings where they go."""
    if name in elsewhere:
        return f"It belongs {elsewhere[name]}."
    meant = nearest(name[:_LONGEST], known)
    return f"Did you mean `{meant}`?" if meant else f"Known here: {listed(known)}."


def listed(names: Collection[str], *, last: str = "and") -> str:
    """``names`` as a list in a sentence, with the word ``last`` before the last one."""
    return in_a_row([f"`{each}`" for each in names], last=last)


def in_a_row(words: Sequence[str], *, last: str = "and") -> str:
    """``words`` with commas between them and the word ``last`` before the last one."""
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final


def _fold(name: str) -> str:
    return _NOT_WORD.sub("", name).lower()
