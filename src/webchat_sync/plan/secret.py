"""What becomes of a channel's identity secret: a function of the declaration, the live channel, the ledger and now."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from webchat_sync.model import (
    UNKNOWN,
    Adoption,
    ChannelChange,
    Declaration,
    IdentitySecretDeclaration,
    Json,
    LedgerEntry,
    LiveChannel,
    Missing,
    Operation,
    SecretChange,
)
from webchat_sync.plan.bodies import channels_path

UNKNOWN_NOTE: Final = (
    "whether it has an identity secret is unknown: neither the server's list nor the ledger says so; nothing is done"
)
ANY_VISITOR: Final = "every visitor, until the site signs with the new secret"
UNSURE_NOTE: Final = (
    "whether the site has the identity secret is not known here: no ledger knows it as delivered; give "
    "--adopt-secret once to have it remembered, or --rotate to replace it"
)
VOUCHED_NOTE: Final = "the identity secret is taken as one that the site has, as --adopt-secret says"
SIGNED_VISITORS: Final = "visitors signed with the present secret, until the site has the new one"
REVOKED: Final = "visitors that the site signs; they are refused"
DANGER: Final = (
    "identityRequired is on and the channel has no identity secret: no signature can be right, so every visitor is "
    "refused"
)
LOCKOUT: Final = (
    "identityRequired would take effect with an identity secret that no ledger knows as delivered; where the site does "
    "not have it, every visitor is refused"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided: a change, or nothing, with a note where that is worth saying and what to remember."""

    change: SecretChange | None = None
    note: str = ""
    adoption: Adoption | None = None


NOTHING: Final = Verdict()


def decide(
    declared: IdentitySecretDeclaration,
    has: bool | Missing | None,
    entry: LedgerEntry | None,
    *,
    now: datetime,
    forced: bool = False,
) -> Verdict:
    """What to do about an identity secret.

    ``has`` is whether the channel has one: UNKNOWN when the live answer does not carry it, None when the channel is
    still to be created. ``entry`` is what the ledger remembers; ``forced`` asks for a rotation whatever it says.
    """
    known = entry.attempt if entry else ""
    there = _there(has, entry)
    if declared.absent:
        if isinstance(there, Missing):
            return Verdict(note=UNKNOWN_NOTE)
        revoke = SecretChange("revoke", "declared with state: absent", REVOKED, known=known)
        return Verdict(revoke) if there else NOTHING
    if not forced and isinstance(there, Missing):
        return Verdict(note=UNKNOWN_NOTE)
    adoption = _adoption(declared, entry) if there is True and not forced else None
    if adoption is not None:
        return adoption
    reason = _reason(declared, has, there, entry, now=now, forced=forced)
    if not reason:
        return NOTHING
    return Verdict(
        SecretChange(
            "generate" if there is False else "rotate",
            reason,
            "" if there is False else SIGNED_VISITORS,
            declared.deliver,
            declared.rotation,
            declared.verify,
            known,
        )
    )


def with_identity_secret(
    change: ChannelChange,
    declaration: Declaration,
    live: LiveChannel | None,
    entry: LedgerEntry | None,
    *,
    organization: str,
    now: datetime,
    forced: bool = False,
    vouched: bool = False,
) -> ChannelChange:
    """``change`` with what happens to the declared identity secret, and with the danger that visitors are in.

    A secret is made and delivered before the PATCH that may require it, and revoked after the one that may not.
    ``vouched``: somebody says that the site has the present secret.
    """
    if declaration.absent:
        return change
    has = _has(live)
    block = declaration.identity_secret
    known_attempt = entry.attempt if entry else ""
    vouched = vouched and not (entry and entry.known)
    if vouched:
        entry = _vouched(entry, declaration, now)
    verdict = decide(block, has, entry, now=now, forced=forced) if block else NOTHING
    if verdict.change is not None:
        verdict = replace(verdict, change=replace(verdict.change, known=known_attempt))
    elif vouched and entry is not None:
        verdict = Verdict(note=VOUCHED_NOTE, adoption=Adoption(entry.rotation, vouched=True))
    required = declaration.fields.get("identityRequired", live.fields.get("identityRequired") if live else None) is True
    secret = verdict.change
    if secret is not None and secret.action == "rotate" and required:
        secret = replace(secret, stops=ANY_VISITOR)
    left = secret.action != "revoke" if secret else _there(has, entry)
    managed = "identityRequired" in declaration.fields or secret is not None
    unsure = required and left is not False and secret is None and not (entry and entry.known)
    takes_effect = required and any(_in_effect(each) for each in change.operations)
    lockout = unsure and takes_effect
    danger = DANGER if required and managed and left is False else LOCKOUT if lockout else ""
    note = verdict.note or (UNSURE_NOTE if unsure and block and not lockout else "")
    decided_on = known_attempt if secret is None and (takes_effect or vouched) else None
    if danger or note or verdict.adoption or decided_on is not None:
        change = replace(
            change,
            secret_note=note,
            adoption=verdict.adoption,
            danger=danger,
            lockout=lockout,
            secret_known=decided_on,
        )
    if secret is not None:
        return _with_operation(change, secret, live, organization)
    return replace(change, reviewed=_with_has(change, live)) if takes_effect and live is not None else change


