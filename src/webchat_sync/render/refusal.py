"""Why a plan may not be applied as it is, where people read the plan: by which guard, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webchat_sync.model import Plan
from webchat_sync.plan.organizations import refused
from webchat_sync.render.log_commands import annotation, most
from webchat_sync.render.markdown_escape import phrase
from webchat_sync.sentences import counted

REFUSAL: Final = "A guard refuses this plan:"

_MOST: Final = 600
"""After how many characters a reason, or its way out, is cut."""

_LISTED: Final = 10
"""How many reasons are listed where there is little room."""


def markdown_lines(plan: Plan) -> Iterator[str]:
    """A paragraph and a list, for a comment; nothing for a plan that no guard refuses."""
    reasons = refused(plan)
    if reasons:
        yield f"**{REFUSAL}**"
        yield ""
    for reason in reasons[:_LISTED]:
        hint = f" {phrase(reason.hint, most=_MOST)}" if reason.hint else ""
        yield f"- {phrase(reason.message, most=_MOST)}.{hint}"
    if len(reasons) > _LISTED:
        more = counted(len(reasons) - _LISTED, "more reason is", "more reasons are")
        yield f"- {more} left out. The JSON format lists all of them."


def log_commands(plan: Plan) -> list[str]:
    """Workflow commands of GitHub Actions, at the declarations where there are any."""
    annotations = [
        annotation("error", f"{reason.message}. {reason.hint}".rstrip(), title="refused by a guard", place=reason.place)
        for reason in refused(plan)
    ]
    return most("error", annotations, rest="see the end of the log for every reason.")
