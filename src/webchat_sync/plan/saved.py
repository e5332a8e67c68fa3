"""A saved plan: from its JSON back to the plan, and to what it wants the channels to be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from webchat_sync.domain.catalogue import load_schema
from webchat_sync.errors import InputError, Place, Problem, StalePlanError
from webchat_sync.model import (
    UNKNOWN,
    Adoption,
    ChannelChange,
    Declaration,
    FieldChange,
    IdentitySecretDeclaration,
    Impact,
    Json,
    Key,
    LiveChannel,
    Manifest,
    Operation,
    OrganizationPlan,
    Plan,
    SecretChange,
    Sink,
    read_steps,
)
from webchat_sync.plan.fingerprint import document_digest
from webchat_sync.strict_json import JsonError, load_json

FORMAT_VERSION: Final = "1.5"
"""The version of the format: the minor one rises with each addition, the major one with a breaking change."""

_PLAN_AGAIN: Final = "Plan again with --out, and have the new plan reviewed."
_MAKE_ONE: Final = "Give a file that `plan --out FILE` wrote."


def is_saved_plan(document: object) -> bool:
    """Whether a JSON document is meant as a plan, of whatever version and in whatever state."""
    return isinstance(document, dict) and {"format_version", "organizations"} <= document.keys()


def read_plan(text: str, *, file: str = "the plan") -> Plan:
    """The plan that ``text``, the JSON of ``plan --out FILE``, holds; ``file`` is its name in messages.

    It is the plan that was saved, except that an undeclared channel keeps its id and its name only. Raises
    InputError when the text is no plan at all, and StalePlanError when it is one that may not be applied: of a
    later major version, edited after it was saved, or without what applying it needs.
    """
    document = _parse(text, file)
    _check_version(document["format_version"], file)
    if document.get("digest") != document_digest(document):
        raise _stale(f"{file} was edited after it was saved: its digest does not fit", _PLAN_AGAIN)
    if flaw := _flaw(document):
        raise InputError([Problem(f"{file} is not a plan: {flaw}", hint=_MAKE_ONE)])
    try:
        return _plan(document)
    except KeyError as missing:
        raise _stale(f"{file} has no {missing}, which applying it needs", _PLAN_AGAIN) from None


def desired_manifests(saved: Plan) -> tuple[Manifest, ...]:
    """What the operations of a plan want the channels to be, for planning again after it was applied.

    One declaration for each channel that the plan touches: the fields that its calls carry, pinned to the id
    where it is known; absent, when the channel is deleted.
    """
    return tuple(
        Manifest(
            each.organization,
            tuple(_desired(change) for change in each.changes if change.action != "none"),
            ledger=each.ledger,
        )
        for each in saved.organizations
    )


def _desired(change: ChannelChange) -> Declaration:
    fields: dict[str, Json] = {}
    for operation in change.operations:
        fields.update(operation.body or {})
    return Declaration(
        change.address,
        fields,
        change.place or Place("the saved plan", 1, 1),
        id=change.channel_id,
        absent=change.action == "delete",
        identity_secret=_desired_secret(change.secret) if change.secret else None,
    )


def _desired_secret(secret: SecretChange) -> IdentitySecretDeclaration:
    return IdentitySecretDeclaration(
        absent=secret.action == "revoke", rotation=secret.rotation, deliver=secret.sinks, verify=secret.verify
    )


def _parse(text: str, file: str) -> dict[str, Any]:
    try:
        document = load_json(text, unique_keys=True)
    except JsonError as error:
        place = Place(file, error.line, error.column)
        raise InputError([Problem(str(error), place, hint=_MAKE_ONE)]) from None
    if not is_saved_plan(document):
        raise InputError([Problem(f"{file} is not a plan", hint=_MAKE_ONE)])
    found: dict[str, Any] = document
    return found


def _check_version(version: object, file: str) -> None:
    major = str(version).partition(".")[0]
    if not major.isdecimal():
        raise InputError([Problem(f"{file} is not a plan: its format_version is {version!r}", hint=_MAKE_ONE)])
    ours = FORMAT_VERSION.partition(".")[0]
    if major != ours:
        raise _stale(
            f"{file} has the format version {version}, and this webchat-sync knows {ours}.x only",
            "Apply it with the webchat-sync that made it, or plan again with this one.",
        )


def _flaw(document: Mapping[str, Any]) -> str:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    found = best_match(Draft202012Validator(load_schema("plan")).iter_errors(document))
    if found:
        return f"{found.json_path}: {found.message}"
    try:
        aware = datetime.fromisoformat(document["created_at"]).tzinfo is not None
    except ValueError:
        aware = False
    return "" if aware else f"$.created_at: {document['created_at']!r} is no time with a time zone"


def _stale(message: str, hint: str) -> StalePlanError:
    return StalePlanError([Problem(message, hint=hint)])


def _plan(document: Mapping[str, Any]) -> Plan:
    return Plan(
        created_at=document["created_at"],
        organizations=tuple(_organization(each) for each in document["organizations"]),
        manifest_digest=document["manifest_digest"],
        partial=tuple(document["targets"]),
        live_created_at=document["live_created_at"],
    )


def _organization(document: Mapping[str, Any]) -> OrganizationPlan:
    return OrganizationPlan(
        organization=document["organization"],
        base_url=document["base_url"],
        fingerprint=document["fingerprint"],
        changes=tuple(_change(each) for each in document["changes"]),
        undeclared=tuple(
            LiveChannel(each["id"], each["name"], {"id": each["id"], "name": each["name"]})
            for each in document["undeclared"]
        ),
        listed_ids=tuple(document["listed_ids"]),
        prune=document["prune"],
        wanted=document["wanted"],
        api_key_env=document.get("api_key_env"),
        ledger=document.get("ledger"),
    )


def _change(document: Mapping[str, Any]) -> ChannelChange:
    # What came with 1.2 only says more of the same change: a plan of 1.1 is applied without it.
    places = document.get("field_places", {})
    secret, adoption = document.get("secret"), document.get("adoption")
    return ChannelChange(
        address=document["address"],
        action=document["action"],
        channel_id=document["channel_id"],
        fields=tuple(_field(each) for each in document["fields"]),
        operations=tuple(Operation(each["method"], each["path"], each["body"]) for each in document["operations"]),
        renamed_from=document["renamed_from"],
        note=document["note"],
        place=_place(document["place"]),
        impact=tuple(_impact(each) for each in document.get("impact", ())),
        field_places={name: place for name, each in places.items() if (place := _place(each))},
        reviewed=document["reviewed"],
        fingerprint=document["fingerprint"],
        protected=document["protected"],
        secret=_secret(secret) if secret else None,
        secret_note=document.get("secret_note", ""),
        adoption=Adoption(adoption["rotation"], adoption.get("vouched", False)) if adoption else None,
        danger=document.get("danger", ""),
        lockout=document["lockout"] if _matters(document) else document.get("lockout", False),
        secret_known=document.get("secret_known"),
    )


def _matters(document: Mapping[str, Any]) -> bool:
    """Whether visitors could be locked out, which a plan from before 1.4 was not checked for."""
    return any(
        (each["body"] or {}).get(name) is True
        for each in document["operations"]
        for name in ("identityRequired", "enabled")
    )


def _secret(document: Mapping[str, Any]) -> SecretChange:
    return SecretChange(
        action=document["action"],
        reason=document["reason"],
        stops=document["stops"],
        sinks=tuple(Sink.from_json(each) for each in document["sinks"]),
        rotation=document["rotation"],
        verify=document["verify"],
        known=document["known"],
    )


def _field(document: Mapping[str, Any]) -> FieldChange:
    before = UNKNOWN if document.get("before_unknown") else document["before"]
    # A plan of 1.3 says where in words only: they are kept as they are, and shown so.
    steps = read_steps(document["steps"]) if "steps" in document else (Key(document["path"]),)
    return FieldChange(steps, document["action"], before, document["after"], _place(document.get("place")))


def _impact(document: Mapping[str, Any]) -> Impact:
    return Impact(document["level"], document["code"], document["text"], document["path"])


def _place(document: Mapping[str, Any] | None) -> Place | None:
    return None if document is None else Place(document["file"], document["line"], document["column"])
