"""Reads a saved plan: from JSON to the plan, and to the manifests that it implies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from webchat_sync.domain.catalogue import load_schema
from webchat_sync.errors import Diagnostic, InputError, Place, StalePlanError
from webchat_sync.jsonvalue import Json, show
from webchat_sync.model import (
    UNKNOWN,
    Change,
    Create,
    CreateChannel,
    Delete,
    DeleteChannel,
    FieldChange,
    GitMemory,
    Impact,
    Key,
    LiveChannel,
    Lookalike,
    MakeSecret,
    Operation,
    OrganizationPlan,
    PatchChannel,
    Plan,
    RevokeSecret,
    SecretAdoption,
    SecretRemarks,
    Shard,
    Sink,
    Unchanged,
    Update,
    read_moment,
    read_steps,
)
from webchat_sync.planfile.digest import document_digest
from webchat_sync.planfile.failed import read_failed, read_place, read_problems
from webchat_sync.planfile.version import FORMAT_VERSION
from webchat_sync.strict_json import JsonError, load_json

_PLAN_AGAIN: Final = "Plan again with --out, and have the new plan reviewed."
_WITH_ITS_MAKER: Final = "Use the version of webchat-sync that made it, or plan again with this one."
_MAKE_ONE: Final = "Use a file written by `plan --out FILE`."


class _UnknownCallError(Exception):
    """A plan has a call that isn't one of the operations."""


def is_saved_plan(document: object) -> bool:
    """Whether a JSON document is intended to be a plan, whatever its version and state."""
    return isinstance(document, dict) and {"format_version", "organizations"} <= document.keys()


def read_plan(text: str, *, file: str = "the plan") -> Plan:
    """The plan in ``text``, the JSON of ``plan --out FILE``; ``file`` is its name in messages.

    It equals the plan that was saved, except that undeclared channels only keep their id and name. Raises InputError if
    the text isn't a plan, and StalePlanError if it mustn't be applied: it has a later major version, was edited after
    it was saved, or lacks something that's needed.
    """
    document = _parse(text, file)
    _check_version(document["format_version"], file)
    if "digest" not in document:
        raise _stale(f"{file} has no `digest`, which is needed to apply it", _PLAN_AGAIN)
    if document["digest"] != document_digest(document):
        raise _stale(f"{file} was edited after it was saved: its digest doesn't match", _PLAN_AGAIN)
    if flaw := _flaw(document):
        raise InputError([Diagnostic(f"{file} isn't a plan: {flaw}", hint=_MAKE_ONE)])
    try:
        return _plan(document)
    except _UnknownCallError as unknown:
        raise _stale(
            f"{file} has the call {unknown}, which this version of webchat-sync doesn't know", _WITH_ITS_MAKER
        ) from None
    except KeyError as missing:
        raise _stale(f"{file} has no `{missing.args[0]}`, which is needed to apply it", _PLAN_AGAIN) from None
    except (TypeError, ValueError) as flawed:
        raise InputError([Diagnostic(f"{file} isn't a plan: {flawed}", hint=_MAKE_ONE)]) from None


def _parse(text: str, file: str) -> dict[str, Any]:
    try:
        document = load_json(text, unique_keys=True)
    except JsonError as error:
        place = Place(file, error.line, error.column)
        raise InputError([Diagnostic(f"this isn't a plan: {error}", place, hint=_MAKE_ONE)]) from None
    if not is_saved_plan(document):
        raise InputError([Diagnostic(f"{file} isn't a plan", hint=_MAKE_ONE)])
    plan: dict[str, Any] = document
    return plan


def _check_version(version: Json, file: str) -> None:
    major = str(version).partition(".")[0]
    if not major.isdecimal():
        raise InputError([Diagnostic(f"{file} isn't a plan: its format_version is {show(version)}", hint=_MAKE_ONE)])
    if major != (ours := FORMAT_VERSION.partition(".")[0]):
        reason = f"{file} has format version {version}, but this version of webchat-sync only supports {ours}.x"
        raise _stale(reason, _WITH_ITS_MAKER)


def _flaw(document: Mapping[str, Any]) -> str:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(load_schema("plan")).iter_errors(document))
    if error:
        return f"{error.json_path}: {error.message}"
    for name in ("created_at", "live_created_at"):
        if (written := document.get(name)) is not None and not _is_aware(written):
            return f"$.{name}: {show(written)} isn't a time with a time zone"
    return ""


def _is_aware(written: str) -> bool:
    return read_moment(written) is not None and datetime.fromisoformat(written).tzinfo is not None


def _stale(message: str, hint: str) -> StalePlanError:
    return StalePlanError([Diagnostic(message, hint=hint)])


def _plan(document: Mapping[str, Any]) -> Plan:
    return Plan(
        created_at=datetime.fromisoformat(document["created_at"]),
        organizations=tuple(_organization(planned) for planned in document["organizations"]),
        manifest_digest=document["manifest_digest"],
        partial=tuple(document["targets"]),
        live_created_at=datetime.fromisoformat(created) if (created := document["live_created_at"]) else None,
        failed=read_failed(document.get("failed", ())),
        limited=document.get("limited", False),
        shard=Shard(**shard) if (shard := document.get("shard")) else None,
        fleet_digest=document.get("fleet_digest", ""),
    )


