"""Rotations: intent on disk, call, copy on disk, sinks, outcome on disk; so that no secret is ever lost."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from webchat_sync.environment import Environment
from webchat_sync.errors import (
    ApiError,
    Diagnostic,
    InputError,
    MemoryUnavailableError,
    RotatedError,
    UndeliveredError,
)
from webchat_sync.files import writable
from webchat_sync.model import (
    Change,
    ChannelKey,
    Create,
    LedgerEntry,
    LiveChannel,
    MakeSecret,
    PatchChannel,
    RevokeSecret,
    Secret,
    SecretOperation,
    SecretState,
    Sink,
    Update,
    WriteResult,
)
from webchat_sync.secrets.addresses import taken_sinks
from webchat_sync.secrets.deliver import deliver_patiently
from webchat_sync.secrets.ledger import marked
from webchat_sync.secrets.ports import Book, NewSecret, SecretApi
from webchat_sync.secrets.prove import prove
from webchat_sync.secrets.recovery import Recovered, drop, keep
from webchat_sync.secrets.sinks import Occasion, SinkError, Sinks

SETTLE: Final = 15.0
"""Seconds to wait before a rotation in doubt is repeated: a server may commit the first one after it gave up."""

_FIX: Final = "Nothing was changed. Fix the sink or declare another one, then run this again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotations:
    """Rotates, revokes and proves the secrets of channels, one API by organisation.

    ``book`` is where it is remembered, and ``recovery`` the folder for secrets that no sink has. ``verify`` tries
    every new secret; ``by_hand``: no manifest had a say; ``take_over_sinks`` replaces the secrets of other channels.
    ``say`` is told what is no error.
    """

    apis: Mapping[str, SecretApi]
    book: Book
    recovery: Path
    sinks: Sinks
    environment: Environment
    verify: bool = False
    by_hand: bool = False
    take_over_sinks: bool = False
    say: Callable[[str], object] = print
    unproven: dict[ChannelKey, Recovered] = field(default_factory=dict)

    def taken(self, changes: Sequence[Create | Update], live: Mapping[str, Collection[str]]) -> list[Diagnostic]:
        """The sinks of ``changes`` that hold the secret of another channel; ``live`` are ids by organisation."""
        return [] if self.take_over_sinks else taken_sinks(changes, self.book.ledger(), self.book.base_url, live)

    async def probe(self, changes: Sequence[Create | Update]) -> list[Diagnostic]:
        """What speaks against the secrets that ``changes`` make; to be asked before anything is written."""
        problems: list[Diagnostic] = []
        for change in changes:
            secret = change.secret
            if not isinstance(secret, MakeSecret):
                continue
            occasion = Occasion(change.address, change.channel_id or "", secret.organization, secret.rotation)
            for sink in secret.sinks:
                if reason := await self.sinks.probe(sink, occasion):
                    message = (
                        f'channel "{change.address}": the sink `{sink.label}` isn\'t ready to accept a secret: {reason}'
                    )
                    problems.append(Diagnostic(message, change.place, hint=_FIX))
            problems += [Diagnostic(flaw, hint=_FIX) for flaw in (self.book.flaw(), writable(self.recovery)) if flaw]
        return list(dict.fromkeys(problems))

    def adoption(self, organization: str, change: Change) -> tuple[ChannelKey, LedgerEntry] | None:
        """What is to be remembered of the adoption that a plan tells of."""
        adoption = change.remarks.adoption
        if adoption is None or change.channel_id is None:
            return None
        entry = self._entry(change.address, "vouched" if adoption.vouched else "adopted", adoption.rotation)
        key = self._key(organization, change.channel_id)
        # A token that is declared only later is then taken for that of this secret.
        declared = adoption.rotation is not None or not adoption.vouched
        return key, replace(entry, declared=declared, sinks=self._places(key))

    async def carry_out(self, operation: SecretOperation, change: Create | Update, channel_id: str) -> WriteResult:
        """Make, replace or revoke the secret of the channel that ``change`` is about.

        When this returns, every sink has the new secret and the ledger says so. Raises ApiError as the call does;
        UndeliveredError when there is a new secret and a sink does not have it or the server refuses it; RotatedError
        when it is delivered and not proven.
        """
        match operation:
            case MakeSecret():
                return await self._rotate(operation, change, channel_id)
            case RevokeSecret():
                return await self._revoke(operation, change, channel_id)

    async def finish(
        self, operation: SecretOperation, change: Create | Update, channel_id: str, answered: LiveChannel | None
    ) -> None:
        """Prove the secret of a channel that was switched on only now. Raises as ``carry_out`` does.

        ``answered`` is the channel as the call that switched it on answered it.
        """
        key = self._key(operation.organization, channel_id)
        await self._prove(key, change.address, WriteResult(201), answered)

    async def _prove(
        self, key: ChannelKey, name: str, receipt: WriteResult, answered: LiveChannel | None = None
    ) -> None:
        """Prove the delivered secret of the channel, if that is still to be done. Raises as ``carry_out`` does."""
        made = self.unproven.pop(key, None)
        if made is None:
            return
        proof = await prove(self.apis[key.organization], key.channel_id, made.secret, self.environment, answered)
        match proof.outcome:
            case "refused":
                await self._record(key, replace(self.book.ledger()[key], state="undelivered"))
                raise self._undelivered(proof.reason, name, self._keep(made), receipt)
            case "open" | "unproven":
                raise RotatedError(
                    f"the secret was rotated and delivered, but {proof.reason}",
                    hint="The secret was delivered, and the next apply won't replace it. Fix what prevented the "
                    "check. To check a secret after that, create a new one with --rotate.",
                    status=receipt.status,
                    request_id=receipt.request_id,
                    attempts=receipt.attempts,
                )
            case "off":
                self.say(f'"{name}" is switched off, so its secret can\'t be verified.')

    async def _revoke(self, operation: RevokeSecret, change: Create | Update, channel_id: str) -> WriteResult:
        key = self._key(operation.organization, channel_id)
        receipt = await self.apis[operation.organization].revoke_identity_secret(channel_id)
        drop(self.recovery, key)
        await self._record(key, replace(self._entry(change.address, "revoked", None), sinks=self._places(key)))
        return receipt

    async def _rotate(self, operation: MakeSecret, change: Create | Update, channel_id: str) -> WriteResult:
        organization = operation.organization
        key = self._key(organization, channel_id)
        before = self.book.ledger().get(key)
        await self._let_settle(before)
        intent = replace(
            self._entry(change.address, "intended", operation.rotation),
            fresh=_switched_on_later(change),
            sinks=operation.sinks,
        )
        if self.by_hand:
            rotation = before.rotation if before else None
            intent = replace(intent, rotation=rotation, declared=before is not None and before.declared)
        await self._record(key, intent)
        made, doubts = await self._make(key, intent, before)
        outcome = marked(replace(intent, server_at=made.rotated_at), made.secret)
        recovered = Recovered(key, change.address, intent.attempt, operation.rotation, operation.sinks, made.secret)
        self._keep(recovered)
        receipt = replace(made.receipt, attempts=made.receipt.attempts + doubts)
        try:
            await self._deliver(key, change.address, operation, made.secret)
        except SinkError as error:
            await self._record(key, replace(outcome, state="undelivered"))
            # Once more, since a sink may have cleaned up the folder.
            raise self._undelivered(error.message, change.address, self._keep(recovered), receipt) from None
        # In this order: a run that is killed in between rotates once more, and leaves no copy lying about.
        drop(self.recovery, key)
        await self._record(key, replace(outcome, state="delivered"))
        if operation.verify or self.verify:
            self.unproven[key] = recovered
            if not _switched_on_later(change):
                await self._prove(key, change.address, receipt)
        return receipt

    async def _let_settle(self, before: LedgerEntry | None) -> None:
        """Give a call that an earlier run did not live to see answered the time to take effect before the next one."""
        if before is not None and before.state == "intended":
            passed = (self.environment.now() - before.at).total_seconds()
            if 0 <= passed < SETTLE:
                await self.environment.sleep(SETTLE - passed)

    async def _make(self, key: ChannelKey, intent: LedgerEntry, before: LedgerEntry | None) -> tuple[NewSecret, int]:
        """A new secret, and how many answers were lost before; the first call in doubt is repeated once."""
        api = self.apis[key.organization]
        try:
            return await api.rotate_identity_secret(key.channel_id), 0
        except ApiError as error:
            if not error.in_doubt:
                # Nothing has happened, so what the ledger said before is true still.
                await self._forget(key, intent, before)
                raise
            doubt = error
        await self.environment.sleep(SETTLE)
        try:
            # Should this one be in doubt, too, the next run has to wait from here on.
            await self._record(key, replace(intent, at=self.environment.now()))
            return await api.rotate_identity_secret(key.channel_id), doubt.attempts
        except (ApiError, InputError, MemoryUnavailableError):
            raise doubt from None

    async def _forget(self, key: ChannelKey, intent: LedgerEntry, before: LedgerEntry | None) -> None:
        """Take the intent back, where that can be done; else the next run makes a secret that might not be needed."""
        with suppress(InputError, MemoryUnavailableError):
            await self.book.record(key, before, name=intent.name)

    def _keep(self, waiting: Recovered) -> Path | None:
        try:
            return keep(self.recovery, waiting)
        except OSError:
            # The sinks may take it all the same; if they do not, the ledger has the intent, and it is made anew.
            return None

    async def _deliver(self, key: ChannelKey, name: str, operation: MakeSecret, secret: Secret) -> None:
        occasion = Occasion(name, key.channel_id, key.organization, operation.rotation)
        for sink in operation.sinks:
            await deliver_patiently(self.sinks, sink, occasion, secret, sleep=self.environment.sleep)

    def _undelivered(self, flaw: str, name: str, kept: Path | None, receipt: WriteResult) -> UndeliveredError:
        lies = f"a copy is in {kept}" if kept else "no copy could be kept"
        again = f'secret rotate "{name}" --to FILE' if self.by_hand else f'apply --rotate "{name}"'
        anew = f"`webchat-sync {again}` creates and delivers a new secret."
        hint = (
            f'Fix the sink. As long as that file exists, `webchat-sync secret deliver "{name}"` delivers it. '
            f"If it's gone, for example because the runner was temporary, {anew}"
            if kept
            else f"Fix the sink. Then {anew}"
        )
        return UndeliveredError(
            f"the secret was rotated, but {flaw}; {lies}",
            hint=hint,
            status=receipt.status,
            request_id=receipt.request_id,
            attempts=receipt.attempts,
        )

    def _entry(self, name: str, state: SecretState, rotation: str | None) -> LedgerEntry:
        return LedgerEntry(name, state, randomness.token_hex(8), self.environment.now(), rotation)

    def _places(self, key: ChannelKey) -> tuple[Sink, ...]:
        """Where a secret of the channel lies that is not made anew: it may be worth nothing, and is ours."""
        before = self.book.ledger().get(key)
        return before.sinks if before else ()

    async def _record(self, key: ChannelKey, entry: LedgerEntry) -> None:
        await self.book.record(key, entry, name=entry.name)

    def _key(self, organization: str, channel_id: str) -> ChannelKey:
        return ChannelKey(self.book.base_url, organization, channel_id)


def _switched_on_later(change: Create | Update) -> bool:
    """Whether the channel waits for a PATCH that switches it on."""
    return any(isinstance(call, PatchChannel) and call.body.get("enabled") is True for call in change.operations)
