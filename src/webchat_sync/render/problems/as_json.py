"""Problems as JSON, similar to ``terraform validate -json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from webchat_sync.errors import Diagnostic
from webchat_sync.flat import json_text
from webchat_sync.render.problems.excerpt import end_column

FORMAT_VERSION: Final = "1.0"
"""The version of the format: additions raise the minor number, breaking changes the major one."""


def render_problems(problems: Sequence[Diagnostic], *, strict: bool = False) -> str:
    """The problems as an indented JSON object; with ``strict``, warnings make the manifests invalid, too.

    ``summary`` is the message and ``detail`` the hint, ``code`` the kind of problem, ``path`` the position inside the
    document. ``range`` is null without a place; lines and columns count from 1, the end is after the last character.
    ``snippet`` is null if the line is unknown or may contain a secret; its offsets count from 0.
    """
    errors = sum(problem.severity == "error" for problem in problems)
    document = {
        "format_version": FORMAT_VERSION,
        "valid": not (problems if strict else errors),
        "error_count": errors,
        "warning_count": len(problems) - errors,
        "diagnostics": [_diagnostic(problem) for problem in problems],
    }
    return json_text(document)


def _diagnostic(problem: Diagnostic) -> dict[str, Any]:
    return {
        "severity": problem.severity,
        "summary": problem.message,
        "detail": problem.hint,
        "code": problem.code,
        "path": problem.path,
        "range": _range(problem),
        "snippet": _snippet(problem),
    }


def _range(problem: Diagnostic) -> dict[str, Any] | None:
    place = problem.place
    if place is None:
        return None
    return {
        "filename": place.file,
        "start": {"line": place.line, "column": place.column},
        "end": {"line": place.line, "column": end_column(problem)},
    }


def _snippet(problem: Diagnostic) -> dict[str, Any] | None:
    if problem.place is None or not problem.line:
        return None
    return {
        "context": problem.path or None,
        "code": problem.line,
        "start_line": problem.place.line,
        "highlight_start_offset": problem.place.column - 1,
        "highlight_end_offset": end_column(problem) - 1,
        "values": [],
    }
