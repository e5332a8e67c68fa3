"""The style sheet rules for values: a class for every colour and distance.

The page's policy forbids style attributes, so values become rules of the one style sheet. A text is only used in a rule
if ``domain.colors`` accepts it as a colour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from math import isfinite
from typing import Final

from webchat_sync.domain.colors import is_color
from webchat_sync.frozen import frozen
from webchat_sync.model import Json

MOST_PIXELS: Final = 400
"""The greatest distance of the bubble from an edge that the API accepts."""

SCALE: Final = 3
"""How many pixels of a visitor's page one pixel of the drawing represents."""


@frozen
class Paints:
    """Collects the colours and distances of one page, and assigns classes to them."""

    _rules: dict[str, str] = field(default_factory=dict)

    def color(self, text: Json) -> str:
        """The class that paints in ``text``; empty if it isn't a colour."""
        if not isinstance(text, str) or not is_color(text):
            return ""
        name = f"c-{text.removeprefix('#').lower()}"
        self._rules[name] = f"--brand:{text.lower()}"
        return name

    def distance(self, edge: str, pixels: int) -> str:
        """The class for a distance of ``pixels``, to scale, from ``edge``: ``bottom``, ``left`` or ``right``."""
        name = f"{edge}-{pixels}"
        self._rules[name] = f"padding-{edge}:{pixels / SCALE:.2f}px"
        return name

    def rules(self) -> Iterator[str]:
        """The rules, in the order of their requests."""
        for name, declaration in self._rules.items():
            yield f".{name}{{{declaration}}}"


def pixels_of(value: Json) -> int | None:
    """``value`` as a distance in whole pixels that the API accepts; None if it isn't one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return round(value) if 0 <= value <= MOST_PIXELS else None
