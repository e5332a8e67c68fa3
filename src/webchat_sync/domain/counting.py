"""Numbers of things in sentences."""

from __future__ import annotations


def counted(number: int, noun: str, many: str = "") -> str:
    """``number`` with thousands separators and its noun: ``1 channel``, ``1,200 channels``.

    ``many`` is the plural, if it isn't ``noun`` with an s. Either can be more than a noun: ``channel is``.
    """
    return f"{number:,} {noun if number == 1 else many or f'{noun}s'}"
