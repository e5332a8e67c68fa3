"""Ids of organisations, which are a part of every path of the API: what stays one segment, whoever resolves it."""

from __future__ import annotations

import re
from typing import Final

NO_SEGMENT: Final = "it's empty or would change the path of the request"
"""Why a text that is not empty is no id."""

_SLASH: Final = re.compile(r"[/\\]")


def is_id(text: str) -> bool:
    """Whether ``text`` can be an id: servers resolve ``..`` and empty steps also where they are quoted."""
    return {"", ".", ".."}.isdisjoint(_SLASH.split(text))
