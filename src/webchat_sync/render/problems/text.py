"""Problems and errors as text, the same everywhere: what, where, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from webchat_sync.errors import CombinedApiError, Diagnostic, ProblemsError, WebchatSyncError
from webchat_sync.flat import flat
from webchat_sync.render.problems.excerpt import excerpt
from webchat_sync.sentences import counted


def render_problems(problems: Iterable[Diagnostic]) -> str:
    """One paragraph per problem: ``file:line:column: error: path: message``, the line with a caret, the hint."""
    return "\n".join(_problem(problem) for problem in problems)


def render_error(error: WebchatSyncError) -> str:
    """An error with its hint below; if it has several problems, all of them."""
    if isinstance(error, ProblemsError):
        return render_problems(error.problems)
    if isinstance(error, CombinedApiError):
        failed = "\n".join(flat(failure.message) for failure in error.errors)
        hints = dict.fromkeys(flat(failure.hint) for failure in error.errors if failure.hint)
        return "\n  ".join([f"Error: {failed}", *hints])
    return _with_hint(flat(f"Error: {error.message}"), error.hint)


def totals(problems: Sequence[Diagnostic]) -> str:
    """The numbers of errors and warnings: ``2 errors, 1 warning``, or ``no problems``."""
    numbers = {kind: sum(problem.severity == kind for problem in problems) for kind in ("error", "warning")}
    return ", ".join(counted(n, kind) for kind, n in numbers.items() if n) or "no problems"


def _problem(problem: Diagnostic) -> str:
    if problem.place is None:
        return _with_hint(flat(f"{problem.severity.capitalize()}: {problem.message}"), problem.hint)
    path = f"{problem.path}: " if problem.path else ""
    first = flat(f"{problem.place}: {problem.severity}: {path}{problem.message}")
    return _with_hint("\n".join([first, *excerpt(problem.line or "", problem.place)]), problem.hint)


def _with_hint(text: str, hint: str) -> str:
    return f"{text}\n  {flat(hint)}" if hint else text
