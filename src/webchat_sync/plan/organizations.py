"""Names the organisation in problems of a run with several, since channel names are only unique within one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from webchat_sync.errors import Diagnostic
from webchat_sync.model import Plan


def of_organization(problems: Iterable[Diagnostic], organization: str, *, several: bool) -> list[Diagnostic]:
    """``problems``, prefixed with their organisation if there are ``several``."""
    name = f'organisation "{organization}"'
    return [
        replace(problem, message=f"{name}: {problem.message}") if several and name not in problem.message else problem
        for problem in problems
    ]


def refused(plan: Plan) -> tuple[Diagnostic, ...]:
    """Every reason not to apply ``plan`` that was found when it was made."""
    return tuple(
        problem
        for planned in plan.organizations
        for problem in of_organization(planned.refused, planned.organization, several=plan.several)
    )
