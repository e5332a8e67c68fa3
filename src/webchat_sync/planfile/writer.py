"""Writes a plan as JSON, according to ``schemas/plan.schema.json``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from webchat_sync import __version__
from webchat_sync.flat import json_text
from webchat_sync.model import (
    UNKNOWN,
    Change,
    Create,
    FieldChange,
    Impact,
    LiveChannel,
    Operation,
    OrganizationPlan,
    Plan,
    SecretAdoption,
    SecretOperation,
    Unchanged,
    moment_text,
    steps_document,
)
from webchat_sync.plan.summary import summarize
from webchat_sync.planfile.digest import GrowingDigest
from webchat_sync.planfile.failed import failed_document, place_document, problems_document
from webchat_sync.planfile.redacted import redacted_organization
from webchat_sync.planfile.version import FORMAT_VERSION


def render_plan(plan: Plan) -> str:
    """The plan as indented JSON; :func:`webchat_sync.planfile.reader.read_plan` is the inverse."""
    return "".join(plan_pieces(plan))


def plan_pieces(plan: Plan) -> Iterator[str]:
    """:func:`render_plan` in pieces of one organisation each: there may be thousands."""
    head, tail = _around(plan)
    digest = GrowingDigest({**head, **tail}, "organizations")
    yield json_text({**head, "organizations": []}).removesuffix("]\n}")
    between, end = "\n    ", ""
    for planned in plan.organizations:
        document = _organization(redacted_organization(planned))
        digest.add(document)
        yield between + json_text(document).replace("\n", "\n    ")
        between, end = ",\n    ", "\n  "
    yield f"{end}],{json_text({**tail, 'digest': digest.end()}).removeprefix('{')}"


def plan_digest(plan: Plan) -> str:
    """The ``digest`` of the plan as :func:`render_plan` writes it: that of all the rest."""
    head, tail = _around(plan)
    digest = GrowingDigest({**head, **tail}, "organizations")
    for planned in plan.organizations:
        digest.add(_organization(redacted_organization(planned)))
    return digest.end()


def _around(plan: Plan) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the JSON of the plan has before its organisations, and after them but for the digest."""
    summary = summarize(plan)
    head = {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "created_at": moment_text(plan.created_at),
    }
    tail = {
        "summary": {
            "create": summary.create,
            "update": summary.update,
            "delete": summary.delete,
            "unchanged": summary.unchanged,
            "undeclared": summary.undeclared,
            "rotate": summary.rotate,
            "revoke": summary.revoke,
        },
        "complete": plan.is_complete,
        "limited": plan.limited,
        **({"shard": {"index": plan.shard.index, "total": plan.shard.total}} if plan.shard else {}),
        "targets": list(plan.partial),
        "failed": failed_document(plan.failed),
        "live_created_at": moment_text(plan.live_created_at) if plan.live_created_at else None,
        "manifest_digest": plan.manifest_digest,
        **({"fleet_digest": plan.fleet_digest} if plan.fleet_digest else {}),
    }
    return head, tail


def _organization(planned: OrganizationPlan) -> dict[str, Any]:
    return {
        "organization": planned.organization,
        "base_url": planned.base_url,
        "fingerprint": planned.listing_digest,
        "changes": [_change(change) for change in planned.changes],
        "undeclared": [_undeclared(channel, planned) for channel in planned.undeclared],
        "listed": planned.listed,
        "listed_ids": list(planned.listed_ids),
        "prune": planned.prune,
        "wanted": planned.declared_count,
        "api_key_env": planned.api_key_env,
        "ledger": planned.ledger,
        **({"memory": {"git": asdict(planned.memory)}} if planned.memory else {}),
        **({"field_entries": dict(planned.field_entries)} if planned.field_entries else {}),
        **({"refused": problems_document(planned.refused)} if planned.refused else {}),
    }


def _undeclared(channel: LiveChannel, planned: OrganizationPlan) -> dict[str, Any]:
    reason = planned.kept.get(channel.id)
    return {"id": channel.id, "name": channel.name, **({"reason": reason} if reason else {})}


def _change(change: Change) -> dict[str, Any]:
    """A change as JSON; for an unchanged channel, most values are empty."""
    active = None if isinstance(change, Unchanged) else change
    decided = None if active is None or isinstance(active, Create) else active
    return {
        "address": change.address,
        "channel_id": change.channel_id,
        "action": change.action,
        "fields": [field_document(field) for field in active.fields] if active else [],
        "operations": [_operation(operation) for operation in active.operations] if active else [],
        "renamed_from": active.renamed_from if active else None,
        "note": active.note if active else "",
        "place": place_document(change.place),
        "impact": [impact_document(impact) for impact in active.impact] if active else [],
        "field_places": {name: place_document(place) for name, place in active.field_places.items()} if active else {},
        "protected": change.protected,
        "reviewed": dict(decided.reviewed) if decided else {},
        "fingerprint": decided.digest if decided else None,
        "secret": _secret(active.secret) if active and active.secret else None,
        "secret_note": change.remarks.note,
        "adoption": _adoption(change.remarks.adoption),
        "danger": change.remarks.danger,
        "lockout": change.remarks.lockout,
        "secret_known": change.remarks.known,
        **(_creation(change) if isinstance(change, Create) else {}),
    }


def _creation(change: Create) -> dict[str, Any]:
    return {
        "former_name": change.renamed,
        "lookalikes": [{"id": channel_id, "name": name} for channel_id, name in change.lookalikes],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "method": operation.method,
        "path": operation.path,
        "body": None if operation.body is None else dict(operation.body),
    }


def _adoption(adoption: SecretAdoption | None) -> dict[str, Any] | None:
    return None if adoption is None else {"rotation": adoption.rotation, "vouched": adoption.vouched}


def _secret(secret: SecretOperation) -> dict[str, Any]:
    return {
        "action": secret.action,
        "reason": secret.reason,
        "stops": secret.stops,
        "sinks": [sink.as_json() for sink in secret.sinks],
        "rotation": secret.rotation,
        "verify": secret.verify,
        "known": secret.known,
    }


def impact_document(impact: Impact) -> dict[str, str]:
    """An impact as JSON."""
    return {"level": impact.level, "code": impact.code, "text": impact.text, "path": impact.field}


def field_document(field: FieldChange) -> dict[str, Any]:
    """A difference as JSON."""
    unknown = field.before is UNKNOWN
    document = {
        "path": field.path,
        "steps": steps_document(field.steps),
        "action": field.action,
        "before": None if unknown else field.before,
        "after": field.after,
    }
    if field.place is not None:
        document["place"] = place_document(field.place)
    return {**document, "before_unknown": True} if unknown else document
