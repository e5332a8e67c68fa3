"""Suggests the name that a misspelt one probably means."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from webchat_sync.lazy_pattern import lazy_pattern

_LONGEST: Final = 60
"""The number of characters of a name to compare."""

_NOT_WORD: Final = lazy_pattern(r"[\W_]+")


def nearest(name: str, known: Collection[str], *, likeness: float = 0.6) -> str | None:
    """The one of ``known`` that ``name`` probably means, ignoring case and separators; None if none is similar.

    ``likeness`` is the required similarity, from 0 to 1.
    """
    from difflib import get_close_matches

    folded = {_fold(candidate): candidate for candidate in known}
    close = get_close_matches(_fold(name[:_LONGEST]), folded, n=1, cutoff=likeness)
    return folded[close[0]] if close else None


def _fold(name: str) -> str:
    return _NOT_WORD.sub("", name).lower()
