"""The differences of a channel by field, with changed words marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from webchat_sync.domain.colors import is_color
from webchat_sync.errors import Place
from webchat_sync.flat import visible
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json, Missing
from webchat_sync.render.text_diff import Piece, compare
from webchat_sync.render.values import block
from webchat_sync.render.walk import Line, Side, Symbol, Words

LONGEST: Final = 280
"""The length after which a value is folded."""

_WIDTH: Final = 60
_CAPITAL: Final = lazy_pattern(r"(?<=[a-z0-9])(?=[A-Z])")


@frozen
class Cell:
    """One value in pieces, with what's only on this side marked. ``code``: it's JSON rather than plain text.

    ``head`` is the start of a long value, empty for one that isn't folded; ``size`` is its length in characters.
    """

    pieces: tuple[Piece, ...]
    code: bool = False
    head: str = ""
    size: int = 0


@frozen
class Row:
    """One difference: ``label`` is the field in words, ``path`` the place inside the channel."""

    symbol: Symbol
    label: str
    path: str
    before: Cell | None
    after: Cell | None
    remark: str
    place: Place | None


def row_of(line: Line) -> Row:
    """The row for one line of the walk."""
    before: Cell | None = None
    after: Cell | None = None
    if line.symbol == "~":
        before, after = _both(line.before, line.after)
    elif line.symbol == "-":
        before = _cell(line.before)
    else:
        after = _cell(line.after)
    return Row(line.symbol, label_of(line.field), line.path, before, after, line.remark, line.place)


def label_of(field: str) -> str:
    """The name of a field in words: ``Prechat fields`` for ``prechatFields``."""
    words = _CAPITAL.sub(" ", field).lower()
    return words[:1].upper() + words[1:]


def _both(before: Side, after: Side) -> tuple[Cell, Cell]:
    if isinstance(before, str) and isinstance(after, str):
        if is_color(before) and is_color(after):  # two common characters mean nothing
            return Cell((("-", before),)), Cell((("+", after),))
        pieces = compare(visible(before), visible(after))
        return _marked(pieces, "-", code=False), _marked(pieces, "+", code=False)
    if isinstance(before, dict | list) and isinstance(after, dict | list):
        pieces = compare(_json(before), _json(after))
        return _marked(pieces, "-", code=True), _marked(pieces, "+", code=True)
    return _cell(before), _cell(after)


def _marked(pieces: Sequence[Piece], mark: str, *, code: bool) -> Cell:
    return _folded(tuple(piece for piece in pieces if piece[0] in {" ", mark}), code=code)


def _cell(value: Side) -> Cell:
    if isinstance(value, Words):
        return _folded(((" ", value.text),), code=False)
    if isinstance(value, str):
        return _folded(((" ", value),), code=False)
    return _folded(((" ", _json(value)),), code=True)


def _json(value: Json | Missing) -> str:
    return block(value, indent="", width=_WIDTH)


def _folded(pieces: tuple[Piece, ...], *, code: bool) -> Cell:
    size = sum(len(text) for _, text in pieces)
    head = "".join(text for _, text in pieces)[:LONGEST] if size > LONGEST else ""
    return Cell(pieces, code, head, size)
