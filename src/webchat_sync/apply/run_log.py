"""The log of a run: what is known about every operation, at any moment and however the run ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from webchat_sync.errors import ApiError, RotatedError, WebchatSyncError
from webchat_sync.frozen import frozen
from webchat_sync.model import ActiveChange, LiveChannel, OperationResult, OperationStatus, Plan, WriteResult


@frozen
class ChannelRun:
    """The operations of one channel, in order; ``results`` is updated while they run.

    ``created`` holds the id of a created channel, once the server has returned it; ``answered`` the channel in the last
    response that had one.
    """

    organization: str
    change: ActiveChange
    results: list[OperationResult]
    created: list[str] = field(default_factory=list)
    answered: list[LiveChannel] = field(default_factory=list)

    @property
    def channel_id(self) -> str | None:
        """The channel's id, from the plan or from the response to the create."""
        return self.created[0] if self.created else self.change.channel_id

    def begin(self, position: int) -> None:
        """The operation is about to be sent, and is in doubt until it ends."""
        self.results[position] = replace(self.results[position], status="in_doubt", attempts=1)

    def done(self, position: int, written: WriteResult) -> OperationResult:
        """The server has acknowledged the operation."""
        if written.channel is not None:
            self.answered[:] = [written.channel]
            if self.change.channel_id is None:
                self.created[:] = [written.channel.id]
        self.results[position] = replace(
            self.results[position],
            status="done",
            attempts=written.attempts,
            http_status=written.status,
            request_id=written.request_id,
        )
        return self.results[position]

    def ended(self, position: int, error: WebchatSyncError) -> OperationResult:
        """The operation failed, or may have taken effect without a response."""
        if isinstance(error, ApiError):
            status: OperationStatus = "in_doubt" if error.in_doubt else "failed"
            known = (status, error.attempts, error.status, error.request_id)
        elif isinstance(error, RotatedError):
            known = ("failed", error.attempts, error.status, error.request_id)
        else:
            known = ("failed", 0, None, None)
        before = self.results[position]
        self.results[position] = OperationResult(
            before.organization, before.address, before.operation, *known, error=error
        )
        return self.results[position]


def open_run_log(plan: Plan) -> tuple[ChannelRun, ...]:
    """The run of every channel that the plan changes, in the plan's order, with nothing started."""
    return tuple(
        ChannelRun(
            planned.organization,
            change,
            [OperationResult(planned.organization, change.address, operation) for operation in change.operations],
        )
        for planned in plan.organizations
        for change in planned.active_changes
    )


def results(runs: Sequence[ChannelRun]) -> tuple[OperationResult, ...]:
    """The current results of all operations, in the plan's order."""
    return tuple(result for run in runs for result in run.results)


def runs_by_organization(runs: Sequence[ChannelRun]) -> Mapping[str, Sequence[ChannelRun]]:
    """The runs of every organisation that has any, in order."""
    runs_of: dict[str, list[ChannelRun]] = {}
    for run in runs:
        runs_of.setdefault(run.organization, []).append(run)
    return runs_of
