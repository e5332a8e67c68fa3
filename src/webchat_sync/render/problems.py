"""Problems and errors as text: what, where, why, and what to do, the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from webchat_sync.errors import GuardError, InputError, Problem, StalePlanError, WebchatSyncError
from webchat_sync.render.values import visible


def render_problems(problems: Iterable[Problem]) -> str:
    """One paragraph a problem: ``file:line:column: error: path: message``, and the hint below it."""
    return "\n".join(_problem(problem) for problem in problems)


def render_error(error: WebchatSyncError) -> str:
    """An error and, below it, the way out; every problem of an error that lists several."""
    if isinstance(error, (InputError, GuardError, StalePlanError)):
        return render_problems(error.problems)
    return _with_hint(f"Error: {error.message}", error.hint)


def _problem(problem: Problem) -> str:
    if problem.place is None:
        return _with_hint(f"{problem.severity.capitalize()}: {problem.message}", problem.hint)
    path = f"{problem.path}: " if problem.path else ""
    return _with_hint(f"{problem.place}: {problem.severity}: {path}{problem.message}", problem.hint)


def _with_hint(line: str, hint: str) -> str:
    return visible(f"{line}\n  {hint}" if hint else line)
