"""Lists, numbers and the ends of programs in sentences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

MOST_NAMED: Final = 10
"""How many names a message lists: there can be thousands of channels and organisations."""


def in_a_row(words: Sequence[str], *, last: str = "and", most: int | None = None) -> str:
    """``words`` with commas, and ``last`` before the last one; with ``most``, "A, B and 4 more" for any beyond it."""
    if most is not None and len(words) > most:
        words = [*words[:most], f"{len(words) - most:,} more"]
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def listed(names: Collection[str], *, last: str = "and") -> str:
    """``names``, quoted, as a list in a sentence, with the word ``last`` before the last one."""
    return in_a_row([f"`{name}`" for name in names], last=last)


def quoted(names: Sequence[str]) -> str:
    """``names`` in double quotes, with commas; beyond the first few, only how many more there are."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(f'"{name}"' for name in names[:MOST_NAMED]) + more


def candidates(name: str, known: Sequence[str]) -> str:
    """The names in ``known`` that are similar to ``name``, or else the first few of all, quoted for a hint."""
    from difflib import get_close_matches

    return quoted(get_close_matches(name, known, n=5, cutoff=0.5) or sorted(set(known))) or "none"


def counted(number: int, noun: str, many: str = "") -> str:
    """``number`` with thousands separators and its noun: ``1 channel``, ``1,200 channels``.

    ``many`` is the plural, if it isn't ``noun`` with an s. Either can be more than a noun: ``channel is``.
    """
    return f"{number:,} {noun if number == 1 else many or f'{noun}s'}"


def in_seconds(seconds: float) -> str:
    """``seconds`` with their unit: ``0.3 s``, ``1,400 s``."""
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.3g} s"


def ended(returncode: int) -> str:
    """How a program ended, after its name: ``exited with code 1``, or ``was killed by signal 9``."""
    return f"exited with code {returncode}" if returncode >= 0 else f"was killed by signal {-returncode}"
