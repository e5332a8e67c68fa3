"""The course of one apply: read, plan, show, ask, apply, verify."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from anyio import create_task_group

from webchat_sync.apply.account import Task, open_account, results
from webchat_sync.apply.converge import converge
from webchat_sync.apply.ports import ChannelApi
from webchat_sync.apply.read import read_listings
from webchat_sync.apply.run import Interrupt, Settings
from webchat_sync.apply.saved import check_saved
from webchat_sync.cli.approval import approved
from webchat_sync.cli.output import Output
from webchat_sync.cli.progress import Display, show_progress
from webchat_sync.cli.rotations import ledger_paths, ledgers_of, refuse_dangers
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.signals import watch_signals
from webchat_sync.cli.streams import discard_stdout
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import GuardError, InputError, StalePlanError
from webchat_sync.model import ApplyReport, Ledger, Manifest, Outcome, Plan
from webchat_sync.plan.guard import GuardOptions, refusals, short_listings
from webchat_sync.plan.make import Listing, has_changes, make_plan
from webchat_sync.plan.saved import desired_manifests
from webchat_sync.plan.stale import forgotten
from webchat_sync.plan.target import limit
from webchat_sync.render import report_json
from webchat_sync.render.report import render_report
from webchat_sync.secrets.rotate import Rotations

QUESTION: Final = "Do you want to perform these actions?"
REFUSED: Final = "Apply cancelled. Nothing was changed."


@dataclass(slots=True, kw_only=True)
class Course:
    """One apply, of a ``saved`` plan or of ``manifests``; with both, the plan must be of these manifests.

    ``organization`` is what --org named. ``plan``, ``tasks`` and ``outcome`` tell how far it came, also when an
    error ends it; ``began``, whether changes may have been made.
    """

    runtime: Runtime
    catalogue: Catalogue
    saved: Plan | None
    manifests: Sequence[Manifest] | None
    organization: str | None
    targets: Sequence[str]
    rotate: Sequence[str]
    adopt_secrets: Sequence[str]
    strict: bool
    guards: GuardOptions
    auto_approve: bool
    parallelism: int
    fail_fast: bool
    output: Output
    plan: Plan | None = None
    tasks: Sequence[Task] = ()
    outcome: Outcome = "incomplete"
    ended: ApplyReport | None = None
    began: bool = False
    display: Display | None = None

    @property
    def organizations(self) -> list[str]:
        """The organisations that it is about."""
        if self.saved is not None:
            return [each.organization for each in self.saved.organizations]
        return [each.organization for each in self.manifests or ()]

    @property
    def ledgers(self) -> dict[str, Path]:
        """The ledger of each organisation."""
        if self.saved is not None:
            return ledger_paths((each.organization, each.ledger) for each in self.saved.organizations)
        return ledgers_of(self.manifests or ())

    def waiting(self, seconds: float) -> None:
        """A call is held back that long for the rate limit."""
        if self.display is not None:
            self.display.waiting(seconds)

    @property
    def report(self) -> ApplyReport:
        """The account as it stands."""
        return self.ended or ApplyReport(self.outcome, results(self.tasks))

    def report_json(self) -> str:
        """The account as it stands, as JSON."""
        return report_json.render_report(self.report, created_at=self.runtime.now())

    def tell(self) -> None:
        """Print the account as it stands; where nobody reads it, the exit code still says how the run ended."""
        if self.plan is None:
            return
        account = render_report(self.plan, self.report)
        try:
            click.echo(account, err=self.output.aside)
        except OSError as error:
            click.echo(f"The account could not be printed: {error.strerror}. It is:\n{account}", err=True)
            discard_stdout()

    async def run(self, apis: Mapping[str, ChannelApi], base_url: str, rotations: Rotations) -> ApplyReport:
        """Run it to its end; raises StalePlanError, GuardError and InputError before anything is written."""
        ledger = rotations.ledger()
        listings = await self._read(apis, base_url)
        if self.saved is None:
            self.outcome = "refused"
        if self.saved is not None and (stale := forgotten(self.saved, ledger)):
            raise StalePlanError(stale)
        plan = self._planned(listings, ledger)
        if not self.output.quiet or not self.auto_approve or not has_changes(plan):
            # Nobody approves of what was not shown, if only in a line; else the end of the run says enough.
            self.output.emit(plan, self.runtime)
        if self.strict:
            refuse_dangers(plan)
        refused = refusals(plan, self.guards)
        if self.saved is not None:
            refused += short_listings(plan, listings, self.guards)
        if refused:
            raise GuardError(refused)
        if not has_changes(plan):
            _adopt(plan, rotations)
            self.ended = ApplyReport("converged", ())
        elif self.auto_approve or approved(QUESTION, refused=REFUSED):
            await _probe(plan, rotations)
            self.outcome = "incomplete"
            _adopt(plan, rotations)
            self.ended = await self._converge(plan, apis, listings, rotations)
            self.tell()
        else:
            self.ended = ApplyReport("refused", results(self.tasks))
        return self.ended

    async def _read(self, apis: Mapping[str, ChannelApi], base_url: str) -> Mapping[str, Listing]:
        if self.saved is None:
            return await read_listings(apis, apis, base_url=base_url)
        self._take(self.saved, "stale")
        return await check_saved(
            self.saved,
            apis,
            base_url=base_url,
            catalogue=self.catalogue,
            organization=self.organization,
            manifests=self.manifests,
        )

    def _planned(self, listings: Mapping[str, Listing], ledger: Ledger) -> Plan:
        if self.saved is not None:
            return self._take(self.saved, "refused")
        sides = [(manifest, listings[manifest.organization]) for manifest in self.manifests or ()]
        whole = make_plan(
            sides,
            catalogue=self.catalogue,
            created_at=self.runtime.now(),
            ledger=ledger,
            rotate=self.rotate,
            adopt_secrets=self.adopt_secrets,
            sealed=False,
        )
        return self._take(limit(whole, self.targets), "refused")

    def _take(self, plan: Plan, outcome: Outcome) -> Plan:
        """Make ``plan`` the one that the report is about, with ``outcome`` should nothing come of it."""
        self.plan, self.tasks, self.outcome = plan, open_account(plan), outcome
        return plan

    async def _converge(
        self, plan: Plan, apis: Mapping[str, ChannelApi], listings: Mapping[str, Listing], rotations: Rotations
    ) -> ApplyReport:
        self.began = True
        interrupt = Interrupt()
        settings = Settings(self.runtime.new_id, self.runtime.sleep, self.parallelism, self.fail_fast)
        whole = self.saved is None and not plan.partial
        with show_progress(sum(len(task.results) for task in self.tasks), self.runtime) as self.display:
            async with create_task_group() as beside:
                beside.start_soon(watch_signals, interrupt)
                beside.start_soon(self.display.tick)
                report = await converge(
                    self.tasks,
                    (self.manifests or ()) if whole else desired_manifests(plan),
                    apis,
                    listings=listings,
                    catalogue=self.catalogue,
                    settings=settings,
                    observer=self.display,
                    interrupt=interrupt,
                    now=self.runtime.now,
                    rotator=rotations,
                )
                beside.cancel_scope.cancel()
        return report


async def _probe(plan: Plan, rotations: Rotations) -> None:
    """Raise InputError with every sink that would not take a secret."""
    problems = [
        problem for each in plan.organizations for problem in await rotations.probe(each.organization, each.changes)
    ]
    if problems:
        raise InputError(problems)


def _adopt(plan: Plan, rotations: Rotations) -> None:
    for each in plan.organizations:
        for change in each.changes:
            rotations.adopt(each.organization, change)
