"""Counts what a plan does."""

from __future__ import annotations

from collections import Counter

from webchat_sync.frozen import frozen
from webchat_sync.model import Plan


@frozen
class Summary:
    """Numbers of channels, and of identity secrets that are created, rotated and revoked."""

    create: int
    update: int
    delete: int
    unchanged: int
    undeclared: int
    generate: int
    rotate: int
    revoke: int


def has_changes(plan: Plan) -> bool:
    """Whether applying the plan would send anything."""
    return any(organization.active_changes for organization in plan.organizations)


def summarize(plan: Plan) -> Summary:
    """How many channels the plan creates, updates, deletes and leaves unchanged, in all organisations."""
    actions = Counter(change.action for organization in plan.organizations for change in organization.changes)
    active = [change for organization in plan.organizations for change in organization.active_changes]
    secrets = Counter(change.secret.action for change in active if change.secret)
    return Summary(
        create=actions["create"],
        update=actions["update"],
        delete=actions["delete"],
        unchanged=actions["none"],
        undeclared=sum(len(organization.undeclared) for organization in plan.organizations),
        generate=secrets["generate"],
        rotate=secrets["rotate"],
        revoke=secrets["revoke"],
    )
