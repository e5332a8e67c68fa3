"""Names in a sentence, and the nearest known name for a misspelt one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

_LONGEST: Final = 60
"""Of a longer name only this many characters are compared."""

_NOT_WORD: Final = re.compile(r"[\W_]+")


def nearest(name: str, known: Collection[str]) -> str | None:
    """The one of ``known`` that ``name`` most likely means, whatever its case and its separators."""
    from difflib import get_close_matches

    folded = {_fold(candidate): candidate for candidate in known}
    close = get_close_matches(_fold(name), folded, n=1)
    return folded[close[0]] if close else None


def suggestion(name: str, known: Collection[str], elsewhere: Mapping[str, str]) -> str:
    """What to do about the unknown key ``name``; ``elsewhere`` says of keys known in other mappings where they go."""
    if name in elsewhere:
        return f"It belongs {elsewhere[name]}."
    meant = nearest(name[:_LONGEST], known)
    return f"Did you mean `{meant}`?" if meant else f"Known here: {listed(known)}."


def listed(names: Collection[str], *, last: str = "and") -> str:
    """``names`` as a list in a sentence, with the word ``last`` before the last one."""
    return in_a_row([f"`{name}`" for name in names], last=last)


def in_a_row(words: Sequence[str], *, last: str = "and") -> str:
    """``words`` with commas between them and the word ``last`` before the last one."""
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final


def _fold(name: str) -> str:
    return _NOT_WORD.sub("", name).lower()
