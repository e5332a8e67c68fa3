"""Which comments a rewrite has lost."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from webchat_sync.yaml12.layout import Node

_COMMENT: Final = re.compile(r"(?:\A|(?<=\s))#[^\r\n]*")
_BREAK: Final = re.compile(r"\r\n|\r|\n")


class Comment(NamedTuple):
    """A comment, and where it stands, counted from 1."""

    text: str
    line: int
    column: int


def lost_comments(before: str, old: Sequence[Node], after: str, new: Sequence[Node]) -> list[Comment]:
    """The comments of ``before``, in which the documents ``old`` are laid out, that ``after`` with ``new`` has not."""
    left = Counter(text for _, text in _comments(after, new))
    starts = [0, *(found.end() for found in _BREAK.finditer(before))]
    lost: list[Comment] = []
    for index, text in _comments(before, old):
        left[text] -= 1
        if left[text] < 0:
            line = bisect_right(starts, index) - 1
            lost.append(Comment(text, line + 1, index - starts[line] + 1))
    return lost


def _comments(text: str, roots: Sequence[Node]) -> Iterator[tuple[int, str]]:
    """Each comment and its index: what begins with ``#`` after a blank, outside of every text."""
    at = 0
    for start, end in sorted(span for root in roots for span in _texts(root, text)):
        yield from ((found.start(), found[0].rstrip()) for found in _COMMENT.finditer(text, at, start))
        at = max(at, end)
    yield from ((found.start(), found[0].rstrip()) for found in _COMMENT.finditer(text, at))


def _texts(node: Node, text: str) -> Iterator[tuple[int, int]]:
    """From where to where the texts inside ``node`` stand; the first line of a block scalar may have a comment."""
    if node.kind == "scalar":
        first = _BREAK.search(text, node.body, node.end) if node.style in ("|", ">") else None
        yield (first.start() if first else node.body), node.end
    for entry in node.entries:
        yield from _texts(entry.value, text)
