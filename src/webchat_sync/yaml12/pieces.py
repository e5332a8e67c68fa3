"""The entries of a mapping or list, with their own comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from webchat_sync.frozen import frozen
from webchat_sync.yaml12.document import LINE_BREAK
from webchat_sync.yaml12.gaps import Line, gap, split_tail
from webchat_sync.yaml12.layout import Entry, Node


class CannotLayOutError(Exception):
    """The key at ``start`` in the text is written in a way that the layout can't keep."""

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.start = start


@frozen
class Piece:
    """An entry: the lines ``above`` it, a ``trailing`` comment on its first line, key (None in a list) and value."""

    above: tuple[Line, ...]
    trailing: str
    key: str | None
    node: Node
    merge: bool = False

    @property
    def commented(self) -> bool:
        """Whether a comment belongs to it."""
        return bool(self.trailing) or any(line.text for line in self.above)


class Pieces:
    """Reads the entries of ``text`` from the outside in: what surrounds a value is read before its inside."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._leads: dict[int, tuple[Line, ...]] = {}
        self._tails: dict[int, tuple[Line, ...]] = {}
        self._lifted: set[int] = set()
        self._known: dict[int, list[Piece]] = {}
        self._commented: dict[int, bool] = {}

    def put_below(self, root: Node, tail: tuple[Line, ...]) -> None:
        """Put these comments after the last value of a document; those between its anchor and its first value stay."""
        self._tails[id(root)] = tail
        if self.is_below(root):
            header = gap(self._above_first(root))
            self._leads[id(root)] = (*([Line(header.trailing)] if header.trailing else []), *header.above)

    def lift(self, node: Node) -> tuple[Line, ...]:
        """Take the comments above its first value away from ``node``, for the lines above it."""
        if not node.entries:
            return ()
        above = self.read(node)[0].above
        self._lifted.add(id(node))
        self._commented.pop(id(node), None)
        return above

    def split(self, node: Node) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
        """The comments after the last value that belong to it, and those that belong to ``node``."""
        tail = self._tails.get(id(node), ())
        if not tail or not self.is_below(node.entries[-1].value):
            return (), tail
        return split_tail(tail, self._column(node))

    def has_comments(self, node: Node) -> bool:
        """Whether it contains a comment."""
        if id(node) not in self._commented:
            pieces = self.read(node)  # which also finds the comments at its end
            self._commented[id(node)] = bool(self._tails.get(id(node))) or any(
                piece.commented or (piece.node.kind != "alias" and self.has_comments(piece.node)) for piece in pieces
            )
        return self._commented[id(node)]

    def read(self, node: Node) -> list[Piece]:
        """The entries with their comments, in the order of the text."""
        if id(node) not in self._known:
            self._known[id(node)] = self._read_brackets(node) if self.in_brackets(node) else self._read_lines(node)
        pieces = self._known[id(node)]
        return [replace(pieces[0], above=()), *pieces[1:]] if id(node) in self._lifted else pieces

    def _read_lines(self, node: Node) -> list[Piece]:
        pieces: list[Piece] = []
        if not node.entries:
            return pieces
        column = self._column(node)
        above = self._leads.get(id(node), ())
        for entry, following in zip(node.entries, [*node.entries[1:], None], strict=True):
            pieces.append(self._piece(entry, above))
            tail, above = (self.split(node)[0], ()) if following is None else ((), ())
            if following is not None:
                above = gap(self._text[entry.end : following.start]).above
                if self.is_below(entry.value):
                    tail, above = split_tail(above, column)
            if tail:
                self._tails[id(entry.value)] = tail
        return pieces

    def _read_brackets(self, node: Node) -> list[Piece]:
        pieces: list[Piece] = []
        end = node.body + 1
        for entry in node.entries:
            between = gap(self._text[end : entry.start])
            above = _comments(between.above)
            if pieces:
                pieces[-1] = _with_trailing(pieces[-1], between.trailing)
            elif between.trailing:
                above = (Line(between.trailing), *above)
            pieces.append(self._piece(entry, above))
            end = entry.end
        if pieces:
            closing = gap(self._text[end : node.end - 1])
            pieces[-1] = _with_trailing(pieces[-1], closing.trailing)
            if closing.above:
                self._tails[id(node)] = _comments(closing.above)
        return pieces

    def _piece(self, entry: Entry, above: tuple[Line, ...]) -> Piece:
        if entry.key is not None:
            key, start = self._text[entry.start : entry.after_mark], max(entry.start, entry.key_start)
            if self._text.startswith(("&", "*"), start) or ("#" in key and LINE_BREAK.search(key)):
                raise CannotLayOutError(start)
        value = entry.value
        before = self._text[entry.after_mark : value.start]
        if self.is_below(value):
            # The comment on the key's line belongs to the entry; comments on their own lines to the first value.
            header = gap(before + self._above_first(value))
            self._leads[id(value)] = header.above
            return Piece(above, header.trailing, entry.key, value, entry.merge)
        if value.kind == "scalar" and value.style in ("|", ">"):
            before += self._text[value.body : value.end].split("\n", 1)[0]
        if self.in_brackets(value) and not value.entries:
            before += self._text[value.body + 1 : value.end - 1]
        header = gap(before)
        below = _comments(header.above)
        # A comment next to the key doesn't stay there if those below it move above the key.
        first = (Line(header.trailing),) if below and header.trailing else ()
        trailing = "" if first else header.trailing
        piece = Piece((*above, *first, *below), trailing, entry.key, value, entry.merge)
        return _with_trailing(piece, gap(self._text[value.end : entry.end]).trailing)

    def _above_first(self, node: Node) -> str:
        """The text between the anchor and tag of ``node``, which has lines of its own, and its first value."""
        properties = self._text[node.start : node.body].rstrip()
        return self._text[node.start + len(properties) : node.entries[0].start]

    def _column(self, node: Node) -> int:
        start = node.entries[0].start
        return start - max(self._text.rfind("\n", 0, start), self._text.rfind("\r", 0, start)) - 1

    def is_below(self, node: Node) -> bool:
        """Whether its values are on lines below its key."""
        return node.kind in ("mapping", "list") and not node.flow and bool(node.entries)

    def in_brackets(self, node: Node) -> bool:
        """Whether it's written in brackets."""
        return self._text[node.body : node.body + 1] in ("{", "[") and node.kind in ("mapping", "list")


def _with_trailing(piece: Piece, comment: str) -> Piece:
    """``piece`` with another comment on its line; an existing one moves above it."""
    if not comment:
        return piece
    above = (*piece.above, Line(piece.trailing)) if piece.trailing else piece.above
    return replace(piece, above=above, trailing=comment)


def _comments(lines: Sequence[Line]) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.text)
