"""The progress of an apply, recorded while it runs so that a report is possible however it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from webchat_sync.apply.run_log import ChannelRun, open_run_log, results
from webchat_sync.model import ApplyReport, FailedOrganization, Outcome, Plan


@dataclass(slots=True)
class ApplyRun:
    """One apply. ``outcome`` is its outcome if it ended now; ``began``: changes may have been made."""

    plan: Plan | None = None
    channels: Sequence[ChannelRun] = ()
    outcome: Outcome = "incomplete"
    ended: ApplyReport | None = None
    began: bool = False

    def take(self, plan: Plan, outcome: Outcome) -> None:
        """Make ``plan`` the subject of this run, with ``outcome`` if nothing is started."""
        self.plan, self.channels, self.outcome = plan, open_run_log(plan), outcome

    def channels_of(self, plan: Plan) -> Sequence[ChannelRun]:
        """The runs of the channels whose organisations are in ``plan``."""
        organizations = {planned.organization for planned in plan.organizations}
        return [channel for channel in self.channels if channel.organization in organizations]

    def end(self, report: ApplyReport) -> ApplyReport:
        """Complete ``report`` with every operation and every failed organisation, and keep it."""
        self.ended = replace(report, results=results(self.channels), failed=self._failed)
        return self.ended

    @property
    def report(self) -> ApplyReport:
        """The final report, or one of the progress so far."""
        return self.ended or ApplyReport(self.outcome, results(self.channels), failed=self._failed)

    @property
    def _failed(self) -> tuple[FailedOrganization, ...]:
        return self.plan.failed if self.plan else ()
