"""A plan for people to read: what looks like a secret in a live channel is hidden.

Somebody may have pasted an API key into a live text. Manifests hold none, since the reader refuses them: what a plan
sends, which applying it needs as it is, stays.
"""

from __future__ import annotations

from dataclasses import replace

from webchat_sync.leaks import redact, redact_steps, redact_value, redact_value_at
from webchat_sync.model import ChannelChange, FieldChange, Missing, OrganizationPlan, Plan


def redacted(plan: Plan) -> Plan:
    """``plan`` with ``***`` for all that looks like a key or a secret; channels that do not change cost nothing."""
    return replace(plan, organizations=tuple(map(_organization, plan.organizations)))


def _organization(planned: OrganizationPlan) -> OrganizationPlan:
    return replace(
        planned,
        changes=tuple(each if each.action == "none" else _change(each) for each in planned.changes),
        undeclared=tuple(replace(each, name=redact(each.name)) for each in planned.undeclared),
    )


def _change(change: ChannelChange) -> ChannelChange:
    return replace(
        change,
        address=redact(change.address),
        renamed_from=None if change.renamed_from is None else redact(change.renamed_from),
        fields=tuple(map(_field, change.fields)),
        reviewed={name: redact_value(value, name) for name, value in change.reviewed.items()},
        impact=tuple(replace(each, text=redact(each.text), path=redact(each.path)) for each in change.impact),
    )


def _field(field: FieldChange) -> FieldChange:
    return replace(
        field,
        steps=redact_steps(field.steps),
        before=field.before if isinstance(field.before, Missing) else redact_value_at(field.steps, field.before),
    )
