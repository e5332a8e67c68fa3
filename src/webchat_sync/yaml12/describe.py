"""What a value is, and how a message shows it."""

from __future__ import annotations

import json
from typing import Final

from webchat_sync.jsonvalue import Json

_LONGEST: Final = 60


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
    return printable(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def printable(text: str) -> str:
    """``text`` with an escape for each character that cannot be seen, line breaks included."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
