"""Comments: which of them stand right above an entry, and so are about it."""

from __future__ import annotations

import re
from typing import Final

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BLANKS: Final = " \t"


def comments_above(gap: str) -> str:
    """The end of ``gap``, which stands before an entry, that holds the comments right above it and its indentation.

    Empty when there are none. What stands on the first line of ``gap`` is about what is before it, and an empty line
    parts what is above it from the entry.
    """
    lines = _LINE.findall(gap)
    # The last line is the indentation of the entry, and behind it the pattern matches the empty text once more.
    lines = lines[:-1] if lines and not lines[-1] and len(lines) > 1 and not lines[-2].endswith(("\r", "\n")) else lines
    first = len(lines) - 1
    while first > 1 and lines[first - 1].lstrip(_BLANKS).startswith("#"):
        first -= 1
    return "" if first == len(lines) - 1 else "".join(lines[first:]).lstrip(_BLANKS)
