"""Colours that are readable on light and dark backgrounds, and their replacements without colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from webchat_sync.frozen import frozen
from webchat_sync.render.text_diff import Piece

GREEN: Final = 28
AMBER: Final = 130
RED: Final = 160
BLUE: Final = 31
"""From the 256 terminal colours, of medium brightness; the 16 basic ones are too pale for some backgrounds."""

_OF: Final[Mapping[str, int]] = {
    "+": GREEN,
    "~": AMBER,
    "-": RED,
    "danger": RED,
    "warning": AMBER,
    "info": BLUE,
}
RESET: Final = "\x1b[0m"


@frozen
class Paint:
    """How to write a mark, the word for a level, and a piece of a changed text."""

    mark: Callable[[str], str]
    level: Callable[[str], str]
    piece: Callable[[Piece], str]


def paint(*, color: bool) -> Paint:
    """With colours, or with ``{+…+}`` for added and ``[-…-]`` for removed text."""
    return Paint(_mark, _level, _piece) if color else Paint(str, str, _bracketed)


def _mark(symbol: str) -> str:
    return f"\x1b[38;5;{_OF[symbol]}m{symbol}{RESET}"


def _level(level: str) -> str:
    return f"\x1b[1;38;5;{_OF[level]}m{level}{RESET}"


def _piece(piece: Piece) -> str:
    """Underlined if added, struck through if removed, so that it doesn't depend on colour alone."""
    mark, text = piece
    return text if mark == " " else f"\x1b[{4 if mark == '+' else 9};38;5;{_OF[mark]}m{text}{RESET}"


def _bracketed(piece: Piece) -> str:
    mark, text = piece
    return {" ": text, "-": f"[-{text}-]", "+": f"{{+{text}+}}"}[mark]
