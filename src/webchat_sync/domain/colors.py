"""Colours of the widget: which texts are valid, and how readable white text is on them."""

from __future__ import annotations

import math
from functools import cache
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
    red, green, blue = bytes.fromhex(digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))
    return 1.05 / (0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue) + 0.05)


@cache
def _linear(part: int) -> float:
    """The linear share of red, green or blue, from 0 to 1; ``part`` is from 0 to 255."""
    share = part / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
