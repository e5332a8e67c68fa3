"""Use cases for one channel's identity secret, requested by hand: rotate, revoke, show its status."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import TypeAlias

from anyio import CancelScope

from webchat_sync.apply.run import Interrupt, maybe_lost
from webchat_sync.environment import Ending, Environment
from webchat_sync.errors import ApiError, ApplyError, CutOffError, Diagnostic, InputError, WebchatSyncError
from webchat_sync.model import (
    ChannelKey,
    LiveChannel,
    MakeSecret,
    RevokeSecret,
    SecretOperation,
    SecretStatus,
    Sink,
    Update,
)
from webchat_sync.plan.match_channels import find_channel
from webchat_sync.secrets.recovery import waiting
from webchat_sync.secrets.rotate import Rotations
from webchat_sync.workflow.connection import Connection, open_apis
from webchat_sync.workflow.listings import list_live
from webchat_sync.workflow.remembering import RunMemory
from webchat_sync.workflow.rotations import SecretRules, open_rotations
from webchat_sync.workflow.state import RECOVERY

Heeding: TypeAlias = Callable[[Interrupt], AbstractAsyncContextManager[None]]
"""Surrounds calls in flight; signals that end the run go to its argument."""


def find_live(channels: Sequence[LiveChannel], name_or_id: str) -> LiveChannel:
    """The live channel with that name or id; raises InputError if there is none or several."""
    channel = find_channel(channels, name_or_id)
    if isinstance(channel, Diagnostic):
        raise InputError([channel])
    return channel


async def rotate_secret(
    name: str,
    sinks: tuple[Sink, ...],
    connection: Connection,
    environment: Environment,
    memory: RunMemory,
    rules: SecretRules,
    heeding: Heeding,
) -> datetime:
    """Create a new secret, deliver it to ``sinks``, and return when it was created. Raises ApplyError, InputError.

    ``heeding`` passes signals on while calls are in flight.
    """
    interrupt = Interrupt()
    async with _opened(connection, environment, memory, rules, interrupt) as (organization, rotations):
        making = MakeSecret(organization=organization, channel_id=None, replaces=True, reason="asked for", sinks=sinks)
        if problems := await rotations.probe([Update(address=name, channel_id="", operations=(making,))]):
            raise InputError(problems)
        live = await _carry_out(rotations, name, making, interrupt, heeding)
        recorded = rotations.book.ledger()[ChannelKey(rotations.book.base_url, organization, live.id)]
        return recorded.server_at or recorded.at


async def revoke_secret(
    name: str,
    connection: Connection,
    environment: Environment,
    memory: RunMemory,
    rules: SecretRules,
    heeding: Heeding,
) -> LiveChannel:
    """Revoke the secret, and return the channel as it was before. Raises ApplyError and ApiError.

    ``heeding`` is as for :func:`rotate_secret`.
    """
    interrupt = Interrupt()
    async with _opened(connection, environment, memory, rules, interrupt) as (organization, rotations):
        revoking = RevokeSecret(organization=organization, channel_id=None, reason="asked for")
        return await _carry_out(rotations, name, revoking, interrupt, heeding)


async def secret_statuses(
    names: Sequence[str], connection: Connection, environment: Environment, memory: RunMemory
) -> list[SecretStatus]:
    """The status of the channels with these names or ids, or of all live ones. Raises ApiError and InputError."""
    remembered, waits = memory.read().ledger, {recovered.key for recovered in waiting(RECOVERY)}
    listings = await list_live(connection, environment)
    statuses: list[SecretStatus] = []
    for organization, listing in listings.items():
        channels = [find_live(listing.channels, name) for name in names] or listing.channels
        keys = [ChannelKey(connection.label, organization, channel.id) for channel in channels]
        statuses += [
            SecretStatus(channel.name, channel.id, channel.has_secret, remembered.get(key), key in waits)
            for channel, key in zip(channels, keys, strict=True)
        ]
    return statuses


@asynccontextmanager
async def _opened(
    connection: Connection, environment: Environment, memory: RunMemory, rules: SecretRules, ending: Ending
) -> AsyncIterator[tuple[str, Rotations]]:
    (organization,) = connection.keys
    memory.read()
    async with open_apis(connection, environment, permitted=memory.may_write, ending=ending) as apis:
        yield organization, open_rotations(apis, connection, memory, environment, rules, ending)


async def _carry_out(
    rotations: Rotations, name: str, operation: SecretOperation, interrupt: Interrupt, heeding: Heeding
) -> LiveChannel:
    """Carry out the operation, and return the channel as it was before; an interrupt lets calls in flight finish."""
    channels = await rotations.apis[operation.organization].list_channels()
    live = find_live(channels, name)
    change = Update(address=live.name, channel_id=live.id, operations=(operation,))
    if problems := rotations.occupied_sinks([change], {operation.organization: [channel.id for channel in channels]}):
        raise InputError(problems)
    failure: WebchatSyncError | None = None
    async with heeding(interrupt):
        with CancelScope() as interrupt.scope:
            try:
                await rotations.carry_out(operation, change, live.id)
            except ApiError as error:
                failure = ApplyError(error.message, hint=_may_have_done(operation)) if error.in_doubt else error
            except WebchatSyncError as error:
                failure = error
    if interrupt.scope.cancelled_caught:
        raise _cut_off(rotations, ChannelKey(rotations.book.base_url, operation.organization, live.id), operation, live)
    if failure is not None:
        raise CutOffError(failure.message, hint=failure.hint) if interrupt.requested else failure
    return live


def _cut_off(rotations: Rotations, key: ChannelKey, operation: SecretOperation, live: LiveChannel) -> CutOffError:
    """What is known about an operation that was abandoned."""
    if isinstance(operation, RevokeSecret):
        return CutOffError("interrupted during the call", hint=_may_have_done(operation))
    entry = rotations.book.ledger().get(key)
    if any(held.key == key and entry and held.attempt == entry.attempt for held in waiting(RECOVERY)):
        hint = f'A copy of the new secret was kept: `webchat-sync secret deliver "{live.name}"` delivers it.'
        return CutOffError("interrupted; the secret was rotated, but perhaps not delivered", hint=hint)
    return CutOffError("interrupted during the call", hint=_may_have_done(operation))


def _may_have_done(operation: SecretOperation) -> str:
    """What a call in doubt may have done, and the way out."""
    if isinstance(operation, RevokeSecret):
        return "The secret may have been revoked. Run this again."
    return f"{maybe_lost(operation)} Rotate it again."
