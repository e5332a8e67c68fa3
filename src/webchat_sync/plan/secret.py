"""Decides what to do about a channel's identity secret, from the declaration, the live channel, the ledger and now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import as_json
from webchat_sync.model import (
    NO_REMARKS,
    UNKNOWN,
    CreateChannel,
    Declaration,
    IdentitySecretDeclaration,
    LedgerEntry,
    LiveChannel,
    MakeSecret,
    Missing,
    Operation,
    PatchChannel,
    RevokeSecret,
    SecretAdoption,
    SecretOperation,
    SecretRemarks,
    moment_text,
)
from webchat_sync.sentences import counted

UNKNOWN_NOTE: Final = (
    "can't tell whether it has an identity secret, since neither the server's list nor the ledger says; "
    "nothing is done about it"
)
ANY_VISITOR: Final = "every visitor until the site signs with the new secret"
UNSURE_NOTE: Final = (
    "can't tell whether the site has the current identity secret, since the ledger has no record of its "
    "delivery; apply once with --adopt-secret to record it, or with --rotate to replace it"
)
VOUCHED_NOTE: Final = "the site is assumed to have the current identity secret because of --adopt-secret"
SIGNED_VISITORS: Final = "visitors signed with the current secret until the site has the new one"
REVOKED: Final = "signed visitors"
DANGER: Final = (
    "identityRequired is on, but the channel has no identity secret: no signature can be valid, so every "
    "visitor is refused"
)
LEFT_WITHOUT: Final = (
    "identityRequired is on, but the identity secret is revoked: no signature is valid after that, so every visitor "
    "is refused"
)
LOCKOUT: Final = (
    "identityRequired would take effect, but the ledger has no record that the identity secret was "
    "delivered; if the site doesn't have it, every visitor is refused"
)


@frozen
class SecretDecision:
    """The operation on an identity secret, and the remarks on it.

    ``rests_on_listed``: the decision depends on whether the listing says that there is a secret.
    """

    operation: SecretOperation | None = None
    remarks: SecretRemarks = NO_REMARKS
    rests_on_listed: bool = False

    def around(self, patch: Sequence[PatchChannel]) -> tuple[Operation, ...]:
        """The calls in order: a secret is made before the PATCH that may require it, and revoked after it."""
        if self.operation is None:
            return tuple(patch)
        return (*patch, self.operation) if isinstance(self.operation, RevokeSecret) else (self.operation, *patch)


NOTHING: Final = SecretDecision()


def decide_secret(
    declaration: Declaration,
    live: LiveChannel | None,
    entry: LedgerEntry | None,
    *,
    organization: str,
    now: datetime,
    calls: Sequence[CreateChannel | PatchChannel],
    forced: bool,
    vouched: bool,
) -> SecretDecision:
    """What to do about the identity secret of a channel that's declared present, ``live`` or not yet created.

    ``entry`` is its entry in the ledger; ``calls`` are the calls with its fields. ``forced`` requests a rotation
    whatever the ledger says; ``vouched``: the operator confirms that the site has the current secret.
    """
    vouched = vouched and not (entry and entry.known)
    required = declaration.fields.get("identityRequired", live.fields.get("identityRequired") if live else None) is True
    if declaration.identity_secret is None and not required and not vouched:
        return NOTHING
    situation = _Situation(
        declared=declaration.identity_secret,
        live=live,
        entry=_vouched(entry, declaration, now) if vouched else entry,
        organization=organization,
        now=now,
        required=required,
        forced=forced,
        attempt=entry.attempt if entry else "",
    )
    decision = situation.decide()
    if decision.operation is None and vouched and situation.entry is not None:
        decision = SecretDecision(
            remarks=SecretRemarks(VOUCHED_NOTE, SecretAdoption(situation.entry.rotation, vouched=True))
        )
    takes_effect = required and any(_in_effect(call) for call in calls)
    remarks = situation.remarks(
        decision,
        takes_effect=takes_effect,
        managed="identityRequired" in declaration.fields,
        decided_on=situation.attempt if takes_effect or vouched else None,
    )
    return SecretDecision(decision.operation, remarks, decision.operation is not None or takes_effect)


def _in_effect(call: CreateChannel | PatchChannel) -> bool:
    """Whether the call makes a required signature take effect, by requiring one or switching the channel on."""
    return call.body.get("identityRequired") is True or call.body.get("enabled") is True


def _vouched(entry: LedgerEntry | None, declaration: Declaration, now: datetime) -> LedgerEntry:
    """What the ledger will remember: its own entry as vouched, or a new one for the declared rotation."""
    if entry is not None and entry.state != "revoked":
        return replace(entry, state="vouched")
    rotation = declaration.identity_secret.rotation if declaration.identity_secret else None
    return LedgerEntry(declaration.name, "vouched", "", now, rotation)


@frozen(kw_only=True)
class _Situation:
    """The situation of one channel's secret: what is declared, live and in the ledger, and what visitors need.

    ``attempt`` is the one in the ledger, empty if there is none.
    """

    declared: IdentitySecretDeclaration | None
    live: LiveChannel | None
    entry: LedgerEntry | None
    organization: str
    now: datetime
    required: bool
    forced: bool
    attempt: str

    def has_secret(self) -> bool | Missing:
        """Whether there is a secret now, according to the server, or else the ledger."""
        if self.live is None:
            return False
        if (listed := self.live.has_secret) is not None:
            return listed
        return UNKNOWN if self.entry is None else self.entry.state != "revoked"

    def decide(self) -> SecretDecision:
        """The decision, with a note if it's worth explaining why nothing is done."""
        declared, has_secret = self.declared, self.has_secret()
        if declared is None:
            return NOTHING
        if isinstance(has_secret, Missing) and (declared.absent or not self.forced):
            return SecretDecision(remarks=SecretRemarks(UNKNOWN_NOTE))
        if declared.absent:
            return SecretDecision(self._revoke()) if has_secret else NOTHING
        if has_secret is True and not self.forced and (adopted := _adoption(declared, self.entry)):
            return adopted
        reason = self._reason(declared, has_secret)
        if reason:
            return SecretDecision(self._make(declared, reason, replaces=has_secret is not False))
        return _dated_ahead(self.entry, self.now) if self.entry and declared.max_age is not None else NOTHING

    def remarks(
        self, decision: SecretDecision, *, takes_effect: bool, managed: bool, decided_on: str | None
    ) -> SecretRemarks:
        """The decision's remarks and the danger for visitors; ``managed``: identityRequired is declared."""
        operation, remarks = decision.operation, decision.remarks
        remains = isinstance(operation, MakeSecret) if operation else self.has_secret()
        known = self.entry is not None and self.entry.known
        unsure = self.required and remains is not False and operation is None and not known
        lockout = unsure and takes_effect
        none_left = self.required and remains is False and (managed or operation is not None)
        without = LEFT_WITHOUT if operation else DANGER
        return SecretRemarks(
            note=remarks.note or (UNSURE_NOTE if unsure and self.declared and not lockout else ""),
            adoption=remarks.adoption,
            danger=without if none_left else LOCKOUT if lockout else "",
            lockout=lockout,
            known=decided_on if operation is None else None,
        )

    def _revoke(self) -> RevokeSecret:
        return RevokeSecret(
            organization=self.organization,
            channel_id=self.live.id if self.live else None,
            reason="declared with state: absent",
            stops=REVOKED,
            known=self.attempt,
        )

    def _make(self, declared: IdentitySecretDeclaration, reason: str, *, replaces: bool) -> MakeSecret:
        return MakeSecret(
            organization=self.organization,
            channel_id=self.live.id if self.live else None,
            replaces=replaces,
            reason=reason,
            stops="" if not replaces else ANY_VISITOR if self.required else SIGNED_VISITORS,
            sinks=declared.deliver,
            rotation=declared.rotation,
            verify=declared.verify,
            known=self.attempt,
        )

    def _reason(self, declared: IdentitySecretDeclaration, has_secret: bool | Missing) -> str:
        """Why a new secret is made; empty if none is."""
        entry = self.entry
        if self.live is None:
            return "the channel is new"
        if entry is not None and entry.state == "intended":
            return f"a rotation that began at {moment_text(entry.at)} was interrupted, so its secret is lost"
        if entry is not None and entry.state == "undelivered":
            return f"the secret created at {moment_text(entry.at)} didn't reach every sink or wasn't verified"
        if has_secret is False:
            return "the channel has no identity secret"
        if self.forced:
            return "requested with --rotate"
        if entry is None:
            return ""
        if declared.rotation is not None and declared.rotation != entry.rotation:
            return f"rotation {_shown(entry.rotation)} -> {_shown(declared.rotation)}"
        made_at = entry.made_at(self.now)
        if declared.max_age is not None and made_at is not None and self.now - made_at >= declared.max_age:
            return f"older than {declared.age_text}"
        return ""


