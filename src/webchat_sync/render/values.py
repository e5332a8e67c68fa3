"""How a value is written where people read it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
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
    """As :func:`inline`, but a list or a map that would take more than ``width`` columns has a line for each entry.

    All lines but the first begin with ``indent``, and with two more blanks for each level inside.
    """
    line = inline(value)
    if not isinstance(value, (dict, list)) or len(indent) + len(line) <= width:
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        entries = [f"{inline(key)}: {block(each, indent=inner, width=width)}" for key, each in value.items()]
    else:
        entries = [block(each, indent=inner, width=width) for each in value]
    opening, closing = line[0], line[-1]
    return "\n".join(
        [opening, *(f"{inner}{entry}," for entry in entries[:-1]), f"{inner}{entries[-1]}", indent + closing]
    )


def age(passed: timedelta) -> str:
    """How long ago that is, in words, by the largest unit that fits: ``3 hours``."""
    seconds = int(passed.total_seconds())
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if count := seconds // length if seconds > 0 else 0:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
