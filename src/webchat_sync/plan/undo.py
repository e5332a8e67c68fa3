"""What an adopt changes, as two plans: the one that would revert it, and its inverse."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from webchat_sync.frozen import frozen
from webchat_sync.model import ActiveChange, FieldChange, Missing, PatchChannel, Plan, Update, sent_fields
from webchat_sync.plan.drift import only, part_of


@frozen
class Moved:
    """A channel that the files now follow: its adopted ``fields``; ``pinned``: its id is added."""

    organization: str
    channel: str
    channel_id: str
    fields: tuple[str, ...]
    pinned: bool


def undoing(plan: Plan, moved: Collection[Moved]) -> Plan:
    """The part of ``plan`` that would revert ``moved``, with all its organisations."""
    fields_by_channel = {(channel.organization, channel.channel_id): channel.fields for channel in moved}
    changes: dict[str, list[ActiveChange]] = {
        planned.organization: [
            part_of(change, fields, beside=False)
            for change in planned.active_changes
            if isinstance(change, Update)
            and (names := fields_by_channel.get((planned.organization, change.channel_id)))
            and (fields := tuple(field for field in change.fields if field.field in names))
        ]
        for planned in plan.organizations
    }
    return only(plan, changes)


def inverted(undo: Plan) -> Plan:
    """The inverse of ``undo``: from the declared to the live values, without impact on visitors."""
    organizations = [
        replace(planned, changes=tuple(_inverted(change) for change in planned.changes if isinstance(change, Update)))
        for planned in undo.organizations
    ]
    return replace(undo, organizations=tuple(organizations))


def _inverted(change: Update) -> Update:
    declared = sent_fields(change)
    live = {name: value for name, value in change.reviewed.items() if name in declared}
    organizations = [operation.organization for operation in change.operations]
    return replace(
        change,
        fields=tuple(map(_inverted_field, change.fields)),
        operations=tuple(PatchChannel(organization, change.channel_id, live) for organization in organizations[:1]),
        reviewed={**change.reviewed, **declared},
        impact=(),
        renamed_from=None,
        note="",
    )


def _inverted_field(field: FieldChange) -> FieldChange:
    live = None if isinstance(field.before, Missing) else field.before
    match field.action:
        case "add":
            return replace(field, action="remove", before=field.after, after=None)
        case "remove":
            return replace(field, action="add", before=None, after=live)
        case "change":
            return replace(field, before=field.after, after=live)
