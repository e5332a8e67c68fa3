"""Problems as a Code Quality report of GitLab, which shows what a merge request adds and fixes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from webchat_sync.errors import Diagnostic
from webchat_sync.flat import json_text
from webchat_sync.render.problems.diagnostic_id import diagnostic_ids

_SEVERITIES: Final = {"error": "major", "warning": "minor"}
_NOWHERE: Final = {"path": ".", "lines": {"begin": 1}}


def render_problems(problems: Sequence[Diagnostic]) -> str:
    """The problems as an indented JSON list; their fingerprints are the ids of :func:`diagnostic_ids`."""
    marked = zip(problems, diagnostic_ids(problems), strict=True)
    issues = [_issue(problem, fingerprint) for problem, fingerprint in marked]
    return json_text(issues)


def _issue(problem: Diagnostic, fingerprint: str) -> dict[str, Any]:
    path = f"{problem.path}: " if problem.path else ""
    hint = f" {problem.hint}" if problem.hint else ""
    place = problem.place
    return {
        "description": f"{path}{problem.message}.{hint}" if hint else f"{path}{problem.message}",
        "check_name": problem.code or "problem",
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[problem.severity],
        "location": {"path": place.file.removeprefix("./"), "lines": {"begin": place.line}} if place else _NOWHERE,
    }
