"""What is said of a channel names its organisation where there are several: the name of a channel is its own in one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from webchat_sync.errors import Diagnostic


def of_organization(problems: Iterable[Diagnostic], organization: str, *, several: bool) -> list[Diagnostic]:
    """``problems``, with the organisation that they are about where there are several."""
    name = f'organisation "{organization}"'
    return [
        replace(problem, message=f"{name}: {problem.message}") if several and name not in problem.message else problem
        for problem in problems
    ]
