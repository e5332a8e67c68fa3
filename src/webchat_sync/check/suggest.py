"""Names in a sentence, and what to do about one that nobody knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from webchat_sync.domain.spelling import nearest


def suggestion(name: str, known: Collection[str], elsewhere: Mapping[str, str]) -> str:
    """What to do about the unknown key ``name``; ``elsewhere`` says of keys known in other mappings where they go."""
    if name in elsewhere:
        return f"It belongs {elsewhere[name]}."
    meant = nearest(name, known)
    return f"Did you mean `{meant}`?" if meant else f"Known keys: {listed(known)}."


def listed(names: Collection[str], *, last: str = "and") -> str:
    """``names`` as a list in a sentence, with the word ``last`` before the last one."""
    return in_a_row([f"`{name}`" for name in names], last=last)


def in_a_row(words: Sequence[str], *, last: str = "and") -> str:
    """``words`` with commas between them and the word ``last`` before the last one."""
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final
