"""Runs the operations of a plan: channels side by side, one channel's calls in order, deletes last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from anyio import CapacityLimiter, create_task_group

from webchat_sync.apply.ports import ChannelWriter
from webchat_sync.errors import ApiError
from webchat_sync.model import ChannelChange, Operation, OperationResult, OperationStatus, Plan

DEFAULT_PARALLELISM = 8
"""How many channels are written to at once unless the caller says otherwise."""


async def run_plan(
    plan: Plan,
    writers: Mapping[str, ChannelWriter],
    *,
    parallelism: int = DEFAULT_PARALLELISM,
    new_idempotency_key: Callable[[], str],
    on_result: Callable[[OperationResult], object],
) -> tuple[OperationResult, ...]:
    """Carry out every operation of ``plan`` and account for each.

    A failure stops its own channel only; the deletes start when all else is done, and not at all when anything
    is not. ``on_result`` is told each result as it comes; the results are returned in the order of the plan.
    """
    run = _Run(writers, CapacityLimiter(parallelism), new_idempotency_key, on_result)
    planned = [(each.organization, change) for each in plan.organizations for change in each.changes]
    kept = [_Task(organization, change) for organization, change in planned if change.action != "delete"]
    deleted = [_Task(organization, change) for organization, change in planned if change.action == "delete"]
    results = await run.all(kept)
    if all(result.status == "done" for result in results):
        return (*results, *await run.all(deleted))
    return (*results, *(result for task in deleted for result in task.not_started(task.change.operations)))


@dataclass(frozen=True, slots=True)
class _Task:
    """The operations of one channel, which run in their order."""

    organization: str
    change: ChannelChange

    def result(self, operation: Operation, error: ApiError | None = None) -> OperationResult:
        status: OperationStatus = "done" if error is None else "in_doubt" if error.in_doubt else "failed"
        return OperationResult(self.organization, self.change.address, operation, status, error)

    def not_started(self, operations: Iterable[Operation]) -> list[OperationResult]:
        address = self.change.address
        return [OperationResult(self.organization, address, operation, "not_started") for operation in operations]


@dataclass(frozen=True, slots=True)
class _Run:
    writers: Mapping[str, ChannelWriter]
    limiter: CapacityLimiter
    new_idempotency_key: Callable[[], str]
    on_result: Callable[[OperationResult], object]

    async def all(self, channels: Iterable[_Task]) -> list[OperationResult]:
        results: dict[int, list[OperationResult]] = {}

        async def one(index: int, task: _Task) -> None:
            async with self.limiter:
                results[index] = await self.channel(task)

        async with create_task_group() as tasks:
            for index, task in enumerate(channels):
                tasks.start_soon(one, index, task)
        return [result for index in sorted(results) for result in results[index]]

    async def channel(self, task: _Task) -> list[OperationResult]:
        results: list[OperationResult] = []
        channel_id = task.change.channel_id or ""
        for position, operation in enumerate(task.change.operations):
            try:
                channel_id = await self.call(task.organization, operation, channel_id)
            except ApiError as error:
                results.append(task.result(operation, error))
                self.on_result(results[-1])
                return [*results, *task.not_started(task.change.operations[position + 1 :])]
            results.append(task.result(operation))
            self.on_result(results[-1])
        return results

    async def call(self, organization: str, operation: Operation, channel_id: str) -> str:
        """Send one operation; returns the id of the channel it was about."""
        writer = self.writers[organization]
        body = operation.body or {}
        if operation.method == "POST":
            return (await writer.create_channel(body, idempotency_key=self.new_idempotency_key())).id
        if operation.method == "PATCH":
            await writer.update_channel(channel_id, body)
        else:
            await writer.delete_channel(channel_id)
        return channel_id
