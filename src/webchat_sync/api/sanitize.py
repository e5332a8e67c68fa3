"""Makes foreign text printable: without secrets, on one line, of limited length."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from webchat_sync.flat import flat
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.leaks import redact_text
from webchat_sync.model import Secret
from webchat_sync.redact import HIDDEN, redact

MAX_LENGTH: Final = 1000
EXCERPT_LENGTH: Final = 200
EXCERPT_SOURCE: Final = 8_000
UUID: Final = lazy_pattern(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""The usual form of a request id, which isn't a secret."""
LIKE_A_SECRET: Final = lazy_pattern(
    r"[\w+/=.%~-]{24,}|(?=[\w+/=.%~-]*[0-9]|[\w+/=.%~-]+[A-Z])[\w+/=.%~-]{12,}", re.ASCII
)
"""What an unknown secret may look like, unlike the words of a message."""
MARKUP: Final = lazy_pattern(r"<(script|style)\b.*?(</\1\s*>|\Z)|<[^<>]*>", re.DOTALL | re.IGNORECASE)


def hide(text: str, secrets: Iterable[Secret], *, tokens: bool = False) -> str:
    """``text`` without the secrets and without keys of known forms.

    With ``tokens``, anything that could be an unknown secret is removed, too.
    """
    if tokens and not UUID.fullmatch(text):
        text = LIKE_A_SECRET.sub(HIDDEN, text)
    return redact(redact_text(text), secrets)


def one_line(text: str, limit: int = MAX_LENGTH) -> str:
    """``text`` without line breaks, with invisible characters escaped, at most ``limit`` characters long."""
    line = flat(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def excerpt(text: str) -> str:
    """The start of a page's text: one line of at most 200 characters, without tags and scripts."""
    import html

    return one_line(html.unescape(MARKUP.sub(" ", text[:EXCERPT_SOURCE])), EXCERPT_LENGTH)
