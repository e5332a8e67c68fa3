"""Drift as JSON, according to ``schemas/drift.schema.json``."""

from __future__ import annotations

from typing import Any, Final

from webchat_sync import __version__
from webchat_sync.flat import json_text
from webchat_sync.model import ActiveChange, OrganizationPlan, moment_text
from webchat_sync.plan.drift import Drift, Group, Revision
from webchat_sync.plan.summary import has_changes
from webchat_sync.planfile.failed import failed_document, place_document
from webchat_sync.planfile.writer import field_document, impact_document
from webchat_sync.render.drift import remarks

FORMAT_VERSION: Final = "1.2"
"""The version of the format: additions raise the minor number, breaking changes the major one."""


def render_drift(drift: Drift) -> str:
    """The drift as indented JSON."""
    return json_text(
        {
            "format_version": FORMAT_VERSION,
            "tool_version": __version__,
            "created_at": moment_text(drift.plan.created_at),
            "declared": _revision(drift.declared),
            "base": _revision(drift.base),
            "drifted": has_changes(drift.plan),
            "groups": [_group(group) for group in drift.groups],
            "secrets": [
                {
                    "organization": section.organization,
                    "address": remark.address,
                    "level": remark.level,
                    "text": remark.text,
                    "place": place_document(remark.place),
                }
                for section, remark in remarks(drift.plan)
            ],
            "complete": drift.plan.is_complete,
            "failed": failed_document(drift.plan.failed),
            "targets": list(drift.plan.partial),
            "live_created_at": moment_text(created_at) if (created_at := drift.plan.live_created_at) else None,
        }
    )


def _revision(revision: Revision | None) -> dict[str, str] | None:
    return None if revision is None else {"revision": revision.name, "commit": revision.commit}


def _group(group: Group) -> dict[str, Any]:
    return {
        "cause": group.cause,
        "organizations": [_organization(part) for part in group.plan.organizations if part.changes],
    }


def _organization(part: OrganizationPlan) -> dict[str, Any]:
    return {
        "organization": part.organization,
        "base_url": part.base_url,
        "changes": [_change(change) for change in part.active_changes],
    }


def _change(change: ActiveChange) -> dict[str, Any]:
    return {
        "address": change.address,
        "channel_id": change.channel_id,
        "action": change.action,
        "fields": [field_document(field) for field in change.fields],
        "renamed_from": change.renamed_from,
        "note": change.note,
        "place": place_document(change.place),
        "impact": [impact_document(effect) for effect in change.impact],
        "secret": None if change.secret is None else {"action": change.secret.action, "reason": change.secret.reason},
    }
