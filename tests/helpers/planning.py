"""Makes plans for tests, each checked against the published schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from webchat_sync.domain.catalogue import Catalogue, load_catalogue, load_schema
from webchat_sync.errors import Diagnostic, Place
from webchat_sync.model import (
    ActiveChange,
    Change,
    Create,
    Declaration,
    Delete,
    Json,
    Listing,
    LiveChannel,
    Manifest,
    Plan,
    Unchanged,
    Update,
)
from webchat_sync.plan.guard import NO_OPTIONS, GuardOptions, judged
from webchat_sync.plan.make import make_plan
from webchat_sync.plan.organizations import refused
from webchat_sync.planfile import writer

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def refusals(plan: Plan, options: GuardOptions = NO_OPTIONS, *, strict: bool = False) -> tuple[Diagnostic, ...]:
    """Every reason not to apply ``plan``, with the option that would allow it; empty if it may be applied."""
    return refused(judged(plan, options, strict=strict))


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


def declare(name: str = "Support", /, **fields: Json) -> Declaration:
    return Declaration(name, {"name": name, **fields}, Place("channels.yaml", 3, 5))


def live(name: str = "Support", channel_id: str = "c-1", /, **fields: Json) -> LiveChannel:
    return LiveChannel(channel_id, name, {"id": channel_id, "name": name, **fields})


def plan_for(
    declarations: Sequence[Declaration],
    channels: Sequence[LiveChannel],
    *,
    prune: bool = False,
    organization: str = "acme",
) -> Plan:
    plan = make_plan(
        [(Manifest(organization, tuple(declarations), prune), Listing("https://api.example", tuple(channels)))],
        catalogue=catalogue(),
        created_at=NOW,
    )
    check_plan_document(json.loads(writer.render_plan(plan)))
    return plan


def changes_for(
    declarations: Sequence[Declaration], channels: Sequence[LiveChannel], *, prune: bool = False
) -> tuple[Any, ...]:
    """The changes; loosely typed, since a missing attribute fails the test."""
    return plan_for(declarations, channels, prune=prune).organizations[0].changes


def active(change: Change) -> ActiveChange:
    """The change, which must be one that calls the API."""
    assert not isinstance(change, Unchanged)
    return change


def secret_changes(plan: Plan) -> list[Create | Update]:
    """The changes that may concern secrets."""
    changes = [change for planned in plan.organizations for change in planned.active_changes]
    return [change for change in changes if not isinstance(change, Delete)]


def dangers(plan: Plan) -> tuple[Diagnostic, ...]:
    """What only --strict refuses."""
    more = [*refusals(plan, strict=True)]
    for problem in refusals(plan):
        more.remove(problem)
    return tuple(more)


def check_plan_document(document: dict[str, Any]) -> None:
    """Fail unless ``document`` matches ``schemas/plan.schema.json``."""
    Draft202012Validator(load_schema("plan"), format_checker=FormatChecker()).validate(document)
