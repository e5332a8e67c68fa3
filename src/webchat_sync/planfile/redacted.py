"""Redacts a plan for display: anything in a live channel that looks like a secret is hidden.

Someone may have pasted an API key into a live text. Manifests contain none, since the reader rejects them, so what a
plan sends stays as it is.
"""

from __future__ import annotations

from dataclasses import replace

from webchat_sync.leaks import redact_steps, redact_text, redact_value, redact_value_at
from webchat_sync.model import (
    ActiveChange,
    Create,
    Delete,
    FieldChange,
    Impact,
    Missing,
    OrganizationPlan,
    Unchanged,
    Update,
)


def redacted_organization(planned: OrganizationPlan) -> OrganizationPlan:
    """``planned`` with ``***`` for everything that looks like a key or a secret."""
    return replace(
        planned,
        changes=tuple(change if isinstance(change, Unchanged) else _change(change) for change in planned.changes),
        undeclared=tuple(replace(channel, name=redact_text(channel.name)) for channel in planned.undeclared),
        kept={channel_id: redact_text(reason) for channel_id, reason in planned.kept.items()},
        refused=tuple(
            replace(problem, message=redact_text(problem.message), hint=redact_text(problem.hint))
            for problem in planned.refused
        ),
    )


def _change(change: ActiveChange) -> ActiveChange:
    address, fields = redact_text(change.address), tuple(map(_field, change.fields))
    impact = tuple(map(_impact, change.impact))
    match change:
        case Create():
            note = redact_text(change.note)
            lookalikes = tuple(other._replace(name=redact_text(other.name)) for other in change.lookalikes)
            return replace(change, address=address, fields=fields, impact=impact, note=note, lookalikes=lookalikes)
        case Update():
            former = None if change.renamed_from is None else redact_text(change.renamed_from)
            reviewed = {name: redact_value(value, name) for name, value in change.reviewed.items()}
            return replace(
                change, address=address, fields=fields, impact=impact, renamed_from=former, reviewed=reviewed
            )
        case Delete():
            reviewed = {name: redact_value(value, name) for name, value in change.reviewed.items()}
            return replace(change, address=address, fields=fields, impact=impact, reviewed=reviewed)


def _impact(impact: Impact) -> Impact:
    return replace(impact, text=redact_text(impact.text), field=redact_text(impact.field))


def _field(field: FieldChange) -> FieldChange:
    return replace(
        field,
        steps=redact_steps(field.steps),
        before=field.before if isinstance(field.before, Missing) else redact_value_at(field.steps, field.before),
    )
