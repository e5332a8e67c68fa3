"""Why a plan may not be applied as it is, where people read the plan: by which guard, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Plan
from webchat_sync.plan.organizations import refused
from webchat_sync.plan.secret import UNSURE_NOTE
from webchat_sync.render.log_commands import annotation, most
from webchat_sync.render.markdown_escape import phrase
from webchat_sync.sentences import counted, in_a_row

REFUSAL: Final = "A guard refuses this plan:"

SEE_ALL: Final = "Run `webchat-sync show` on the saved plan to see all of them."
"""Where a comment leaves something out."""

_MOST: Final = 600
"""After how many characters a reason, or its way out, is cut."""

_LISTED: Final = 10
"""How many reasons are listed where there is little room."""

_ALLOWED: Final = lazy_pattern(r"\buse (--allow-[a-z-]+|--max-deletes (?P<limit>[0-9]{1,9}))\.\Z")
"""The option at the end of a hint, where no name of a channel can be: the plan and the apply both need it."""
_DECIDED: Final = "Use --rotate "
"""The start of a hint with options that only the plan needs."""
_INPUTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "github": ("the GitHub Action", "arguments", "apply-arguments"),
    "gitlab": ("the GitLab component", "plan-arguments", "apply-arguments"),
}
"""What pipelines use on a host, and its inputs for the options of the plan and of the apply."""
_PLANNING: Final[Mapping[str, str]] = {
    "github": "`arguments` of both the plan and the apply",
    "gitlab": "`plan-arguments`",
}
"""Where the options that only plans need go. The Action's apply plans again, and needs the same plan."""


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
        yield f"- {more} left out. {SEE_ALL}"


def places(plan: Plan, host: str) -> str:
    """Where to put the options that hints and notes name, which people read far from any command line.

    ``host`` is the pipeline's, empty if unknown. Empty if no option is named.
    """
    notes = (change.remarks.note for planned in plan.organizations for change in planned.changes)
    return " ".join(_places(refused(plan), host, unsure=UNSURE_NOTE in notes))


def _places(reasons: Sequence[Diagnostic], host: str, *, unsure: bool) -> Iterator[str]:
    action, of_plan, of_apply = _INPUTS.get(host, ("", "", ""))
    allowing = [option for reason in reasons if (option := _ALLOWED.search(reason.hint))]
    options = {f"`{option[1]}`": None for option in allowing if option["limit"] is None}
    if limits := [int(option["limit"]) for option in allowing if option["limit"] is not None]:
        options[f"`--max-deletes={max(limits)}`"] = None
    if options:
        if action:
            yield f"In the pipeline, pass {in_a_row([*options])} to both the plan and the apply."
            per_line = ", one option per line" if host == "github" and len(options) > 1 else ""
            yield f"With {action}, use its inputs `{of_plan}` and `{of_apply}`{per_line}."
        else:
            yield f"Pass {in_a_row([*options])} to both `webchat-sync plan` and `webchat-sync apply`."
    if unsure or any(reason.hint.startswith(_DECIDED) for reason in reasons):
        yield "Pass `--rotate` or `--adopt-secret` to `webchat-sync plan`, or to an apply without a saved plan."
        if action:
            yield f"With {action}, use the input {_PLANNING[host]}, with an equals sign: `--rotate=NAME`."
            yield "Remove `--rotate` afterwards, since it rotates the secret every time."


def log_commands(plan: Plan) -> list[str]:
    """Workflow commands of GitHub Actions, at the declarations where there are any."""
    annotations = [
        annotation("error", f"{reason.message}. {reason.hint}".rstrip(), title="refused by a guard", place=reason.place)
        for reason in refused(plan)
    ]
    return most("error", annotations, rest="see the end of the log for every reason.")
