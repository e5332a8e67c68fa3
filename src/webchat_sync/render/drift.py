"""Drift as text: by what moved, and in each part what an apply would do about it, in the words of a plan."""

from __future__ import annotations

from collections.abc import Iterator

from webchat_sync.plan.drift import Cause, Drift, Group, Revision
from webchat_sync.plan.make import has_changes, summarize
from webchat_sync.render.text import WIDTH, change_lines, partial_line
from webchat_sync.render.values import visible


def render_drift(drift: Drift, *, color: bool = False, width: int = WIDTH, verbose: bool = False) -> str:
    """All groups, and the one line that sums them up."""
    lines: list[str] = []
    for group in drift.groups:
        lines += [f"{heading(group, drift)}; what apply would do about it:", ""]
        lines += change_lines(group.plan, color=color, width=width, verbose=verbose)
    if drift.plan.partial:
        lines.append(partial_line(drift.plan))
    return "\n".join([*lines, last_line(drift)])


def heading(group: Group, drift: Drift) -> str:
    """What moved and what did not, without a full stop."""
    since = f"since {shown(drift.base)}" if drift.base else ""
    headings: dict[Cause, str] = {
        "differs": f"Live differs from {declared(drift)}",
        "live_changed": f"Live changed {since}, and Git did not",
        "git_changed": f"Git changed {since}, and live did not",
        "both_changed": f"Both live and Git changed {since}",
    }
    return headings[group.cause]


def last_line(drift: Drift) -> str:
    """The one line that sums the drift up."""
    if not has_changes(drift.plan):
        considered = "The live channels" if not drift.plan.partial else "The live channels that were considered"
        return f"No drift. {considered} match {declared(drift)}."
    summary = summarize(drift.plan)
    count = summary.create + summary.update + summary.delete
    differ = f"{count} channel{' differs' if count == 1 else 's differ'}"
    return " ".join([f"Drift: {differ} from {declared(drift)}.", *_counted(drift)])


def declared(drift: Drift) -> str:
    """What live is compared with."""
    return shown(drift.declared) if drift.declared else "the files"


def shown(revision: Revision) -> str:
    """A revision as it was named, and the beginning of the commit's id."""
    return f"{visible(revision.name)} ({revision.commit[:10]})"


def _counted(drift: Drift) -> Iterator[str]:
    """In how many channels each side moved, where that is known."""
    if drift.base is None:
        return
    for group in drift.groups:
        count = sum(len(each.changes) for each in group.plan.organizations)
        side = {"live_changed": "Live", "git_changed": "Git", "both_changed": "Both"}[group.cause]
        yield f"{side} changed in {count}."