def _adoption(declared: IdentitySecretDeclaration, entry: LedgerEntry | None) -> SecretDecision | None:
    """Accept a secret that someone else created as the requested one, since nothing says which one it is."""
    nothing_known = entry is None or entry.state == "revoked"
    by_hand = entry is not None and entry.known and not entry.declared and declared.rotation is not None
    if nothing_known and (declared.rotation is not None or declared.max_age is not None):
        subject = f"rotation {_shown(declared.rotation)}" if declared.rotation is not None else "the secret"
        age = "; its age counts from now" if declared.max_age is not None else ""
        note = (
            f"{subject} is adopted without rotating, since the channel already has a secret that isn't in "
            f"the ledger{age}"
        )
        return SecretDecision(remarks=SecretRemarks(note, SecretAdoption(declared.rotation)))
    if by_hand:
        how = (
            "it was confirmed with --adopt-secret"
            if entry and entry.state == "vouched"
            else "the secret was rotated by hand"
        )
        note = f"rotation {_shown(declared.rotation)} is adopted without rotating: {how}"
        return SecretDecision(remarks=SecretRemarks(note, SecretAdoption(declared.rotation, vouched=True)))
    return None


def _dated_ahead(entry: LedgerEntry, now: datetime) -> SecretDecision:
    """Says from when the age counts if the entry is in the future; without the server's time, it counts from now."""
    made_at = entry.made_at(now)
    if made_at == entry.at:
        return NOTHING
    days = (entry.at - now).days
    ahead = counted(days, "day") if days else "less than a day"
    since = "now" if made_at is None else f"{moment_text(made_at)}, the server's time"
    note = (
        f"its entry in the ledger is {ahead} in the future, since the clock of the run that wrote it, or of this one, "
        f"is wrong; `maxAge` counts from {since}"
    )
    adoption = SecretAdoption(entry.rotation, vouched=entry.known) if made_at is None else None
    return SecretDecision(remarks=SecretRemarks(note, adoption))


def _shown(rotation: str | None) -> str:
    return "(none)" if rotation is None else as_json(rotation)
