"""Makes text from elsewhere fit to print: without secrets, on one line, of bounded length."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Final

from webchat_sync.model import Secret

MAX_LENGTH: Final = 1000
SHORTEST_PART: Final = 8
"""A shorter part of a key says nothing, and would be found in ordinary words."""
EXCERPT_LENGTH: Final = 200
EXCERPT_SOURCE: Final = 8_000
MARKUP: Final = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)|<[^<>]*>", re.DOTALL | re.IGNORECASE)


def hide(text: str, secrets: Iterable[Secret]) -> str:
    """``text`` with ``***`` for each secret in it, and for the part of an API key after its dot."""
    for whole in filter(None, (secret.reveal() for secret in secrets)):
        text = text.replace(whole, "***")
        after_dot = whole.partition(".")[2]
        if len(after_dot) >= SHORTEST_PART:
            text = text.replace(after_dot, "***")
    return text


def one_line(text: str, limit: int = MAX_LENGTH) -> str:
    """``text`` without control characters and line breaks, at most ``limit`` characters long."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def excerpt(text: str) -> str:
    """The beginning of a page in words: one line of at most 200 characters, without tags and scripts."""
    return one_line(html.unescape(MARKUP.sub(" ", text[:EXCERPT_SOURCE])), EXCERPT_LENGTH)
