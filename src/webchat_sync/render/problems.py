"""Problems and errors as text: what, where, why, and what to do, the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from unicodedata import category, east_asian_width

from webchat_sync.errors import CombinedApiError, GuardError, InputError, Problem, StalePlanError, WebchatSyncError
from webchat_sync.flat import flat, visible_letters

WIDTH: Final = 96
"""How many columns of a line of a file are shown at most."""

_TAB: Final = "    "
_WORD: Final = re.compile(r"""[&!*]?(?:"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[^\s,\[\]{}'":]+(?::[^\s,\]}]+)*|\S)""")


def render_problems(problems: Iterable[Problem]) -> str:
    """One paragraph a problem: ``file:line:column: error: path: message``, the line with a caret, and the hint."""
    return "\n".join(_problem(problem) for problem in problems)


def render_error(error: WebchatSyncError) -> str:
    """An error and, below it, the way out; every problem of an error that lists several."""
    if isinstance(error, (InputError, GuardError, StalePlanError)):
        return render_problems(error.problems)
    if isinstance(error, CombinedApiError):
        failed = "\n".join(flat(each.message) for each in error.errors)
        return "\n  ".join([f"Error: {failed}", *dict.fromkeys(flat(each.hint) for each in error.errors if each.hint)])
    return _with_hint(flat(f"Error: {error.message}"), error.hint)


def counted(problems: Sequence[Problem]) -> str:
    """How many errors and warnings there are: ``2 errors, 1 warning``; ``no problems`` without any."""
    numbers = {kind: sum(problem.severity == kind for problem in problems) for kind in ("error", "warning")}
    return ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in numbers.items() if n) or "no problems"


def end_column(problem: Problem) -> int:
    """The column behind what the problem is about, as far as its line tells; both count characters from 1."""
    if problem.place is None:
        return 1
    word = _WORD.match(problem.line, problem.place.column - 1)
    return word.end() + 1 if word else problem.place.column + 1


def _problem(problem: Problem) -> str:
    if problem.place is None:
        return _with_hint(flat(f"{problem.severity.capitalize()}: {problem.message}"), problem.hint)
    path = f"{problem.path}: " if problem.path else ""
    first = flat(f"{problem.place}: {problem.severity}: {path}{problem.message}")
    return _with_hint(
        "\n".join([first, *_quoted(problem.line, problem.place.line, problem.place.column)]), problem.hint
    )


def _quoted(line: str, number: int, column: int) -> Sequence[str]:
    """The line of a file, with a caret below the column, counted in characters from 1; cut where it is too long."""
    if not line.strip():
        return ()
    at = min(column - 1, len(line))
    begin = max(0, at - 2 * WIDTH)
    part = line[begin : at + 2 * WIDTH]
    cells = [_TAB if each == "\t" else shown for each, shown in zip(part, visible_letters(part), strict=True)]
    at -= begin
    behind = _cut(cells[at:], max(WIDTH // 3, WIDTH - sum(map(_width, cells[:at]))))
    before = _cut(cells[:at][::-1], WIDTH - sum(map(_width, behind)))[::-1]
    gutter = f"  {number} | "
    return (
        f"{gutter}{''.join([*before, *behind])}".rstrip(),
        f"{' ' * (len(gutter) - 2)}| {' ' * sum(map(_width, before))}^",
    )


def _cut(cells: Sequence[str], most: int) -> list[str]:
    """As many of ``cells``, from the first on, as fit in ``most`` columns, and ``…`` in the place of the others."""
    taken: list[str] = []
    used = 0
    for cell in cells:
        used += _width(cell)
        if used > most:
            return [*taken[:-1], "…"]
        taken.append(cell)
    return taken


def _width(text: str) -> int:
    """How many columns of a terminal ``text`` takes."""
    return sum(
        0 if category(each) in ("Mn", "Me", "Cf") else 2 if east_asian_width(each) in "WF" else 1 for each in text
    )


def _with_hint(text: str, hint: str) -> str:
    return f"{text}\n  {flat(hint)}" if hint else text
