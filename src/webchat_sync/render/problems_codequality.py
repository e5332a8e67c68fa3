"""Problems as a Code Quality report of GitLab, which shows what a merge request adds and what it settles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from webchat_sync.errors import Problem
from webchat_sync.flat import visible
from webchat_sync.render.fingerprints import fingerprints

_SEVERITIES: Final = {"error": "major", "warning": "minor"}
_NOWHERE: Final = {"path": ".", "lines": {"begin": 1}}


def render_problems(problems: Sequence[Problem]) -> str:
    """The problems as an indented JSON list; the fingerprints are those of :mod:`webchat_sync.render.fingerprints`."""
    marked = zip(problems, fingerprints(problems), strict=True)
    return visible(
        json.dumps([_issue(problem, fingerprint) for problem, fingerprint in marked], ensure_ascii=False, indent=2)
    )


def _issue(problem: Problem, fingerprint: str) -> dict[str, Any]:
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
