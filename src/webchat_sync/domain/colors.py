"""Colours of the widget: which texts are valid, and how readable white text is on them."""

from __future__ import annotations

import math
from typing import Final

from webchat_sync.lazy_pattern import lazy_pattern

LEAST_CONTRAST: Final = 3.0
"""The minimum in WCAG 2.2 between large text or a control and its background (1.4.3, 1.4.11)."""

_COLOR: Final = lazy_pattern(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")


def is_color(text: str) -> bool:
    """Whether ``text`` is a colour for the API: ``#rgb`` or ``#rrggbb``."""
    return _COLOR.fullmatch(text) is not None


def poor_contrast(color: str) -> str:
    """The contrast of white to ``color`` if it's below :data:`LEAST_CONTRAST`, such as ``2.96``; else empty.

    It's rounded down, so that 2.996 isn't shown as 3.00.
    """
    ratio = contrast_to_white(color)
    return f"{math.floor(ratio * 100) / 100:.2f}" if ratio < LEAST_CONTRAST else ""


def contrast_to_white(color: str) -> float:
    """The contrast ratio of ``color``, ``#rgb`` or ``#rrggbb``, to white: 1 to 21 (WCAG 2, relative luminance)."""
    digits = color.removeprefix("#")
    pairs = [digit * 2 for digit in digits] if len(digits) == 3 else [digits[at : at + 2] for at in (0, 2, 4)]
    red, green, blue = (_linear(int(pair, 16) / 255) for pair in pairs)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
