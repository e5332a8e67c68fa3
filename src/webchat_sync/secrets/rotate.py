"""Rotations: record the intent, call, copy to disk, deliver, record the outcome. In this order, no secret is lost."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path
from typing import Final

from webchat_sync.environment import NEVER, Ending, Environment
from webchat_sync.errors import (
    ApiError,
    ApplyError,
    Diagnostic,
    InputError,
    MemoryUnavailableError,
    RotatedError,
    UndeliveredError,
)
from webchat_sync.files import writable
from webchat_sync.frozen import frozen
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
from webchat_sync.secrets.addresses import occupied_sinks
from webchat_sync.secrets.deliver import deliver_patiently
from webchat_sync.secrets.ledger import marked, marked_as
from webchat_sync.secrets.ports import Book, NewSecret, SecretApi
from webchat_sync.secrets.prove import prove
from webchat_sync.secrets.recovery import WaitingSecret, drop, keep, way_out
from webchat_sync.secrets.sinks import Occasion, SinkError, Sinks

SETTLE: Final = 15.0
"""Seconds to wait before a rotation in doubt is repeated, since a server may commit the first one late."""

_FIX: Final = "Nothing was changed. Fix the sink or use a different one, then run this again."
_FOLDER: Final = "Nothing was changed. Check the folder and its permissions, then run this again."
_NOT_SENT: Final = "not sent, because the run was interrupted before that"
_NEXT: Final = {"open": "Check that `identityRequired` is on.", "unproven": "Fix what prevented the check."}


@frozen(kw_only=True)
class Rotations:
    """Rotates, revokes and verifies the secrets of channels; ``apis`` are by organisation.

    ``book`` is the record, and ``recovery`` the folder for secrets that no sink has accepted. ``verify`` tests every
    new secret; ``by_hand``: a person requested it, not a manifest; ``take_over_sinks`` lets a secret replace another
    channel's. ``say`` prints a notice. Once the ``ending`` is requested, no secret is created any more.
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
    ending: Ending = NEVER
    unproven: dict[ChannelKey, WaitingSecret] = field(default_factory=dict)

    def occupied_sinks(
        self, changes: Sequence[Create | Update], live: Mapping[str, Collection[str]]
    ) -> list[Diagnostic]:
        """The problems of sinks in ``changes`` that hold another channel's secret; ``live`` are ids by organisation."""
        return [] if self.take_over_sinks else occupied_sinks(changes, self.book.ledger(), self.book.base_url, live)

    async def probe(self, changes: Sequence[Create | Update]) -> list[Diagnostic]:
        """Why the secrets in ``changes`` can't be delivered; called before anything is written."""
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
            problems += [Diagnostic(flaw, hint=_FOLDER) for flaw in (self.book.flaw(), writable(self.recovery)) if flaw]
        return list(dict.fromkeys(problems))

    def adoption(self, organization: str, change: Change) -> tuple[ChannelKey, LedgerEntry] | None:
        """The ledger entry for the adoption that ``change`` contains, if it does."""
        adoption = change.remarks.adoption
        if adoption is None or change.channel_id is None:
            return None
        entry = self._entry(change.address, "vouched" if adoption.vouched else "adopted", adoption.rotation)
        key = self._key(organization, change.channel_id)
        # A token that's declared later then counts as the one of this secret.
        declared = adoption.rotation is not None or not adoption.vouched
        return key, marked_as(replace(entry, declared=declared, sinks=self._places(key)), self.book.ledger().get(key))

    async def carry_out(self, operation: SecretOperation, change: Create | Update, channel_id: str) -> WriteResult:
        """Create, replace or revoke the secret of the channel in ``change``.

        On return, every sink has the new secret, and the ledger says so. Raises the ApiError of the call;
        UndeliveredError if a sink doesn't have the new secret or the server rejects it; RotatedError if it was
        delivered but not verified.
        """
        match operation:
            case MakeSecret():
                return await self._rotate(operation, change, channel_id)
            case RevokeSecret():
                return await self._revoke(operation, change, channel_id)

    async def finish(
        self, operation: SecretOperation, change: Create | Update, channel_id: str, latest: LiveChannel | None
    ) -> None:
        """Verify the secret of a channel that has only now been switched on. Raises like ``carry_out``.

        ``latest`` is the channel in the response to the call that switched it on.
        """
        await self._prove(self._key(operation.organization, channel_id), change.address, WriteResult(201), latest)

    async def _prove(self, key: ChannelKey, name: str, result: WriteResult, latest: LiveChannel | None = None) -> None:
        """Verify the channel's delivered secret, if that's pending. Raises like ``carry_out``."""
        recovered = self.unproven.pop(key, None)
        if recovered is None:
            return
        proof = await prove(self.apis[key.organization], key.channel_id, recovered.secret, self.environment, latest)
        match proof.outcome:
            case "refused":
                await self._record(key, replace(self.book.ledger()[key], state="undelivered"))
                raise self._undelivered(proof.reason, recovered, result, refused=True)
            case "open" | "unproven":
                hint = (
                    f"The secret was delivered, and the next apply won't replace it. {_NEXT[proof.outcome]} Only a "
                    f"new secret can be verified: {'run this again' if self.by_hand else 'use --rotate'} to create one."
                )
                raise _rotated(f"a new secret was delivered, but {proof.reason}", hint, result)
            case "off":
                self.say(f'"{name}" is switched off, so its secret can\'t be verified.')
            case "proven":
                pass

    async def _revoke(self, operation: RevokeSecret, change: Create | Update, channel_id: str) -> WriteResult:
        key = self._key(operation.organization, channel_id)
        result = await self.apis[operation.organization].revoke_identity_secret(channel_id)
        drop(self.recovery, key)
        revoked = replace(self._entry(change.address, "revoked", None), sinks=self._places(key))
        if unrecorded := await self._unrecorded(key, revoked):
            hint = "The secret no longer works. The server knows that it was revoked, so there's nothing else to do."
            raise _rotated(f"the secret was revoked, but that can't be recorded: {unrecorded}", hint, result)
        return result

    async def _rotate(self, operation: MakeSecret, change: Create | Update, channel_id: str) -> WriteResult:
        key = self._key(operation.organization, channel_id)
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
        if self.ending.requested:
            await self._forget(key, intent, before)
            raise ApplyError(_NOT_SENT, hint="Run it again.")
        response, doubts = await self._make(key, intent, before)
        outcome = marked(replace(intent, server_at=response.rotated_at), response.secret)
        recovered = WaitingSecret(
            key, change.address, intent.attempt, operation.rotation, operation.sinks, response.secret
        )
        self._keep(recovered)
        result = replace(response.result, attempts=response.result.attempts + doubts)
        try:
            await self._deliver(key, change.address, operation, response.secret)
        except SinkError as error:
            unrecorded = await self._unrecorded(key, replace(outcome, state="undelivered"))
            flaw = f"{error.message}, and that can't be recorded: {unrecorded}" if unrecorded else error.message
            raise self._undelivered(flaw, recovered, result) from None
        # In this order, a run that's killed in between rotates again, but leaves no copy behind.
        drop(self.recovery, key)
        if unrecorded := await self._unrecorded(key, replace(outcome, state="delivered")):
            message = f"a new secret was delivered, but that can't be recorded: {unrecorded}"
            raise _rotated(message, "The sinks have the new secret. The next apply may replace it.", result)
        if operation.verify or self.verify:
            self.unproven[key] = recovered
            if not _switched_on_later(change):
                await self._prove(key, change.address, result)
        return result

    async def _let_settle(self, before: LedgerEntry | None) -> None:
        """Give a call that an earlier run left unanswered time to take effect before the next one."""
        if before is not None and before.state == "intended":
            # The clock of the earlier run may have been ahead.
            passed = max(0.0, (self.environment.now() - before.at).total_seconds())
            if passed < SETTLE:
                await self.ending.wait(SETTLE - passed, self.environment.sleep)
        if self.ending.requested:
            raise ApplyError(_NOT_SENT, hint="Run it again.")

    async def _make(self, key: ChannelKey, intent: LedgerEntry, before: LedgerEntry | None) -> tuple[NewSecret, int]:
        """A new secret, and the number of unanswered attempts before it; the first call in doubt is repeated once."""
        api = self.apis[key.organization]
        try:
            return await api.rotate_identity_secret(key.channel_id), 0
        except ApiError as error:
            if not error.in_doubt:
                # Nothing happened, so the earlier entry is still right.
                await self._forget(key, intent, before)
                raise
            doubt = error
        await self.ending.wait(SETTLE, self.environment.sleep)
        if self.ending.requested:
            raise doubt
        try:
            # If this call is in doubt as well, the next run must wait from now on.
            await self._record(key, replace(intent, at=self.environment.now()))
            return await api.rotate_identity_secret(key.channel_id), doubt.attempts
        except (ApiError, InputError, MemoryUnavailableError) as error:
            sent = doubt.attempts + (error.attempts if isinstance(error, ApiError) else 0)
            raise doubt.counted(sent, in_doubt=True, hint=doubt.hint) from None

    async def _forget(self, key: ChannelKey, intent: LedgerEntry, before: LedgerEntry | None) -> None:
        """Undo the intent if possible; otherwise the next run creates a secret that may not be needed."""
        with suppress(InputError, MemoryUnavailableError):
            await self.book.record(key, before, name=intent.name)

    def _keep(self, waiting: WaitingSecret) -> Path | None:
        try:
            return keep(self.recovery, waiting)
        except OSError:
            # The sinks may still accept it; if they don't, the intent in the ledger makes the next run rotate again.
            return None

    async def _deliver(self, key: ChannelKey, name: str, operation: MakeSecret, secret: Secret) -> None:
        occasion = Occasion(name, key.channel_id, key.organization, operation.rotation)
        for sink in operation.sinks:
            await deliver_patiently(self.sinks, sink, occasion, secret, sleep=self.environment.sleep)

    def _undelivered(
        self, flaw: str, waiting: WaitingSecret, result: WriteResult, *, refused: bool = False
    ) -> UndeliveredError:
        # Written again, since a sink may have deleted the folder's files.
        name, copy = waiting.name, self._keep(waiting)
        only = f" --target-org {waiting.key.organization}" if len(self.apis) > 1 else ""
        command = f'secret rotate "{name}" --to FILE' if self.by_hand else f'apply --rotate "{name}"{only}'
        return UndeliveredError(
            f"a new secret was created, but {flaw}; {f'a copy is in {copy}' if copy else 'no copy could be kept'}",
            hint=way_out(waiting, copy, f"webchat-sync {command}", refused=refused),
            status=result.status,
            request_id=result.request_id,
            attempts=result.attempts,
        )

    def _entry(self, name: str, state: SecretState, rotation: str | None) -> LedgerEntry:
        return LedgerEntry(name, state, randomness.token_hex(8), self.environment.now(), rotation)

    def _places(self, key: ChannelKey) -> tuple[Sink, ...]:
        """The sinks of the channel's current secret, which stay ours even if the secret may be worthless."""
        before = self.book.ledger().get(key)
        return before.sinks if before else ()

    async def _unrecorded(self, key: ChannelKey, entry: LedgerEntry) -> str:
        """Record what has happened; returns why that's not possible, or an empty text."""
        try:
            await self._record(key, entry)
        except (InputError, MemoryUnavailableError) as error:
            return str(error)
        return ""

    async def _record(self, key: ChannelKey, entry: LedgerEntry) -> None:
        await self.book.record(key, entry, name=entry.name)

    def _key(self, organization: str, channel_id: str) -> ChannelKey:
        return ChannelKey(self.book.base_url, organization, channel_id)


def _rotated(message: str, hint: str, result: WriteResult) -> RotatedError:
    return RotatedError(
        message, hint=hint, status=result.status, request_id=result.request_id, attempts=result.attempts
    )


def _switched_on_later(change: Create | Update) -> bool:
    """Whether the channel is off until a PATCH switches it on."""
    return any(isinstance(call, PatchChannel) and call.body.get("enabled") is True for call in change.operations)