def _in_effect(operation: Operation) -> bool:
    """Whether the call makes a required signature take effect: it requires one, or switches the channel on."""
    body = operation.body or {}
    return body.get("identityRequired") is True or body.get("enabled") is True


def _vouched(entry: LedgerEntry | None, declaration: Declaration, now: datetime) -> LedgerEntry:
    """What the ledger will remember: of the secret that it knows of, else of one that is as it is declared."""
    if entry is not None and entry.state != "revoked":
        return replace(entry, state="vouched")
    rotation = declaration.identity_secret.rotation if declaration.identity_secret else None
    return LedgerEntry(declaration.name, "vouched", "", now.isoformat(timespec="seconds"), rotation)


def _with_operation(
    change: ChannelChange, secret: SecretChange, live: LiveChannel | None, organization: str
) -> ChannelChange:
    path = f"{channels_path(organization)}/{change.channel_id or '{id}'}/identity-secret"
    before = change.operations[:1] if change.action == "create" else ()
    after = change.operations[len(before) :]
    if secret.action == "revoke":
        operations = (*before, *after, Operation("DELETE", path, None))
    else:
        operations = (*before, Operation("POST", path, None), *after)
    reviewed = _with_has(change, live)
    action = "update" if change.action == "none" else change.action
    return replace(change, action=action, operations=operations, reviewed=reviewed, secret=secret)


def _with_has(change: ChannelChange, live: LiveChannel | None) -> dict[str, Json]:
    """What was decided on is reviewed, too: a plan for a channel whose secret came or went since is stale."""
    found: dict[str, Json] = {} if live is None else {"hasIdentitySecret": live.fields.get("hasIdentitySecret")}
    return {**change.reviewed, **found}


def _has(live: LiveChannel | None) -> bool | Missing | None:
    if live is None:
        return None
    has = live.fields.get("hasIdentitySecret")
    return has if isinstance(has, bool) else UNKNOWN


def _there(has: bool | Missing | None, entry: LedgerEntry | None) -> bool | Missing:
    """Whether there is a secret now, as the server says or else the ledger."""
    if isinstance(has, bool):
        return has
    if has is None:
        return False
    return UNKNOWN if entry is None else entry.state != "revoked"


def _adoption(declared: IdentitySecretDeclaration, entry: LedgerEntry | None) -> Verdict | None:
    """The secret is somebody else's: nothing tells whether it is the one that is asked for, so it is taken for it."""
    nothing_known = entry is None or entry.state == "revoked"
    by_hand = entry is not None and entry.known and not entry.declared and declared.rotation is not None
    if nothing_known and (declared.rotation is not None or declared.max_age is not None):
        what = f"rotation {_shown(declared.rotation)}" if declared.rotation is not None else "the secret"
        age = "; its age counts from now" if declared.max_age is not None else ""
        note = f"{what} is adopted without a rotation: the channel has a secret that the ledger does not know{age}"
        return Verdict(note=note, adoption=Adoption(declared.rotation))
    if by_hand:
        how = "somebody vouched for it" if entry and entry.state == "vouched" else "the secret was rotated by hand"
        note = f"rotation {_shown(declared.rotation)} is adopted without a rotation: {how}"
        return Verdict(note=note, adoption=Adoption(declared.rotation, vouched=True))
    return None


def _reason(
    declared: IdentitySecretDeclaration,
    has: bool | Missing | None,
    there: bool | Missing,
    entry: LedgerEntry | None,
    *,
    now: datetime,
    forced: bool,
) -> str:
    """Why a new secret is made; empty when none is."""
    if has is None:
        return "the channel is new"
    if entry is not None and entry.state == "intended":
        return f"a rotation that began at {entry.at} was cut off, so its secret is lost"
    if entry is not None and entry.state == "undelivered":
        return f"the secret made at {entry.at} did not reach every sink, or was not proven"
    if there is False:
        return "the channel has no identity secret"
    if forced:
        return "asked for with --rotate"
    if entry is None:
        return ""
    if declared.rotation is not None and declared.rotation != entry.rotation:
        return f"rotation {_shown(entry.rotation)} -> {_shown(declared.rotation)}"
    if declared.max_age is not None and now - entry.moment >= declared.max_age:
        return f"older than {declared.age_text}"
    return ""


def _shown(rotation: str | None) -> str:
    return "(none)" if rotation is None else json.dumps(rotation, ensure_ascii=False)
