"""What JSON can say, which is all that files and the API hold, and how a message shows it."""

from __future__ import annotations

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


def as_json(value: Json) -> str:
    """``value`` as JSON in one line."""
    import json  # what most commands do without at their start

    return json.dumps(value, ensure_ascii=False)


def show(value: Json) -> str:
    """``value`` as JSON in one line, shortened, with an escape for everything that cannot be seen."""
    return brief(as_json(value))


def brief(text: str) -> str:
    """``text`` in one line, shortened, with an escape for everything that cannot be seen."""
    return flat(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")
