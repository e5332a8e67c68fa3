"""A plan for the log of GitHub Actions: the changes, with annotations at dangerous declarations."""

from __future__ import annotations

from typing import Final

from webchat_sync.model import Impact, ImpactLevel, Plan
from webchat_sync.render import refusal
from webchat_sync.render.failed import reasons
from webchat_sync.render.log_commands import Kind, annotation, most
from webchat_sync.render.text import change_lines, last_line, partial_line
from webchat_sync.render.walk import Channel, walk

_KINDS: Final[dict[ImpactLevel, Kind]] = {"danger": "error", "warning": "warning"}


def render_plan(plan: Plan) -> str:
    """The plan as text, with a workflow command per refusal, danger and warning above its last line.

    GitHub shows ten annotations of every kind, so they can't replace the plan.
    """
    return "\n".join([*change_lines(plan), render_end(plan)])


def render_end(plan: Plan) -> str:
    """What :func:`render_plan` says below all organisations, which is as text."""
    sections = walk(plan)
    channels = [channel for section in sections for channel in section.channels]
    remarks = [remark for section in sections for remark in section.remarks if remark.level == "danger"]
    lines = [partial_line(plan)] if plan.partial else []
    lines += refusal.log_commands(plan)
    for level, kind in _KINDS.items():
        annotations = [
            _annotation(kind, channel, effect)
            for channel in channels
            for effect in channel.change.impact
            if effect.level == level
        ]
        if level == "danger":
            annotations += [
                annotation(kind, f"{remark.name}: {remark.text}", title="danger identity-secret", place=remark.place)
                for remark in remarks
            ]
        lines += most(kind, annotations, rest=f"see the plan for every {level}.")
    failed = [
        annotation("error", reason, title="organisation failed", place=problem.place)
        for failure in plan.failed
        for reason, problem in zip(reasons(failure), failure.problems, strict=True)
    ]
    lines += most("error", failed, rest="see the plan for all of them.")
    return "\n".join([*lines, last_line(plan)])


def _annotation(kind: Kind, channel: Channel, impact: Impact) -> str:
    change = channel.change
    place = change.field_places.get(impact.field) or change.place
    return annotation(kind, f"{channel.name}: {impact.text}", title=f"{impact.level} {impact.code}", place=place)
