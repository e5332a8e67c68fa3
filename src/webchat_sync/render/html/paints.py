"""The rules of the style sheet that values have a part in: a class per colour and every distance, by what it is.

The policy of the page allows no style in an attribute, so what a value asks for is a rule of the one style sheet. A
text becomes part of a rule only when it is a colour to ``domain.colors``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

from webchat_sync.domain.colors import is_color
from webchat_sync.model import Json

MOST_PIXELS: Final = 400
"""The greatest distance of the bubble from an edge that the API takes."""

_SCALE: Final = 3
"""How many pixels of a visitor's page are one of the drawing."""


@dataclass(frozen=True, slots=True)
class Paints:
    """Collects the colours and distances of one page, and gives them classes."""

    _rules: dict[str, str] = field(default_factory=dict)

    def color(self, text: Json) -> str:
        """The class that paints in ``text``; empty when that is no colour."""
        if not isinstance(text, str) or not is_color(text):
            return ""
        name = f"c-{text.removeprefix('#').lower()}"
        self._rules[name] = f"--brand:{text.lower()}"
        return name

    def distance(self, edge: str, pixels: int) -> str:
        """The class that keeps ``pixels``, to scale, from ``edge``, which is ``bottom``, ``left`` or ``right``."""
        name = f"{edge}-{pixels}"
        self._rules[name] = f"padding-{edge}:{pixels / _SCALE:.2f}px"
        return name

    def rules(self) -> Iterator[str]:
        """The rules, in the order in which they were asked for."""
        for name, declaration in self._rules.items():
            yield f".{name}{{{declaration}}}"


def pixels_of(value: Json) -> int | None:
    """``value`` as a distance in whole pixels that the API takes; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return round(value) if 0 <= value <= MOST_PIXELS else None
