"""Anchors, aliases, and limits on what a file can expand to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import Json
from webchat_sync.strict_json import DEEPEST
from webchat_sync.yaml12.troubles import Troubles

MOST_ALIASED: Final = 1_000_000
"""The limit of values that the aliases of one file can stand for, in total."""

TOO_DEEP: Final = f"more than {DEEPEST} mappings and lists are nested here"
NONE_SO_DEEP: Final = "No field needs a value that deep."

Node: TypeAlias = "tuple[Json, int, int]"
"""A value, the start of its block in the marks (0 for none), and its position."""


@frozen
class _Anchored:
    """What an anchor names: the node, the number of values in it, and its levels of nesting."""

    node: Node
    size: int
    height: int


class Anchors:
    """The anchors of one document. ``size`` counts the values read in the file, including those behind aliases."""

    def __init__(self, troubles: Troubles) -> None:
        self.size = 0
        self._troubles = troubles
        self._anchored: dict[str, _Anchored | None] = {}
        self._aliased = 0
        self._deepest = 0

    def clear(self) -> None:
        """Forget the anchors, since every document has its own."""
        self._anchored.clear()

    def descend(self, depth: int, position: int) -> None:
        """Register that a mapping or list at nesting level ``depth`` starts at ``position``."""
        if depth > DEEPEST:
            self._troubles.refuse(TOO_DEEP, position, NONE_SO_DEEP)
        if depth > self._deepest:
            self._deepest = depth

    def name_scalar(self, name: str, value: Json, position: int) -> None:
        """Give a scalar the anchor ``name``."""
        self._anchored[name] = _Anchored((value, 0, position), 1, 0)

    def name_collection(self, name: str, depth: int, read: Callable[[], Node]) -> Node:
        """Give the mapping or list returned by ``read`` the anchor ``name``, and return it."""
        self._anchored[name] = None  # reserved until its end is read, since an alias inside would be endless
        deepest, size = self._deepest, self.size
        self._deepest = depth
        node = read()
        self._anchored[name] = _Anchored(node, self.size - size, self._deepest - depth + 1)
        self._deepest = max(self._deepest, deepest)
        return node

    def alias(self, name: str, depth: int, position: int) -> Node:
        """The node that the alias ``name`` refers to; null, with a problem, if there is none."""
        anchored = self._anchored.get(name)
        if anchored is None:
            if name in self._anchored:
                self._troubles.add("alias", f"`*{name}` is used inside the value that it refers to", position)
            else:
                hint = "To write text that begins with `*`, quote it."
                self._troubles.add("alias", f"there's no anchor `&{name}` before this alias", position, hint)
            return None, 0, position
        self.size += anchored.size
        self._aliased += anchored.size
        self._deepest = max(self._deepest, depth + anchored.height)
        if self._aliased > MOST_ALIASED:
            message = f"the aliases in this file expand to more than {MOST_ALIASED:,} values"
            self._troubles.refuse(message, position, "Write some of them out, or split the file.")
        if self._deepest > DEEPEST:
            self._troubles.refuse(TOO_DEEP, position, NONE_SO_DEEP)
        return anchored.node
