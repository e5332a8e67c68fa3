"""Runs the operations of a plan: channels side by side, one channel's calls in order, deletes last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from anyio import CancelScope, CapacityLimiter, create_task_group

from webchat_sync.apply.account import Task
from webchat_sync.apply.create import create_once
from webchat_sync.apply.ports import ChannelApi, Observer, Rotator
from webchat_sync.errors import ApiError, ApplyError, WebchatSyncError
from webchat_sync.model import Operation, Receipt

DEFAULT_PARALLELISM: Final = 8
"""How many channels are written to at once unless the caller says otherwise."""

GONE: Final = 404


@dataclass(slots=True)
class Interrupt:
    """Lets somebody end a run: the first request lets what is in flight finish, a second one leaves at once."""

    requested: bool = False
    scope: CancelScope | None = None

    def request(self) -> None:
        """Start nothing more; when that was asked before, abandon what is in flight."""
        if self.requested and self.scope is not None:
            self.scope.cancel()
        self.requested = True


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run: ``fail_fast`` starts nothing more after a failure; ``sleep`` takes seconds."""

    new_idempotency_key: Callable[[], str]
    sleep: Callable[[float], Awaitable[None]]
    parallelism: int = DEFAULT_PARALLELISM
    fail_fast: bool = False


async def run_tasks(
    tasks: Sequence[Task],
    apis: Mapping[str, ChannelApi],
    *,
    known: Mapping[str, Set[str]],
    settings: Settings,
    observer: Observer,
    interrupt: Interrupt,
    rotator: Rotator | None = None,
) -> None:
    """Carry the tasks out and keep their results; ``apis`` and the ``known`` live ids are by organisation.

    A failure stops its own channel only. The deletes start when all else is done, and not at all otherwise. What
    is not done when the run ends, by whatever cause, stands in the results as it is. ``rotator`` carries out what
    is about identity secrets.
    """
    run = _Run(apis, known, settings, observer, interrupt, CapacityLimiter(settings.parallelism), rotator)
    deletes = [task for task in tasks if task.change.action == "delete"]
    others = [task for task in tasks if task.change.action != "delete"]
    with CancelScope() as interrupt.scope:
        await run.side_by_side(others)
        if all(result.status == "done" for task in others for result in task.results):
            await run.side_by_side(deletes)


@dataclass(slots=True)
class _Run:
    apis: Mapping[str, ChannelApi]
    known: Mapping[str, Set[str]]
    settings: Settings
    observer: Observer
    interrupt: Interrupt
    limiter: CapacityLimiter
    rotator: Rotator | None
    failed: bool = False

    async def side_by_side(self, tasks: Sequence[Task]) -> None:
        async with create_task_group() as group:
            for task in tasks:
                group.start_soon(self.channel, task)

    async def channel(self, task: Task) -> None:
        async with self.limiter:
            channel_id = task.change.channel_id or ""
            for position, operation in enumerate(task.change.operations):
                if self.interrupt.requested or (self.failed and self.settings.fail_fast):
                    return
                task.begin(position)
                self.observer.started(task.change.address, operation)
                try:
                    receipt = await self.call(task, operation, channel_id)
                except WebchatSyncError as error:
                    self.failed = True
                    self.observer.finished(task.ended(position, error))
                    return
                self.observer.finished(task.done(position, receipt))
                channel_id = receipt.channel.id if receipt.channel else channel_id
            await self.finish(task, channel_id)

    async def finish(self, task: Task, channel_id: str) -> None:
        if task.change.secret is None or self.rotator is None:
            return
        try:
            await self.rotator.finish(task.organization, task.change, channel_id)
        except WebchatSyncError as error:
            self.failed = True
            (position,) = (index for index, each in enumerate(task.change.operations) if each.about_secret)
            self.observer.finished(task.ended(position, error))

    async def call(self, task: Task, operation: Operation, channel_id: str) -> Receipt:
        organization = task.organization
        api = self.apis[organization]
        body = operation.body or {}
        if operation.about_secret:
            return await self.secret(task, channel_id)
        if operation.method == "POST":
            return await create_once(
                api,
                body,
                idempotency_key=self.settings.new_idempotency_key(),
                known=self.known[organization],
                sleep=self.settings.sleep,
            )
        if operation.method == "PATCH":
            return await api.update_channel(channel_id, body)
        return await self.delete(api, channel_id)

    async def secret(self, task: Task, channel_id: str) -> Receipt:
        if self.rotator is None:
            raise ApplyError("nobody is there to deliver a new secret")
        return await self.rotator.carry_out(task.organization, task.change, channel_id)

    async def delete(self, api: ChannelApi, channel_id: str) -> Receipt:
        try:
            return await api.delete_channel(channel_id)
        except ApiError as error:
            if error.status != GONE:
                raise
            # Gone is what was wanted, whoever did it: an earlier attempt without an answer, or somebody else.
            return Receipt(error.status, error.request_id, error.attempts)
