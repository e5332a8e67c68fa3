"""Lists of names in sentences, and suggestions for unknown names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from webchat_sync.domain.spelling import nearest


def suggestion(name: str, known: Collection[str], elsewhere: Mapping[str, str]) -> str:
    """A hint for the unknown key ``name``; ``elsewhere`` says where keys belong that are known in other mappings."""
    if name in elsewhere:
        return f"It belongs {elsewhere[name]}."
    similar = nearest(name, known)
    return f"Did you mean `{similar}`?" if similar else f"Known keys: {listed(known)}."


def listed(names: Collection[str], *, last: str = "and") -> str:
    """``names``, quoted, as a list in a sentence, with the word ``last`` before the last one."""
    return in_a_row([f"`{name}`" for name in names], last=last)


def in_a_row(words: Sequence[str], *, last: str = "and") -> str:
    """``words`` separated by commas, with the word ``last`` before the last one."""
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final
