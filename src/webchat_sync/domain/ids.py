"""Ids of organisations, which are part of every path of the API, so each must be a single segment."""

from __future__ import annotations

import re
from typing import Final

_SLASH: Final = re.compile(r"[/\\]")


def is_id(text: str) -> bool:
    """Whether ``text`` can be an id: servers resolve ``..`` and empty segments even if they're quoted."""
    return {"", ".", ".."}.isdisjoint(_SLASH.split(text))


def no_id(text: str) -> str:
    """Why ``text`` isn't an id."""
    return "it would change the path of the request" if text else "it's empty"
