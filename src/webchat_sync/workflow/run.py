"""How far an apply has come: kept while it runs, for the account that is given however it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from webchat_sync.apply.run_log import ChannelRun, open_run_log, results
from webchat_sync.model import ApplyReport, FailedOrganization, Outcome, Plan


@dataclass(slots=True)
class ApplyRun:
    """One apply. ``outcome`` is what it came to should it end now; ``began``: changes may have been made."""

    plan: Plan | None = None
    channels: Sequence[ChannelRun] = ()
    outcome: Outcome = "incomplete"
    ended: ApplyReport | None = None
    began: bool = False

    def take(self, plan: Plan, outcome: Outcome) -> None:
        """Make ``plan`` the one that it is about, with ``outcome`` should nothing come of it."""
        self.plan, self.channels, self.outcome = plan, open_run_log(plan), outcome

    def channels_of(self, plan: Plan) -> Sequence[ChannelRun]:
        """Those of the organisations in ``plan``."""
        organizations = {planned.organization for planned in plan.organizations}
        return [channel for channel in self.channels if channel.organization in organizations]

    def end(self, report: ApplyReport) -> ApplyReport:
        """Keep what it came to, with every operation and every organisation that failed."""
        self.ended = replace(report, results=results(self.channels), failed=self._failed)
        return self.ended

    @property
    def report(self) -> ApplyReport:
        """The account as it stands."""
        return self.ended or ApplyReport(self.outcome, results(self.channels), failed=self._failed)

    @property
    def _failed(self) -> tuple[FailedOrganization, ...]:
        return self.plan.failed if self.plan else ()
