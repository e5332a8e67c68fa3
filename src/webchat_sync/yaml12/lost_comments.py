"""Finds comments that a rewrite has lost."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.yaml12.document import LINE_BREAK
from webchat_sync.yaml12.layout import Node

_COMMENT: Final = lazy_pattern(r"(?:\A|(?<=\s))#[^\r\n]*")
_QUOTED_KEY: Final = lazy_pattern(r"(?:(?:\?|[&!]\S*)\s+)*+('(?:[^']|'')*+'|\"(?:[^\"\\]|\\.)*+\")", re.DOTALL)
"""Other keys can't contain what looks like a comment."""


class Comment(NamedTuple):
    """A comment and its position, counted from 1."""

    text: str
    line: int
    column: int


def lost_comments(before: str, old: Sequence[Node], after: str, new: Sequence[Node]) -> list[Comment]:
    """The comments in ``before``, with the documents ``old``, that are missing in ``after``, with ``new``."""
    remaining = Counter(text for _, text in _comments(after, new))
    starts = [0, *(line_break.end() for line_break in LINE_BREAK.finditer(before))]
    lost: list[Comment] = []
    for index, text in _comments(before, old):
        remaining[text] -= 1
        if remaining[text] < 0:
            line = bisect_right(starts, index) - 1
            lost.append(Comment(text, line + 1, index - starts[line] + 1))
    return lost


def _comments(text: str, roots: Sequence[Node]) -> Iterator[tuple[int, str]]:
    """Each comment and its index: text from ``#`` after white space, outside values and keys."""
    at = 0
    for start, end in sorted(span for root in roots for span in _texts(root, text)):
        yield from ((comment.start(), comment[0].rstrip()) for comment in _COMMENT.finditer(text, at, start))
        at = max(at, end)
    yield from ((comment.start(), comment[0].rstrip()) for comment in _COMMENT.finditer(text, at))


def _texts(node: Node, text: str) -> Iterator[tuple[int, int]]:
    """The start and end of every scalar value and quoted key inside ``node``.

    The first line of a block scalar can have a comment.
    """
    if node.kind == "scalar":
        first = LINE_BREAK.search(text, node.body, node.end)
        is_block = node.style in ("|", ">")
        yield (first.start() if first else node.end) if is_block else node.body, node.end
    for entry in node.entries:
        if entry.key is not None and (quoted := _QUOTED_KEY.match(text, entry.key_start)):
            yield quoted.span(1)
        yield from _texts(entry.value, text)
