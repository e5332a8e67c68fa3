"""Lays a document out in the canonical way: key order, quotes, list style. Comments are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import Final, TypeAlias

from webchat_sync.errors import Path
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.yaml12.document import LINE_BREAK
from webchat_sync.yaml12.emit import (
    emit_after_key,
    emit_as_written,
    emit_inline,
    emit_key,
    emit_quoted,
    is_short,
)
from webchat_sync.yaml12.gaps import Line, gap, indented, tidy
from webchat_sync.yaml12.interpolation import MARK
from webchat_sync.yaml12.layout import Node
from webchat_sync.yaml12.pieces import Piece, Pieces

WIDTH: Final = 100
"""The maximum width of a mapping in brackets; a wider one gets a line for every key."""

_WHITE: Final = " \t\r\n"
"""White space in YAML; a no-break space is a letter."""

_STEP: Final = 2
_BREAKS: Final = lazy_pattern(r"[\r\n]+")
_GAP: Final = lazy_pattern(r"\n{3,}")
"""More than one empty line."""

_FLOW: Final = frozenset(",[]{}")


@frozen
class Order:
    """The keys that come first in a mapping, and those that come last; all others stay in between."""

    first: Sequence[str] = ()
    last: Sequence[str] = ()


Orders: TypeAlias = Callable[[Path], Order]
"""Returns the key order of the mapping at a path."""


@frozen
class _Value:
    """What follows a key or a dash, on the same line and on the lines below; ``above`` moves before the entry."""

    first: str
    below: tuple[str, ...] = ()
    above: tuple[Line, ...] = ()


def reformat(text: str, roots: Sequence[Node], orders: Orders, *, newline: str) -> str:
    """``text``, whose documents were laid out without variables, in the canonical layout.

    Raises CannotLayOutError for a key on several lines, or one with an anchor.
    """
    done = carried = ""
    at = 0
    filled = [root for root in roots if root.kind == "mapping" and root.entries]
    ends = [*(root.start for root in filled), len(text)][1:]
    for root, until in zip(filled, ends, strict=True):
        before = _squeezed(carried + text[at : root.start].rstrip(" \t"), newline)
        before = before if done else before.lstrip("\r\n")
        if before and not before.endswith(("\n", "\r")):
            before += newline  # `---` is on a line of its own
        at = root.end
        # A comment after the last bracket moves to its own line; comments below the last value stay there.
        rest = text[at:until]
        trailing = gap(rest).trailing if root.flow else ""
        under = "" if root.flow else indented(rest)
        lines = _Printer(text, orders).document(root, gap(under).above)
        done += before + newline.join([*lines, *([trailing] if trailing else [])])
        at += len(under) or (rest.index(trailing) + len(trailing))
        carried = newline if under else ""
    return done + _squeezed((carried + text[at:]).rstrip(), newline) + newline


def _squeezed(text: str, newline: str) -> str:
    """``text``, which is around documents, with one empty line wherever it has more, and no white space at ends."""
    lines = "\n".join(line.rstrip(" \t") for line in LINE_BREAK.split(text))
    return _GAP.sub("\n\n", lines).replace("\n", newline)


class _Printer:
    def __init__(self, text: str, orders: Orders) -> None:
        self._text = text
        self._orders = orders
        self._read = Pieces(text)
        self._inlined: dict[int, str | None] = {}

    def document(self, root: Node, tail: tuple[Line, ...]) -> list[str]:
        """The lines of a whole document, a mapping, and of the comments after its last value."""
        self._read.put_below(root, tail)
        prefix = [self._prefix(root)] if self._prefix(root) else []
        return [*prefix, *self._block_mapping(root, 0, ())]

    def _block_mapping(self, node: Node, indent: int, path: Path) -> list[str]:
        lines: list[str] = []
        for index, piece in enumerate(self._pieces(node, path)):
            inside = (*path, piece.key or "")
            key = "<<" if piece.merge else emit_key(piece.key or "")
            value = self._value(piece.node, indent, inside, column=indent + len(key) + 2)
            lines += self._entry(piece, f"{key}:", value, indent, first=index == 0)
        return [*lines, *self._last_lines(node, indent)]

    def _block_list(self, node: Node, indent: int, path: Path) -> list[str]:
        lines: list[str] = []
        for index, piece in enumerate(self._pieces(node, path)):
            inside = (*path, index)
            nested = piece.node.kind in ("mapping", "list") and not self._prefix(piece.node)
            # The first value starts next to the dash, so what's above it is above the item.
            lifted = self._lifted(piece.node) if nested else ()
            item = self._item(piece.node, indent, inside)
            moves = piece.trailing and self._has_lines(piece.node, indent + _STEP, inside)
            dash = (Line(piece.trailing),) if moves else ()
            above = (*piece.above, *dash, *lifted)
            shown = replace(piece, above=above, trailing="" if moves else piece.trailing)
            lines += self._entry(shown, "-", item, indent, first=index == 0)
        return [*lines, *self._last_lines(node, indent)]

    def _lifted(self, node: Node) -> tuple[Line, ...]:
        """The comments above its first value, which no longer keep ``node`` from being on one line."""
        self._inlined.pop(id(node), None)
        return self._read.lift(node)

    def _last_lines(self, node: Node, indent: int) -> list[str]:
        """The comments after the last value, except for the value's own."""
        return [f"{' ' * indent}{line}" if line else "" for line in tidy(self._read.split(node)[1], first=False)]

    def _item(self, node: Node, indent: int, path: Path) -> _Value:
        """Like :meth:`_value`, but a mapping or a list starts next to the dash."""
        column = indent + _STEP
        if self._prefix(node) or not self._has_lines(node, column, path):
            return self._value(node, indent, path, column=column)
        block = self._block_mapping if node.kind == "mapping" else self._block_list
        lines = block(node, column, path)
        hoisted = next(index for index, line in enumerate(lines) if line.strip(_WHITE) and line.lstrip()[0] != "#")
        above = tuple(Line(line.strip(_WHITE)) for line in lines[:hoisted])
        return _Value(lines[hoisted].strip(_WHITE), tuple(lines[hoisted + 1 :]), above)

    def _entry(self, piece: Piece, mark: str, value: _Value, indent: int, *, first: bool) -> Iterator[str]:
        blank = " " * indent
        for line in tidy((*piece.above, *value.above), first=first):
            yield f"{blank}{line}" if line else ""
        parts = [mark, *([value.first] if value.first else []), *([piece.trailing] if piece.trailing else [])]
        yield f"{blank}{' '.join(parts)}"
        yield from value.below

    def _value(self, node: Node, indent: int, path: Path, *, column: int = 0) -> _Value:
        """What follows a key at ``indent``, starting at ``column``."""
        prefix = self._prefix(node)
        if self._stays_inline(node, column, path):
            return _Value(self._inline(node, path, flow=False) or "")
        if node.kind == "scalar":
            first, *below = self._block_scalar(node).split("\n")
            return _Value(first.strip(_WHITE), tuple(f"{' ' * indent}{line}" if line else "" for line in below))
        inner = indent + _STEP
        lines = (
            self._block_mapping(node, inner, path) if node.kind == "mapping" else self._block_list(node, inner, path)
        )
        return _Value(prefix, tuple(lines))

    def _has_lines(self, node: Node, column: int, path: Path) -> bool:
        """Whether it's a mapping or a list with a line for every entry."""
        return node.kind in ("mapping", "list") and not self._stays_inline(node, column, path)

    def _stays_inline(self, node: Node, column: int, path: Path) -> bool:
        if node.kind in ("alias", "scalar"):
            return node.kind == "alias" or not self._is_long(node)
        if not node.entries:
            return True
        if self._read.has_comments(node):
            return False
        if node.kind == "list":
            scalars = [entry.value for entry in node.entries if entry.value.kind in ("scalar", "alias")]
            texts = [str(scalar.value) if scalar.kind == "scalar" else f"*{scalar.anchor}" for scalar in scalars]
            fits = len(texts) == len(node.entries) and is_short(texts)
            return fits and not any(self._is_loose(scalar) for scalar in scalars)
        inline = self._inline(node, path) if node.flow else None
        return inline is not None and column + len(inline) <= WIDTH

    def _inline(self, node: Node, path: Path, *, flow: bool = True) -> str | None:
        """The value on one line, with ``flow`` suitable for brackets; None if something in it can't be."""
        if node.kind == "alias":
            return f"*{node.anchor}"
        if node.kind == "scalar":
            return self._inline_scalar(node, flow=flow)
        if id(node) not in self._inlined:
            self._inlined[id(node)] = self._inline_entries(node, path)
        return self._inlined[id(node)]

    def _inline_entries(self, node: Node, path: Path) -> str | None:
        if self._read.has_comments(node):
            return None
        parts: list[str] = []
        for piece in self._pieces(node, path):
            value = None if self._is_loose(piece.node) else self._inline(piece.node, (*path, piece.key or ""))
            if value is None:
                return None
            key = "" if piece.key is None else f"{'<<' if piece.merge else emit_key(piece.key, inline=True)}: "
            parts.append(f"{key}{value}")
        prefix = f"{self._prefix(node)} " if self._prefix(node) else ""
        inside = ", ".join(parts)
        if node.kind == "list":
            return f"{prefix}[{inside}]"
        return f"{prefix}{{ {inside} }}" if parts else f"{prefix}{{}}"

    def _inline_scalar(self, node: Node, *, flow: bool) -> str:
        written = self._text[node.start : node.end]
        if self._is_verbatim(node):
            return " ".join(line.strip(" \t") for line in _BREAKS.split(written.strip(_WHITE)))
        prefix = f"{self._prefix(node)} " if self._prefix(node) else ""
        if isinstance(node.value, str) and MARK in node.value:
            return prefix + emit_quoted(node.value)
        if isinstance(node.value, str):
            return prefix + (emit_inline(node.value) if flow else emit_as_written(node.value).strip(" "))
        if node.value is None or isinstance(node.value, bool):
            return prefix + emit_after_key(node.value).strip(_WHITE)
        return prefix + self._text[node.body : node.end].strip(_WHITE)

    def _block_scalar(self, node: Node) -> str:
        """A text of several lines, as it follows a key without indentation."""
        value = str(node.value)
        prefix = self._prefix(node)
        return f"{prefix} {emit_as_written(value).strip(' ')}" if prefix else emit_as_written(value)

    def _is_long(self, node: Node) -> bool:
        """Whether it's a text that goes on lines of its own outside brackets."""
        return isinstance(node.value, str) and "\n" in node.value and not self._is_verbatim(node)

    def _is_loose(self, node: Node) -> bool:
        """Whether it stays as written, and can't be written so in brackets, such as an unquoted variable."""
        return node.kind == "scalar" and self._is_verbatim(node) and not _FLOW.isdisjoint(str(node.value))

    def _is_verbatim(self, node: Node) -> bool:
        """Whether it stays as written: an unquoted variable, whose result is typed, or a value typed by its tag."""
        if not isinstance(node.value, str):
            return node.typed
        return MARK in node.value and "\n" not in node.value and (node.typed or not node.style)

    def _prefix(self, node: Node) -> str:
        """The anchor and the tag."""
        return "" if node.kind == "alias" else " ".join(self._text[node.start : node.body].split())

    def _pieces(self, node: Node, path: Path) -> list[Piece]:
        """The entries in their new order: a merge first, and every alias after its own anchor."""
        pieces = self._read.read(node)
        if node.kind == "list":
            return pieces
        order = self._orders(path)
        places = {key: index for index, key in reversed([*enumerate(order.first)])}
        others = len(order.first)
        places |= {key: index for index, key in enumerate(order.last, others + 1)}
        ranks = [-1 if piece.merge else places.get(piece.key or "", others) for piece in pieces]
        return [pieces[index] for index in _in_rank(ranks, [piece.node for piece in pieces])]


def _in_rank(ranks: Sequence[int], nodes: Sequence[Node]) -> list[int]:
    """The indexes by rank, except that nodes with the same anchor or an alias of it stay in their order."""
    followers: defaultdict[int, list[int]] = defaultdict(list)
    awaited = [0] * len(nodes)
    latest: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for anchor in dict.fromkeys(_anchors(node)):
            if anchor in latest:
                followers[latest[anchor]].append(index)
                awaited[index] += 1
            latest[anchor] = index
    ready = [(rank, index) for index, rank in enumerate(ranks) if not awaited[index]]
    heapify(ready)
    done: list[int] = []
    while ready:
        done.append(heappop(ready)[1])
        for index in followers[done[-1]]:
            awaited[index] -= 1
            if not awaited[index]:
                heappush(ready, (ranks[index], index))
    return done


def _anchors(node: Node) -> Iterator[str]:
    """The names of the anchors in ``node``, and of those that its aliases refer to."""
    if node.anchor is not None:
        yield node.anchor
    for entry in node.entries:
        if entry.value.shares:
            yield from _anchors(entry.value)
