"""Problems as workflow commands of GitHub Actions, shown at the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from webchat_sync.errors import Diagnostic
from webchat_sync.render.log_commands import MOST, annotation
from webchat_sync.render.problems.excerpt import end_column
from webchat_sync.render.problems.text import totals


def render_problems(problems: Sequence[Diagnostic]) -> str:
    """One command per line: errors first, ten of every severity at most, and the number of omitted ones last."""
    return "\n".join(_lines(problems))


def _lines(problems: Sequence[Diagnostic]) -> Iterator[str]:
    left: list[Diagnostic] = []
    for severity in ("error", "warning"):
        same = [problem for problem in problems if problem.severity == severity]
        yield from map(_command, same[:MOST])
        left += same[MOST:]
    if left:
        text = (
            f"{totals(left)} not shown: GitHub shows at most {MOST} of each. Run `webchat-sync validate` to see all "
            "of them."
        )
        yield annotation("notice", text, title="webchat-sync")


def _command(problem: Diagnostic) -> str:
    path = f"{problem.path}: " if problem.path else ""
    return annotation(
        problem.severity,
        f"{path}{problem.message}" + (f"\n{problem.hint}" if problem.hint else ""),
        title=f"webchat-sync: {problem.code}" if problem.code else "webchat-sync",
        place=problem.place,
        end_column=end_column(problem) if problem.place else None,
    )
