"""Rotations: intent on disk, call, copy on disk, sinks, outcome on disk; so that no secret is ever lost."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from webchat_sync.errors import ApiError, ApplyError, Problem, UndeliveredError
from webchat_sync.model import (
    ChannelChange,
    ChannelKey,
    Ledger,
    LedgerEntry,
    Receipt,
    Secret,
    SecretChange,
    SecretState,
)
from webchat_sync.secrets.deliver import PAUSE, TRIES, deliver_patiently
from webchat_sync.secrets.ledger import fingerprint, read_ledger, record, writable
from webchat_sync.secrets.ports import NewSecret, SecretApi
from webchat_sync.secrets.recovery import Recovered, drop, keep
from webchat_sync.secrets.sinks import Occasion, SinkError, Sinks

SETTLE: Final = 15.0
"""Seconds to wait before a rotation in doubt is repeated: a server may commit the first one after it gave up."""

_MEND: Final = "Nothing was changed. Mend it, or declare another sink, then run this again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotations:
    """Rotates, revokes and proves the secrets of channels, one API by organisation.

    ``base_url`` is what the ledger calls the server; ``ledgers`` are the files, by organisation; ``recovery`` is the
    folder for secrets that no sink has. ``sleep`` takes seconds; ``verify`` proves every new secret; ``by_hand``: no
    manifest had a say. ``say`` is told what is no error.
    """

    apis: Mapping[str, SecretApi]
    base_url: str
    ledgers: Mapping[str, Path]
    recovery: Path
    sinks: Sinks
    sleep: Callable[[float], Awaitable[None]]
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    verify: bool = False
    by_hand: bool = False
    say: Callable[[str], object] = print
    unproven: dict[ChannelKey, Recovered] = field(default_factory=dict)

    def ledger(self) -> Ledger:
        """What is remembered, of all organisations."""
        entries: dict[ChannelKey, LedgerEntry] = {}
        for path in dict.fromkeys(self.ledgers.values()):
            entries.update(read_ledger(path))
        return entries

    async def probe(self, organization: str, changes: Iterable[ChannelChange]) -> list[Problem]:
        """What speaks against the secrets that ``changes`` make; to be asked before anything is written."""
        problems: list[Problem] = []
        for change in changes:
            secret = change.secret
            if secret is None or secret.action == "revoke":
                continue
            occasion = Occasion(change.address, change.channel_id or "", organization, secret.rotation)
            for sink in secret.sinks:
                if reason := await self.sinks.probe(sink, occasion):
                    message = f'channel "{change.address}": the sink `{sink.label}` would not take a secret: {reason}'
                    problems.append(Problem(message, change.place, hint=_MEND))
            for folder in (self.ledgers[organization].parent, self.recovery):
                if flaw := writable(folder):
                    problems.append(Problem(flaw, hint=_MEND))
        return list(dict.fromkeys(problems))

    def adopt(self, organization: str, change: ChannelChange) -> None:
        """Remember the adoption that a plan tells of. Raises ApplyError."""
        if change.adoption is not None and change.channel_id is not None:
            key = ChannelKey(self.base_url, organization, change.channel_id)
            adoption = change.adoption
            entry = self._entry(change.address, "vouched" if adoption.vouched else "adopted", adoption.rotation)
            # A token that is declared only later is then taken for that of this secret.
            self._record(key, replace(entry, declared=adoption.rotation is not None or not adoption.vouched))

    async def carry_out(self, organization: str, change: ChannelChange, channel_id: str) -> Receipt:
        """Generate, rotate or revoke as the change says.

        When this returns, every sink has the new secret and the ledger says so. Raises ApiError as the call does;
        UndeliveredError when there is a new secret and a sink does not have it.
        """
        if change.secret is None:
            raise ValueError(change)
        if change.secret.action == "revoke":
            return await self._revoke(organization, change, channel_id)
        return await self._rotate(organization, change, change.secret, channel_id)

    async def finish(self, organization: str, change: ChannelChange, channel_id: str) -> None:
        """Prove the secret of a channel that was switched on only now. Raises UndeliveredError."""
        made = self.unproven.pop(ChannelKey(self.base_url, organization, channel_id), None)
        if made is None:
            return
        try:
            await self._prove(organization, change, channel_id, made.secret)
        except (ApplyError, ApiError) as error:
            entry = self.ledger()[made.key]
            self._record(made.key, replace(entry, state="undelivered"))
            raise self._undelivered(error, change.address, self._keep(made), Receipt(201)) from None

    async def _prove(self, organization: str, change: ChannelChange, channel_id: str, secret: Secret) -> None:
        """Open a session signed with ``secret`` and try one with another. Raises ApplyError and ApiError."""
        channel = next((each for each in await self.apis[organization].list_channels() if each.id == channel_id), None)
        token = channel.fields.get("token") if channel else None
        if channel is not None and channel.fields.get("enabled") is False:
            self.say(f'"{change.address}" is switched off, so its secret cannot be proven.')
            return
        if not isinstance(token, str):
            raise ApplyError("the secret cannot be proven: the server's list has no token for the channel")
        if not await self._accepted(organization, token, secret):
            raise ApplyError("the server refuses a visitor signed with the new secret")
        if await self._accepted(organization, token, Secret(self.new_id())):
            raise ApplyError("the server accepts a visitor with a wrong signature")

    async def _accepted(self, organization: str, token: str, secret: Secret) -> bool:
        api = self.apis[organization]
        for attempt in range(1, TRIES):
            try:
                return await api.accepts_signature(token, secret, visitor_id=self.new_id())
            except ApiError as error:
                # One more session does no harm, so what may pass is tried again.
                if not (error.transient or error.in_doubt):
                    raise
                await self.sleep(PAUSE * 2.0 ** (attempt - 1))
        return await api.accepts_signature(token, secret, visitor_id=self.new_id())

    async def _revoke(self, organization: str, change: ChannelChange, channel_id: str) -> Receipt:
        key = ChannelKey(self.base_url, organization, channel_id)
        receipt = await self.apis[organization].revoke_identity_secret(channel_id)
        drop(self.recovery, key)
        self._record(key, self._entry(change.address, "revoked", None))
        return receipt

    async def _rotate(self, organization: str, change: ChannelChange, wanted: SecretChange, channel_id: str) -> Receipt:
        key = ChannelKey(self.base_url, organization, channel_id)
        before = read_ledger(self.ledgers[organization]).get(key)
        await self._let_settle(before)
        intent = replace(
            self._entry(change.address, "intended", wanted.rotation),
            fresh=change.action == "create",
            sinks=wanted.sinks,
        )
        if self.by_hand:
            rotation = before.rotation if before else None
            intent = replace(intent, rotation=rotation, declared=before is not None and before.declared)
        self._record(key, intent)
        made, doubts = await self._make(key, intent, before)
        salt = randomness.token_hex(16)
        outcome = replace(intent, server_at=made.rotated_at, salt=salt, fingerprint=fingerprint(made.secret, salt))
        recovered = Recovered(key, change.address, intent.attempt, wanted.rotation, wanted.sinks, made.secret)
        kept = self._keep(recovered)
        receipt = replace(made.receipt, attempts=made.receipt.attempts + doubts)
        try:
            await self._deliver(key, change.address, wanted, made.secret)
            if wanted.verify or self.verify:
                if _still_off(change):
                    self.unproven[key] = recovered
                else:
                    await self._prove(organization, change, channel_id, made.secret)
        except (SinkError, ApplyError, ApiError) as error:
            self._record(key, replace(outcome, state="undelivered"))
            raise self._undelivered(error, change.address, kept, receipt) from None
        # In this order: a run that is killed in between rotates once more, and leaves no copy lying about.
        drop(self.recovery, key)
        self._record(key, replace(outcome, state="delivered"))
        return receipt

    async def _let_settle(self, before: LedgerEntry | None) -> None:
        """Give a call that an earlier run did not live to see answered the time to take effect before the next one."""
        if before is not None and before.state == "intended":
            passed = (self.now() - before.moment).total_seconds()
            if 0 <= passed < SETTLE:
                await self.sleep(SETTLE - passed)

    async def _make(self, key: ChannelKey, intent: LedgerEntry, before: LedgerEntry | None) -> tuple[NewSecret, int]:
        """A new secret, and how many answers were lost before; the first call in doubt is repeated once."""
        api = self.apis[key.organization]
        try:
            return await api.rotate_identity_secret(key.channel_id), 0
        except ApiError as error:
            if not error.in_doubt:
                # Nothing has happened, so what the ledger said before is true still.
                self._record(key, before)
                raise
            doubt = error
        await self.sleep(SETTLE)
        # Should this one be in doubt, too, the next run has to wait from here on.
        self._record(key, replace(intent, at=self.now().isoformat(timespec="seconds")))
        try:
            return await api.rotate_identity_secret(key.channel_id), doubt.attempts
        except ApiError:
            raise doubt from None

    def _keep(self, waiting: Recovered) -> Path | None:
        try:
            return keep(self.recovery, waiting)
        except OSError:
            # The sinks may take it all the same; if they do not, the ledger has the intent, and it is made anew.
            return None

    async def _deliver(self, key: ChannelKey, name: str, wanted: SecretChange, secret: Secret) -> None:
        occasion = Occasion(name, key.channel_id, key.organization, wanted.rotation)
        for sink in wanted.sinks:
            await deliver_patiently(self.sinks, sink, occasion, secret, sleep=self.sleep)

    def _undelivered(
        self, error: SinkError | ApplyError | ApiError, name: str, kept: Path | None, receipt: Receipt
    ) -> UndeliveredError:
        lies = f"it lies in {kept}" if kept else "no copy could be kept"
        again = f'secret rotate "{name}" --to FILE' if self.by_hand else f'apply --rotate "{name}"'
        anew = f"`webchat-sync {again}` makes a new secret and delivers that."
        hint = (
            f'Fix the sink. While that file is there, `webchat-sync secret deliver "{name}"` delivers it; where it is '
            f"gone, as with a runner that is thrown away, {anew}"
            if kept
            else f"Fix the sink; then {anew}"
        )
        return UndeliveredError(
            f"the secret was rotated, and {error.message}; {lies}",
            hint=hint,
            status=receipt.status,
            request_id=receipt.request_id,
            attempts=receipt.attempts,
        )

    def _entry(self, name: str, state: SecretState, rotation: str | None) -> LedgerEntry:
        return LedgerEntry(name, state, randomness.token_hex(8), self.now().isoformat(timespec="seconds"), rotation)

    def _record(self, key: ChannelKey, entry: LedgerEntry | None) -> None:
        record(self.ledgers[key.organization], key, entry)


def _still_off(change: ChannelChange) -> bool:
    """Whether the channel is switched on only by a later call, as a created one is."""
    return change.action == "create" and (change.operations[0].body or {}).get("enabled") is False
