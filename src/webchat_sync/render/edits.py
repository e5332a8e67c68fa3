"""Edits of files as a unified diff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from webchat_sync.flat import flat, no_command, visible
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.render.blocks import Block, blocks
from webchat_sync.render.paint import RESET

_COLORS: Final = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_LINE: Final = lazy_pattern(r"[^\n]*\n|[^\n]+")
_CONTEXT: Final = 3
"""How many unchanged lines are shown around a change."""


def render_edit(file: str, before: str, after: str, *, color: bool = False) -> str:
    """The changes in ``file`` like ``diff -u``, with escapes for what a terminal would obey or hide."""
    lines = _unified(_LINE.findall(before), _LINE.findall(after), flat(file))
    return "".join(_line(line, paint=color and number > 1) for number, line in enumerate(_complete(lines)))


def _unified(old: Sequence[str], new: Sequence[str], file: str) -> Iterator[str]:
    for number, hunk in enumerate(_hunks(blocks(old, new))):
        if number == 0:
            yield from (f"--- {file}\n", f"+++ {file}\n")
        first, last = hunk[0], hunk[-1]
        yield f"@@ -{_span(first.old_start, last.old_end)} +{_span(first.new_start, last.new_end)} @@\n"
        for block in hunk:
            if block.equal:
                yield from (f" {line}" for line in old[block.old_start : block.old_end])
            else:
                yield from (f"-{line}" for line in old[block.old_start : block.old_end])
                yield from (f"+{line}" for line in new[block.new_start : block.new_end])


def _hunks(parts: Sequence[Block]) -> Iterator[list[Block]]:
    """Changes that are close to each other, with the unchanged lines around them."""
    hunk: list[Block] = []
    for index, block in enumerate(parts):
        if not block.equal:
            hunk.append(block)
            continue
        length = block.old_end - block.old_start
        is_first, is_last = index == 0, index == len(parts) - 1
        if not is_first and not is_last and length <= 2 * _CONTEXT:
            hunk.append(block)
            continue
        kept = min(length, _CONTEXT)
        if not is_first:
            end = block._replace(old_end=block.old_start + kept, new_end=block.new_start + kept)
            yield [*hunk, end]
        hunk = [] if is_last else [block._replace(old_start=block.old_end - kept, new_start=block.new_end - kept)]
    if hunk:
        yield hunk


def _span(start: int, end: int) -> str:
    """The lines from ``start``, as in the head of a hunk."""
    length = end - start
    if length == 1:
        return f"{start + 1}"
    return f"{start + 1 if length else start},{length}"


def _complete(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n"
        if not line.endswith("\n"):
            yield "\\ No newline at end of file\n"


def _line(line: str, *, paint: bool) -> str:
    body = line.rstrip("\r\n")
    shown = no_command("\t".join(map(visible, body.split("\t")))) + line[len(body) :]
    return f"{_COLORS[line[0]]}{shown[: len(shown) - 1]}{RESET}\n" if paint and line[0] in _COLORS else shown
