"""Dangers and warnings as annotations of GitHub Actions, at the declarations that cause them."""

from __future__ import annotations

from typing import Final

from webchat_sync.model import ActiveChange, Impact, ImpactLevel, Plan
from webchat_sync.render.failed import reasons
from webchat_sync.render.log_commands import Kind, annotation, most
from webchat_sync.render.text import last_line
from webchat_sync.render.values import inline
from webchat_sync.render.walk import walk

_KINDS: Final[dict[ImpactLevel, Kind]] = {"danger": "error", "warning": "warning"}


def render_plan(plan: Plan) -> str:
    """A workflow command per danger and warning, at most ten of either, and the plan's last line."""
    sections = walk(plan)
    changes = [channel.change for section in sections for channel in section.channels]
    remarks = [remark for section in sections for remark in section.remarks if remark.level == "danger"]
    lines: list[str] = []
    for level, kind in _KINDS.items():
        found = [
            _annotation(kind, change, effect) for change in changes for effect in change.impact if effect.level == level
        ]
        if level == "danger":
            found += [
                annotation(
                    kind, f"{inline(remark.address)}: {remark.text}", title="danger identity-secret", place=remark.place
                )
                for remark in remarks
            ]
        lines += most(kind, found, rest=f"see the plan for every {level}.")
    failed = [
        annotation("error", reason, title="organization failed", place=problem.place)
        for failure in plan.failed
        for reason, problem in zip(reasons(failure), failure.problems, strict=True)
    ]
    lines += most("error", failed, rest="see the plan for every organization.")
    return "\n".join([*lines, last_line(plan)])


def _annotation(kind: Kind, change: ActiveChange, impact: Impact) -> str:
    place = change.field_places.get(impact.path) or change.place
    return annotation(
        kind, f"{inline(change.address)}: {impact.text}", title=f"{impact.level} {impact.code}", place=place
    )
