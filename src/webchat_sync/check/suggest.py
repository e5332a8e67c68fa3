"""Suggestions for unknown names."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from webchat_sync.domain.spelling import nearest
from webchat_sync.sentences import listed


def suggestion(name: str, known: Collection[str], elsewhere: Mapping[str, str]) -> str:
    """A hint for the unknown key ``name``; ``elsewhere`` says where keys belong that are known in other mappings."""
    if name in elsewhere:
        return f"It belongs {elsewhere[name]}."
    similar = nearest(name, known)
    return f"Did you mean `{similar}`?" if similar else f"Known keys: {listed(known)}."
