"""The guards: reasons to refuse a plan before anything of it is written."""

from __future__ import annotations

from webchat_sync.errors import Problem
from webchat_sync.model import ChannelChange, Declaration


def protection_refusal(declaration: Declaration, change: ChannelChange) -> Problem | None:
    """Why ``change`` may not be applied to a channel that is declared with ``sync.protect: true``."""
    if not declaration.protect:
        return None
    if change.action == "delete":
        verb = "deleted"
    elif change.action == "update" and any(each.path == "enabled" and each.after is False for each in change.fields):
        verb = "switched off"
    else:
        return None
    return Problem(
        f'channel "{change.address}" is protected and would be {verb}',
        declaration.field_places.get("enabled", declaration.place),
        hint="Remove sync.protect from its declaration first, in a change of its own.",
    )
