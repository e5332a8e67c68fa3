"""Problems as workflow commands of GitHub Actions, which shows them beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.render.problems import counted, end_column

LIMIT: Final = 10
"""How many annotations of each severity GitHub shows for one step; the others would be dropped in silence."""

_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render_problems(problems: Sequence[Diagnostic]) -> str:
    """One command a line: errors first, ten of each severity at most, and how many are left out last."""
    return "\n".join(_lines(problems))


def _lines(problems: Sequence[Diagnostic]) -> Iterator[str]:
    left: list[Diagnostic] = []
    for severity in ("error", "warning"):
        same = [problem for problem in problems if problem.severity == severity]
        yield from map(_command, same[:LIMIT])
        left += same[LIMIT:]
    if left:
        text = f"{counted(left)} more: GitHub shows {LIMIT} of each. `webchat-sync validate` lists all."
        yield f"::notice title=webchat-sync::{text.translate(_DATA)}"


def _command(problem: Diagnostic) -> str:
    place = problem.place
    properties = {"title": f"webchat-sync: {problem.code}" if problem.code else "webchat-sync"}
    if place is not None:
        position = {"line": place.line, "col": place.column, "endColumn": end_column(problem)}
        properties = {"file": place.file, **{name: str(each) for name, each in position.items()}, **properties}
    path = f"{problem.path}: " if problem.path else ""
    text = f"{path}{problem.message}" + (f"\n{problem.hint}" if problem.hint else "")
    written = ",".join(f"{name}={value.translate(_PROPERTY)}" for name, value in properties.items())
    return f"::{problem.severity} {written}::{text.translate(_DATA)}"
