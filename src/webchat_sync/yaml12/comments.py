"""Finds the comments right above an entry, which are about it."""

from __future__ import annotations

import re
from typing import Final

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BLANKS: Final = " \t"


def comments_above(gap: str) -> str:
    """The end of ``gap``, the text before an entry, with the comments right above it and its indentation.

    Empty if there are none. The first line of ``gap`` belongs to what precedes it, and an empty line separates what's
    above it from the entry.
    """
    lines = _LINE.findall(gap)
    # The last line is the entry's indentation, after which the pattern also matches an empty text.
    lines = lines[:-1] if lines and not lines[-1] and len(lines) > 1 and not lines[-2].endswith(("\r", "\n")) else lines
    first = len(lines) - 1
    while first > 1 and lines[first - 1].lstrip(_BLANKS).startswith("#"):
        first -= 1
    return "" if first == len(lines) - 1 else "".join(lines[first:]).lstrip(_BLANKS)
