"""Colours that can be read on a light and on a dark background, and what stands for them where there are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from webchat_sync.render.text_diff import Piece

GREEN: Final = 28
AMBER: Final = 130
RED: Final = 160
BLUE: Final = 31
"""Of the 256 colours of a terminal, of middle brightness; the 16 basic ones are too pale for one side or the other."""

_OF: Final[Mapping[str, int]] = {
    "+": GREEN,
    "~": AMBER,
    "-": RED,
    "danger": RED,
    "warning": AMBER,
    "info": BLUE,
}
_RESET: Final = "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Paint:
    """How a mark, the word for a level, and a piece of a text that changes are written."""

    mark: Callable[[str], str]
    level: Callable[[str], str]
    piece: Callable[[Piece], str]


def paint(*, color: bool) -> Paint:
    """With colours, or without: then ``{+…+}`` is what is added to a text and ``[-…-]`` what is removed."""
    return Paint(_mark, _level, _piece) if color else Paint(str, str, _bracketed)


def _mark(symbol: str) -> str:
    return f"\x1b[38;5;{_OF[symbol]}m{symbol}{_RESET}"


def _level(level: str) -> str:
    return f"\x1b[1;38;5;{_OF[level]}m{level}{_RESET}"


def _piece(piece: Piece) -> str:
    """Underlined is added, struck through is removed, so that colour is not all that tells them apart."""
    mark, text = piece
    return text if mark == " " else f"\x1b[{4 if mark == '+' else 9};38;5;{_OF[mark]}m{text}{_RESET}"


def _bracketed(piece: Piece) -> str:
    mark, text = piece
    return {" ": text, "-": f"[-{text}-]", "+": f"{{+{text}+}}"}[mark]
