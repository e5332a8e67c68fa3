"""JSON values, which is all that files and the API contain, and how messages show them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from webchat_sync.flat import flat

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

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


def mapping(value: Json) -> dict[str, Json]:
    """``value`` if it's a mapping, or else an empty one."""
    return value if isinstance(value, dict) else {}


def texts_in(value: Json) -> dict[str, None]:
    """Every text, key and number in ``value``, each once."""
    texts: dict[str, None] = {}
    waiting: list[Iterable[Json]] = [(value,)]
    while waiting:
        for inner in waiting.pop():
            if isinstance(inner, str):
                texts[inner] = None
            elif isinstance(inner, dict):
                texts.update(dict.fromkeys(inner))
                waiting.append(inner.values())
            elif isinstance(inner, list):
                waiting.append(inner)
            elif isinstance(inner, (int, float)) and not isinstance(inner, bool):
                texts[str(inner)] = None
    return texts


def is_unicode(text: str) -> bool:
    """Whether UTF-8, and thus a URL, can contain ``text``; the lone surrogates that JSON allows have no such form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_json(value: Json) -> str:
    """``value`` as JSON on one line."""
    import json  # imported late, since most commands don't need it at start-up

    return json.dumps(value, ensure_ascii=False)


def show(value: Json) -> str:
    """``value`` as JSON on one line, shortened, with escapes for everything invisible."""
    return brief(as_json(value))


def brief(text: str) -> str:
    """``text`` on one line, shortened, with escapes for everything invisible."""
    return flat(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")
