"""A plan as text for a terminal or a log, in Terraform's grammar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from webchat_sync.model import ChannelChange, FieldChange, OrganizationPlan, Plan
from webchat_sync.plan.make import has_changes, summarize
from webchat_sync.render.values import block, inline, visible

WIDTH: Final = 80
"""How many columns a list or a map may take before it is written over several lines."""

_SYMBOLS: Final = {"create": "+", "update": "~", "delete": "-", "add": "+", "change": "~", "remove": "-"}
_VERBS: Final = {"create": "will be created", "update": "will be updated in place", "delete": "will be destroyed"}
_COLORS: Final = {"+": "\x1b[32m", "~": "\x1b[33m", "-": "\x1b[31m"}
_RESET: Final = "\x1b[0m"

Paint = Callable[[str], str]
"""Gives a symbol its colour, or leaves it."""


def render_plan(plan: Plan, *, color: bool = False) -> str:
    """The whole plan, ending in ``Plan: N to add, N to change, N to destroy.`` or ``No changes. …``."""
    paint: Paint = (lambda symbol: f"{_COLORS[symbol]}{symbol}{_RESET}") if color else str
    lines: list[str] = []
    for organization in plan.organizations:
        lines += _organization(organization, paint, named=len(plan.organizations) > 1)
    if plan.partial:
        patterns = " or ".join(inline(pattern) for pattern in plan.partial)
        lines.append(f"This plan is partial: only channels that match {patterns} were considered.")
    return "\n".join([*lines, last_line(plan)])


def last_line(plan: Plan) -> str:
    """The one line that sums the plan up."""
    if not has_changes(plan):
        considered = "The live channels" if not plan.partial else "The live channels that were considered"
        return f"No changes. {considered} match the manifest."
    summary = summarize(plan)
    return f"Plan: {summary.create} to add, {summary.update} to change, {summary.delete} to destroy."


def _organization(organization: OrganizationPlan, paint: Paint, *, named: bool) -> Iterator[str]:
    changes = [change for change in organization.changes if change.action != "none"]
    if named and (changes or organization.undeclared):
        yield f"Organization {visible(organization.organization)}:"
        yield ""
    for change in changes:
        yield from _channel(change, paint)
        yield ""
    if organization.undeclared:
        yield "Undeclared, and left alone because settings.prune is off:"
        yield from (f"    {inline(channel.name)} ({visible(channel.id)})" for channel in organization.undeclared)
        yield ""


def _channel(change: ChannelChange, paint: Paint) -> Iterator[str]:
    symbol = paint(_SYMBOLS[change.action])
    former = f", renamed from {inline(change.renamed_from)}" if change.renamed_from is not None else ""
    place = f"  ({change.place.file}:{change.place.line})" if change.place else ""
    yield f"  # {inline(change.address)} {_VERBS[change.action]}{former}{place}"
    if change.note:
        yield f"  # ({change.note})"
    yield f"  {symbol} channel {inline(change.address)} {{"
    yield from (_field(field, paint) for field in change.fields)
    yield "    }"


def _field(field: FieldChange, paint: Paint) -> str:
    indent = " " * 8
    before, after = (block(value, indent=indent, width=WIDTH) for value in (field.before, field.after))
    value = {"add": after, "remove": before, "change": f"{before} -> {after}"}[field.action]
    place = f"  ({visible(field.place.file)}:{field.place.line})" if field.place else ""
    return f"      {paint(_SYMBOLS[field.action])} {visible(field.path)}: {value}{place}"
