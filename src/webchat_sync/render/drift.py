"""Drift as text: grouped by what moved, with what an apply would do, like a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from webchat_sync.flat import flat
from webchat_sync.model import Plan
from webchat_sync.plan.drift import Cause, Drift, Group, Revision
from webchat_sync.plan.summary import has_changes, summarize
from webchat_sync.render.failed import failed_line, none_reached
from webchat_sync.render.text import WIDTH, change_lines, considered, partial_line
from webchat_sync.render.walk import Remark, Section, walk
from webchat_sync.sentences import counted


def render_drift(drift: Drift, *, color: bool = False, width: int = WIDTH, verbose: bool = False) -> str:
    """All groups, and a line that sums them up."""
    lines: list[str] = []
    for group in drift.groups:
        lines += [f"{heading(group, drift)}. Apply would change:", ""]
        lines += change_lines(group.plan, color=color, width=width, verbose=verbose)
    for _, remark in remarks(_quiet(drift.plan)):
        lines += [f"{remark.level.capitalize()}: {remark.name}: {remark.text}.", ""]
    if drift.plan.partial:
        lines.append(partial_line(drift.plan))
    return "\n".join([*lines, last_line(drift)])


def remarks(plan: Plan) -> list[tuple[Section, Remark]]:
    """The remarks about identity secrets, with their sections."""
    return [(section, remark) for section in walk(plan) for remark in section.remarks]


def _quiet(plan: Plan) -> Plan:
    """The channels without differences, which are in no group."""
    return replace(
        plan,
        organizations=tuple(
            replace(section, changes=tuple(change for change in section.changes if change.action == "none"))
            for section in plan.organizations
        ),
    )


def shown(revision: Revision) -> str:
    """A revision as the user named it, with the abbreviated commit id."""
    return f"{flat(revision.name)} ({revision.commit[:10]})"


def heading(group: Group, drift: Drift, *, show: Callable[[Revision], str] = shown) -> str:
    """What moved and what didn't, without a full stop; ``show`` formats a revision."""
    since = f"since {show(drift.base)}" if drift.base else ""
    headings: dict[Cause, str] = {
        "differs": f"Live differs from {_declared(drift, show)}",
        "live_changed": f"Live changed {since}, Git didn't",
        "git_changed": f"Git changed {since}, live didn't",
        "both_changed": f"Both live and Git changed {since}",
    }
    return headings[group.cause]


def last_line(drift: Drift, *, show: Callable[[Revision], str] = shown) -> str:
    """The line that sums the drift up; ``show`` formats a revision."""
    if none_reached(drift.plan):
        return none_reached(drift.plan)
    if not has_changes(drift.plan):
        return f"No drift. {considered(drift.plan)} match {_declared(drift, show)}.{failed_line(drift.plan)}"
    summary = summarize(drift.plan)
    count = summary.create + summary.update + summary.delete
    differ = counted(count, "channel differs", "channels differ")
    return " ".join([f"Drift: {differ} from {_declared(drift, show)}.", *_counted(drift)]) + failed_line(drift.plan)


def _declared(drift: Drift, show: Callable[[Revision], str]) -> str:
    return show(drift.declared) if drift.declared else "the files"


def _counted(drift: Drift) -> Iterator[str]:
    """The number of channels in which each side moved, if that's known."""
    sides: dict[Cause, str] = {"live_changed": "Live", "git_changed": "Git", "both_changed": "Both"}
    for group in drift.groups:
        if group.cause in sides:
            changed = sum(len(section.changes) for section in group.plan.organizations)
            yield f"{sides[group.cause]} changed in {changed:,}."
