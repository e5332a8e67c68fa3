"""Formats values for people."""

from __future__ import annotations

import json
from datetime import timedelta

from webchat_sync.flat import flat, visible
from webchat_sync.model import Json, Missing
from webchat_sync.render.text_diff import columns, wrap
from webchat_sync.sentences import counted


def inline(value: Json | Missing) -> str:
    """``value`` as JSON on one line."""
    return "(unknown)" if isinstance(value, Missing) else visible(json.dumps(value, ensure_ascii=False))


def named(address: str, organization: str) -> str:
    """The name of a channel, with its organisation if that's given because there are several."""
    return inline(address) + (f" of {flat(organization)}" if organization else "")


def block(value: Json | Missing, *, indent: str, width: int, used: int | None = None) -> str:
    """Like :func:`inline`, but on several lines if it would take more than ``width`` columns.

    A list or a map then has one line per entry, and a text is wrapped. ``used`` is the number of columns before the
    value, by default those of ``indent``. All lines but the first start with ``indent``, and two spaces per level.
    """
    line, used_columns = inline(value), len(indent) if used is None else used
    if used_columns + columns(line) <= width:
        return line
    if isinstance(value, str):
        room = width - len(indent)
        return f"\n{indent}".join(wrap([(" ", line)], lambda piece: piece[1], width=room, first=width - used_columns))
    if not isinstance(value, (dict, list)) or not value:
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        entries = [_entry(f"{inline(key)}: ", item, inner, width) for key, item in value.items()]
    else:
        entries = [_entry("", item, inner, width) for item in value]
    opening, closing = line[0], line[-1]
    return "\n".join(
        [opening, *(f"{inner}{entry}," for entry in entries[:-1]), f"{inner}{entries[-1]}", indent + closing]
    )


def _entry(key: str, value: Json, indent: str, width: int) -> str:
    deeper = f"{indent}  " if isinstance(value, str) else indent
    return key + block(value, indent=deeper, width=width - 1, used=len(indent) + columns(key))


def age(passed: timedelta) -> str:
    """A duration in words, in the largest unit that fits: ``3 hours``."""
    seconds = int(passed.total_seconds())
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if count := seconds // length if seconds > 0 else 0:
            return counted(count, unit)
    return "less than a minute"
