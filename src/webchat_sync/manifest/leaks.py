"""API keys do not belong in a manifest: how one is recognised, and how it is kept out of messages."""

from __future__ import annotations

import re
from typing import Final

KEY_MARK: Final = "mk_"
"""Every key of the vendor's begins with it: a cheap test before :func:`holds_key`."""

_KEY: Final = re.compile(r"mk_(?:live|test)_(?:[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+|[A-Za-z0-9_-]{8,})")


def holds_key(text: str) -> bool:
    """Whether ``text`` holds something of the form of an API key, ``mk_live_<prefix>.<secret>``."""
    return KEY_MARK in text and _KEY.search(text) is not None


def redact(text: str) -> str:
    """``text`` with ``***`` in the place of every API key."""
    return _KEY.sub("***", text)