def _organization(document: Mapping[str, Any]) -> OrganizationPlan:
    return OrganizationPlan(
        organization=document["organization"],
        base_url=document["base_url"],
        listing_digest=document["fingerprint"],
        changes=tuple(_change(change, document["organization"]) for change in document["changes"]),
        undeclared=tuple(
            LiveChannel(channel["id"], channel["name"], {"id": channel["id"], "name": channel["name"]})
            for channel in document["undeclared"]
        ),
        listed_ids=tuple(document["listed_ids"]),
        prune=document["prune"],
        declared_count=document["wanted"],
        api_key_env=document.get("api_key_env"),
        ledger=document.get("ledger"),
        memory=GitMemory(**document["memory"]["git"]) if document.get("memory") else None,
        field_entries=document.get("field_entries", {}),
        refused=read_problems(document.get("refused", ())),
        kept={channel["id"]: channel["reason"] for channel in document["undeclared"] if channel.get("reason")},
    )


def _change(document: Mapping[str, Any], organization: str) -> Change:
    # Version 1.2 only added information about the same change, so a plan of 1.1 can be applied without it.
    address, channel_id, place = document["address"], document["channel_id"], read_place(document["place"])
    if document["action"] == "none":
        protected, remarks = document["protected"], _remarks(document)
        return Unchanged(address=address, channel_id=channel_id, place=place, protected=protected, remarks=remarks)
    common: dict[str, Any] = {
        "address": address,
        "fields": tuple(_field(field) for field in document["fields"]),
        "operations": tuple(_operation(call, document, organization) for call in document["operations"]),
        "impact": tuple(_impact(impact) for impact in document.get("impact", ())),
        "place": place,
        "protected": document["protected"],
    }
    if document["action"] == "delete":
        return Delete(**common, channel_id=channel_id, **_reviewed(document))
    places = document.get("field_places", {})
    common["field_places"] = {name: place for name, written in places.items() if (place := read_place(written))}
    common["remarks"] = _remarks(document)
    if document["action"] == "create":
        lookalikes = tuple(Lookalike(other["id"], other["name"]) for other in document.get("lookalikes", ()))
        return Create(**common, note=document["note"], renamed=document.get("former_name"), lookalikes=lookalikes)
    return Update(**common, channel_id=channel_id, renamed_from=document["renamed_from"], **_reviewed(document))


def _reviewed(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"note": document["note"], "reviewed": document["reviewed"], "digest": document["fingerprint"]}


def _remarks(document: Mapping[str, Any]) -> SecretRemarks:
    adoption = document.get("adoption")
    return SecretRemarks(
        document.get("secret_note", ""),
        SecretAdoption(adoption["rotation"], adoption.get("vouched", False)) if adoption else None,
        document.get("danger", ""),
        document["lockout"] if _may_lock_out(document) else document.get("lockout", False),
        document.get("secret_known"),
    )


def _may_lock_out(document: Mapping[str, Any]) -> bool:
    """Whether visitors could be locked out, which plans before 1.4 weren't checked for."""
    return any(
        (call["body"] or {}).get(name) is True
        for call in document["operations"]
        for name in ("identityRequired", "enabled")
    )


def _operation(call: Mapping[str, Any], change: Mapping[str, Any], organization: str) -> Operation:
    written = (call["method"], call["path"], call["body"])
    for operation in _possible_operations(change, call["body"], organization):
        if (operation.method, operation.path, operation.body) == written:
            return operation
    raise _UnknownCallError(f"{call['method']} {call['path']}")


def _possible_operations(change: Mapping[str, Any], body: Json, organization: str) -> Iterator[Operation]:
    """The operations that a change can have, with ``body`` if they have one."""
    channel_id = change["channel_id"]
    if change["action"] == "delete":
        yield DeleteChannel(organization, channel_id)
    if isinstance(body, dict):
        yield CreateChannel(organization, body)
        yield PatchChannel(organization, channel_id, body)
    secret: Mapping[str, Any] = change.get("secret") or {}
    if secret and secret["action"] == "revoke":
        yield RevokeSecret(
            organization=organization,
            channel_id=channel_id,
            reason=secret["reason"],
            stops=secret["stops"],
            known=secret["known"],
        )
    elif secret:
        yield MakeSecret(
            organization=organization,
            channel_id=channel_id,
            replaces=secret["action"] == "rotate",
            reason=secret["reason"],
            stops=secret["stops"],
            sinks=tuple(Sink.from_json(sink) for sink in secret["sinks"]),
            rotation=secret["rotation"],
            verify=secret["verify"],
            known=secret["known"],
        )


def _field(document: Mapping[str, Any]) -> FieldChange:
    before = UNKNOWN if document.get("before_unknown") else document["before"]
    # A plan of 1.3 has the place only as text, which is shown as it is.
    steps = read_steps(document["steps"]) if "steps" in document else (Key(document["path"]),)
    return FieldChange(steps, document["action"], before, document["after"], read_place(document.get("place")))


def _impact(document: Mapping[str, Any]) -> Impact:
    return Impact(document["level"], document["code"], document["text"], document["path"])
