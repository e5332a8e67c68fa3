"""What a saved plan wants, as manifests."""

from __future__ import annotations

from webchat_sync.errors import Place
from webchat_sync.model import (
    ActiveChange,
    CreateChannel,
    Declaration,
    Delete,
    DeleteChannel,
    IdentitySecretDeclaration,
    MakeSecret,
    Manifest,
    Operation,
    PatchChannel,
    Plan,
    RevokeSecret,
    sent_fields,
)


def desired_manifests(saved: Plan) -> tuple[Manifest, ...]:
    """What the operations of a plan make of the channels, for planning again after an apply.

    There's one declaration for every channel that the plan touches: the fields in its calls, pinned to the id if that's
    known; absent if the channel is deleted.
    """
    return tuple(
        Manifest(
            planned.organization,
            tuple(_desired(change) for change in planned.active_changes),
            ledger=planned.ledger,
            field_entries=planned.field_entries,
        )
        for planned in saved.organizations
    )


def _desired(change: ActiveChange) -> Declaration:
    return Declaration(
        change.address,
        sent_fields(change),
        change.place or Place("the saved plan", 1, 1),
        id=change.channel_id,
        absent=isinstance(change, Delete),
        identity_secret=next(filter(None, map(_desired_secret, change.operations)), None),
    )


def _desired_secret(operation: Operation) -> IdentitySecretDeclaration | None:
    match operation:
        case MakeSecret():
            return IdentitySecretDeclaration(
                rotation=operation.rotation, deliver=operation.sinks, verify=operation.verify
            )
        case RevokeSecret():
            return IdentitySecretDeclaration(absent=True)
        case CreateChannel() | PatchChannel() | DeleteChannel():
            return None
