"""Carries out the operations of a plan: channels concurrently, one channel's calls in order, deletes last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, assert_never

from anyio import CancelScope, CapacityLimiter, create_task_group

from webchat_sync.apply import DEFAULT_PARALLELISM
from webchat_sync.apply.create import create_channel
from webchat_sync.apply.ports import ChannelApi, Observer, Rotator
from webchat_sync.apply.run_log import ChannelRun
from webchat_sync.environment import Environment, Sleep
from webchat_sync.errors import ApiError, ApplyError, WebchatSyncError
from webchat_sync.frozen import frozen
from webchat_sync.model import (
    CreateChannel,
    Delete,
    DeleteChannel,
    Listing,
    LiveChannel,
    MakeSecret,
    Operation,
    PatchChannel,
    RevokeSecret,
    SecretOperation,
    WriteResult,
)

GONE: Final = 404


def maybe_lost(operation: MakeSecret) -> str:
    """What a call in doubt may have done to the channel's secret."""
    done = "The secret may have been replaced by one" if operation.replaces else "A secret may have been created"
    return f"{done} that nobody has."


@dataclass(slots=True)
class Interrupt:
    """Ends a run early: the first request lets calls in flight finish, the second one abandons them.

    ``scope`` is what the second request abandons, and ``idle`` what the first one does.
    """

    requested: bool = False
    scope: CancelScope | None = None
    idle: set[CancelScope] = field(default_factory=set)

    def request(self) -> None:
        """Start nothing more; if that was already requested, abandon what is in flight."""
        if self.requested and self.scope is not None:
            self.scope.cancel()
        self.requested = True
        for scope in self.idle:
            scope.cancel()

    @contextmanager
    def until_requested(self) -> Iterator[None]:
        """Abandon the block once the end is requested: it only waits or reads, so nothing of it is in flight."""
        with CancelScope() as scope:
            self.idle.add(scope)
            try:
                yield
            finally:
                self.idle.discard(scope)

    async def wait(self, seconds: float, sleep: Sleep) -> None:
        """Sleep for ``seconds``, or until the end is requested."""
        if not self.requested:
            with self.until_requested():
                await sleep(seconds)


@frozen
class Settings:
    """How to run: ``fail_fast`` starts nothing more after a failure."""

    environment: Environment
    parallelism: int = DEFAULT_PARALLELISM
    fail_fast: bool = False


async def run_channels(
    runs: Sequence[ChannelRun],
    apis: Mapping[str, ChannelApi],
    *,
    listings: Mapping[str, Listing],
    settings: Settings,
    observer: Observer,
    interrupt: Interrupt,
    rotator: Rotator | None = None,
) -> None:
    """Carry out the runs and record their results; ``apis`` and ``listings``, from before, are by organisation.

    A failure only stops its own channel. Deletes come last, and those of an organisation only if everything else in it
    is done. However the run ends, the results say what is done and what isn't. ``rotator`` carries out operations on
    identity secrets.
    """
    known = {
        organization: frozenset(channel.id for channel in listing.channels)
        for organization, listing in listings.items()
    }
    executor = _Executor(apis, known, settings, observer, interrupt, CapacityLimiter(settings.parallelism), rotator)
    deletes = [run for run in runs if isinstance(run.change, Delete)]
    others = [run for run in runs if not isinstance(run.change, Delete)]
    with CancelScope() as interrupt.scope:
        await executor.run_concurrently(others)
        undone = {run.organization for run in others if any(result.status != "done" for result in run.results)}
        await executor.run_concurrently([run for run in deletes if run.organization not in undone])


@dataclass(slots=True)
class _Executor:
    apis: Mapping[str, ChannelApi]
    known: Mapping[str, Set[str]]
    settings: Settings
    observer: Observer
    interrupt: Interrupt
    limiter: CapacityLimiter
    rotator: Rotator | None
    failed: bool = False

    async def run_concurrently(self, runs: Sequence[ChannelRun]) -> None:
        async with create_task_group() as group:
            for run in runs:
                group.start_soon(self.channel, run)

    async def channel(self, run: ChannelRun) -> None:
        async with self.limiter:
            channel_id, latest = run.change.channel_id or "", None
            for position, operation in enumerate(run.change.operations):
                if self.interrupt.requested or (self.failed and self.settings.fail_fast):
                    return
                run.begin(position)
                self.observer.started(run.change.address, operation)
                try:
                    written = await self.call(run, operation, channel_id)
                except WebchatSyncError as error:
                    self.failed = True
                    self.observer.finished(run.ended(position, error))
                    return
                self.observer.finished(run.done(position, written))
                latest = written.channel or latest
                channel_id = latest.id if latest else channel_id
            await self.finish(run, channel_id, latest)

    async def finish(self, run: ChannelRun, channel_id: str, latest: LiveChannel | None) -> None:
        """Verify the secret of a channel that only its last call switched on."""
        if isinstance(run.change, Delete) or self.rotator is None:
            return
        for position, operation in enumerate(run.change.operations):
            if isinstance(operation, SecretOperation):
                try:
                    await self.rotator.finish(operation, run.change, channel_id, latest)
                except WebchatSyncError as error:
                    self.failed = True
                    self.observer.finished(run.ended(position, error))

    async def call(self, run: ChannelRun, operation: Operation, channel_id: str) -> WriteResult:
        api = self.apis[run.organization]
        match operation:
            case CreateChannel():
                return await create_channel(
                    api,
                    operation.body,
                    path=operation.path,
                    idempotency_key=self.settings.environment.new_id(),
                    known=self.known[run.organization],
                    sleep=self.settings.environment.sleep,
                    may_repeat=lambda: not self.interrupt.requested,
                )
            case PatchChannel():
                return await api.update_channel(channel_id, operation.body)
            case DeleteChannel():
                return await self.delete(api, channel_id)
            case MakeSecret() | RevokeSecret():
                return await self.secret(run, operation, channel_id)
            case _:
                assert_never(operation)

    async def secret(self, run: ChannelRun, operation: SecretOperation, channel_id: str) -> WriteResult:
        if self.rotator is None or isinstance(run.change, Delete):
            raise ApplyError("this run can't deliver a new secret")
        try:
            return await self.rotator.carry_out(operation, run.change, channel_id)
        except ApiError as error:
            if not error.in_doubt or isinstance(operation, RevokeSecret):
                raise
            hint = f"{maybe_lost(operation)} Run apply again: it creates and delivers a new one."
            raise error.counted(error.attempts, in_doubt=True, hint=hint) from None

    async def delete(self, api: ChannelApi, channel_id: str) -> WriteResult:
        try:
            return await api.delete_channel(channel_id)
        except ApiError as error:
            if error.status != GONE:
                raise
            # It's gone, as intended: an earlier attempt without a response deleted it, or someone else.
            return WriteResult(error.status, error.request_id, error.attempts)
