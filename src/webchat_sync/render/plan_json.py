"""A plan as JSON, as ``schemas/plan.schema.json`` describes it."""

from __future__ import annotations

import json
from typing import Any, Final

from webchat_sync import __version__
from webchat_sync.model import UNKNOWN, ChannelChange, FieldChange, OrganizationPlan, Plan
from webchat_sync.plan.make import summarize

FORMAT_VERSION: Final = "1.0"
"""The version of the format: the minor one rises with each addition, the major one with a breaking change."""


def render_plan(plan: Plan) -> str:
    """The plan as indented JSON; ``complete`` says that it covers every declared channel."""
    summary = summarize(plan)
    document = {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "created_at": plan.created_at,
        "organizations": [_organization(each) for each in plan.organizations],
        "summary": {
            "create": summary.create,
            "update": summary.update,
            "delete": summary.delete,
            "unchanged": summary.unchanged,
            "undeclared": summary.undeclared,
        },
        "complete": True,
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _organization(planned: OrganizationPlan) -> dict[str, Any]:
    return {
        "organization": planned.organization,
        "base_url": planned.base_url,
        "fingerprint": planned.fingerprint,
        "changes": [_change(change) for change in planned.changes],
        "undeclared": [{"id": channel.id, "name": channel.name} for channel in planned.undeclared],
    }


def _change(change: ChannelChange) -> dict[str, Any]:
    return {
        "address": change.address,
        "channel_id": change.channel_id,
        "action": change.action,
        "fields": [_field(field) for field in change.fields],
        "operations": [
            {"method": operation.method, "path": operation.path, "body": operation.body}
            for operation in change.operations
        ],
    }


def _field(field: FieldChange) -> dict[str, Any]:
    unknown = field.before is UNKNOWN
    document = {
        "path": field.path,
        "action": field.action,
        "before": None if unknown else field.before,
        "after": field.after,
    }
    return {**document, "before_unknown": True} if unknown else document
