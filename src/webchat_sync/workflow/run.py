"""How far an apply has come: kept while it runs, for the account that is given however it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webchat_sync.apply.run_log import ChannelRun, open_run_log, results
from webchat_sync.model import ApplyReport, Outcome, Plan


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

    def end(self, report: ApplyReport) -> ApplyReport:
        """Keep the report that it ended with."""
        self.ended = report
        return report

    @property
    def report(self) -> ApplyReport:
        """The account as it stands."""
        return self.ended or ApplyReport(self.outcome, results(self.channels))
