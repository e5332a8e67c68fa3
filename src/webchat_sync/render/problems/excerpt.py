"""The line of a file with a problem, and the affected part of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from webchat_sync.errors import Diagnostic, Place
from webchat_sync.flat import visible_letters
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.render.text_diff import columns

WIDTH: Final = 80
"""The width of an excerpt, including the line number."""

_TAB: Final = "    "
_WORD: Final = lazy_pattern(r"""[&!*]?(?:"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[^\s,\[\]{}'":]+(?::[^\s,\]}]+)*|\S)""")


def end_column(problem: Diagnostic) -> int:
    """The column after the affected value, as far as its line shows; both count characters from 1."""
    if problem.place is None:
        return 1
    word = _WORD.match(problem.line or "", problem.place.column - 1)
    return word.end() + 1 if word else problem.place.column + 1


def excerpt(line: str, place: Place) -> Sequence[str]:
    """The line of a file with a caret below the place, cut if it's too long; nothing for a blank line."""
    if not line.strip():
        return ()
    at = min(place.column - 1, len(line))
    begin = max(0, at - 2 * WIDTH)
    part = line[begin : at + 2 * WIDTH]
    cells = [_TAB if char == "\t" else shown for char, shown in zip(part, visible_letters(part), strict=True)]
    at -= begin
    gutter = f"  {place.line} | "
    room = WIDTH - len(gutter)
    behind = _cut(cells[at:], max(room // 3, room - sum(map(columns, cells[:at]))))
    # The caret is below the next character, even at the end of the line.
    before = _cut(cells[:at][::-1], room - max(1, sum(map(columns, behind))))[::-1]
    return (
        f"{gutter}{''.join([*before, *behind])}".rstrip(),
        f"{' ' * (len(gutter) - 2)}| {' ' * sum(map(columns, before))}^",
    )


def _cut(cells: Sequence[str], most: int) -> list[str]:
    """The first ``cells`` that fit in ``most`` columns, followed by ``…`` if others don't."""
    taken: list[str] = []
    used = 0
    for cell in cells:
        used += columns(cell)
        if used > most:
            return [*taken[:-1], "…"]
        taken.append(cell)
    return taken
