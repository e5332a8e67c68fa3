"""How a value is written where people read it."""

from __future__ import annotations

import json
import re
from typing import Final

from webchat_sync.model import Json, Missing

HIDDEN: Final = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""What a terminal would obey or hide: control characters but the line feed, overrides of the direction of text."""


def visible(text: str) -> str:
    """``text`` with each hidden character as its escape, ``\\u202e``."""
    return HIDDEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def inline(value: Json | Missing) -> str:
    """``value`` as JSON on one line."""
    return "(unknown)" if isinstance(value, Missing) else visible(json.dumps(value, ensure_ascii=False))


def block(value: Json | Missing, *, indent: str, width: int) -> str:
    """As :func:`inline`; a list or a map over ``width`` columns takes several lines, indented from the second on."""
    line = inline(value)
    if not isinstance(value, (dict, list)) or len(line) <= width:
        return line
    return visible(json.dumps(value, ensure_ascii=False, indent=2)).replace("\n", f"\n{indent}")
