"""The account of a run: what is known of every operation, at any moment and however the run ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from webchat_sync.errors import ApiError, UndeliveredError, WebchatSyncError
from webchat_sync.model import ChannelChange, OperationResult, OperationStatus, Plan, Receipt


@dataclass(frozen=True, slots=True)
class Task:
    """The operations of one channel, which run in their order; ``results`` is kept up to date as they do."""

    organization: str
    change: ChannelChange
    results: list[OperationResult]

    def begin(self, position: int) -> None:
        """The operation is about to be sent: from here until it ends it is in doubt."""
        self.results[position] = replace(self.results[position], status="in_doubt", attempts=1)

    def done(self, position: int, receipt: Receipt) -> OperationResult:
        """The server has acknowledged the operation."""
        self.results[position] = replace(
            self.results[position],
            status="done",
            attempts=receipt.attempts,
            http_status=receipt.status,
            request_id=receipt.request_id,
        )
        return self.results[position]

    def ended(self, position: int, error: WebchatSyncError) -> OperationResult:
        """The operation failed, or may have taken effect without the server's word."""
        if isinstance(error, ApiError):
            status: OperationStatus = "in_doubt" if error.in_doubt else "failed"
            told = (status, error.attempts, error.status, error.request_id)
        elif isinstance(error, UndeliveredError):
            told = ("failed", error.attempts, error.status, error.request_id)
        else:
            told = ("failed", 0, None, None)
        before = self.results[position]
        self.results[position] = OperationResult(
            before.organization, before.address, before.operation, *told, error=error
        )
        return self.results[position]


def open_account(plan: Plan) -> tuple[Task, ...]:
    """A task for each channel that the plan changes, in the order of the plan, with nothing started."""
    return tuple(
        Task(
            each.organization,
            change,
            [OperationResult(each.organization, change.address, operation) for operation in change.operations],
        )
        for each in plan.organizations
        for change in each.changes
        if change.operations
    )


def results(tasks: Sequence[Task]) -> tuple[OperationResult, ...]:
    """Every operation as it stands, in the order of the plan."""
    return tuple(result for task in tasks for result in task.results)
