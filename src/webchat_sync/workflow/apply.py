"""An apply from its first call to its last: connect, list, plan, guard, approve, run, verify."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import Protocol

from webchat_sync.apply import DEFAULT_PARALLELISM
from webchat_sync.apply.ports import ChannelReader, Observer
from webchat_sync.apply.run import Interrupt, Settings, run_channels
from webchat_sync.apply.run_log import ChannelRun
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.environment import Environment
from webchat_sync.errors import ApplyError, InputError, StalePlanError
from webchat_sync.frozen import frozen
from webchat_sync.model import ApplyReport, ChannelKey, Delete, Listing, Plan, Remembered
from webchat_sync.plan.guard import GuardOptions, judged
from webchat_sync.plan.organizations import of_organization
from webchat_sync.plan.summary import has_changes
from webchat_sync.planfile.stale import staleness
from webchat_sync.secrets.recovery import drop
from webchat_sync.secrets.rotate import Rotations
from webchat_sync.workflow.connection import Connection, open_apis
from webchat_sync.workflow.listings import read_listings
from webchat_sync.workflow.plan import refuse
from webchat_sync.workflow.remembering import RunMemory
from webchat_sync.workflow.rotations import SecretRules, open_rotations
from webchat_sync.workflow.run import ApplyRun
from webchat_sync.workflow.sources import Source
from webchat_sync.workflow.state import RECOVERY
from webchat_sync.workflow.verify import verify


class Screen(Observer, Protocol):
    """What an apply reports to while it runs, and asks for approval."""

    def planned(self, plan: Plan) -> None:
        """Called with the plan before anything is refused or approved."""
        ...

    def approve(self) -> bool:
        """Whether to carry the plan out."""
        ...

    def waiting(self, seconds: float) -> None:
        """Called when the rate limit holds a call back for ``seconds``."""
        ...

    def running(self, interrupt: Interrupt) -> AbstractAsyncContextManager[None]:
        """Surround the execution of the plan; signals that end it go to ``interrupt``."""
        ...


@frozen(kw_only=True)
class ApplyOptions:
    """What is refused and how fast it runs. ``strict`` also refuses a plan that endangers visitors.

    ``attended``: a person approves the plan, and the live channels may change before the answer.
    """

    guards: GuardOptions
    secrets: SecretRules
    strict: bool = False
    attended: bool = False
    parallelism: int = DEFAULT_PARALLELISM
    fail_fast: bool = False


async def apply(
    source: Source,
    connection: Connection,
    environment: Environment,
    catalogue: Catalogue,
    options: ApplyOptions,
    memory: RunMemory,
    screen: Screen,
    run: ApplyRun,
) -> ApplyReport:
    """Make the live channels equal to ``source``; ``run`` records the progress, even if an error ends the apply.

    The caller holds the lock of ``memory``. Raises StalePlanError, GuardError, InputError, ApiError and
    MemoryUnavailableError before anything is written, and MemoryUnavailableError if the outcome can't be recorded.
    """
    interrupt = Interrupt()
    async with open_apis(
        connection, environment, on_wait=screen.waiting, permitted=memory.may_write, ending=interrupt
    ) as apis:
        rotations = open_rotations(apis, connection, memory, environment, options.secrets, interrupt)
        remembered = memory.read()
        readings = await source.read(apis, remembered, base_url=connection.label, catalogue=catalogue, run=run)
        readings = replace(readings, failed=(*connection.failed, *readings.failed))
        full_plan = source.plan(readings, remembered, catalogue, environment)
        run.take(full_plan, "refused")
        screen.planned(full_plan)
        plan = full_plan.reached
        more = source.refusals(plan, readings.listings, options.guards)
        refuse(judged(plan, options.guards, strict=options.strict), more=more)
        if not has_changes(plan):
            await _begin(plan, rotations, memory, environment)
            await memory.end(plan, (), environment.now(), run.report.has_listed)
            return run.end(ApplyReport("converged", run.report.results))
        if not screen.approve():
            return run.end(run.report)
        listings = readings.listings
        if options.attended:
            listings = {**listings, **await _read_again(plan, apis, catalogue, remembered, connection.label, run)}
        await _probe(plan, rotations)
        run.outcome = "incomplete"
        await _begin(plan, rotations, memory, environment)
        run.began = True
        async with screen.running(interrupt):
            runs = run.channels_of(plan)
            await run_channels(
                runs,
                apis,
                listings=listings,
                settings=Settings(environment, options.parallelism, options.fail_fast),
                observer=screen,
                interrupt=interrupt,
                rotator=rotations,
            )
            report = await verify(
                runs,
                source.desired(plan),
                apis,
                base_url=connection.label,
                catalogue=catalogue,
                environment=environment,
                interrupt=interrupt,
                remembered=memory.remembered,
            )
        _drop_copies(runs, connection.label)
        finished = run.end(report)
        await memory.end(plan, runs, environment.now(), finished.has_listed)
        return finished


async def _read_again(
    plan: Plan,
    apis: Mapping[str, ChannelReader],
    catalogue: Catalogue,
    remembered: Remembered,
    base_url: str,
    run: ApplyRun,
) -> dict[str, Listing]:
    """The current listings of the organisations that ``plan`` changes; raises StalePlanError if it no longer fits."""
    changed = [planned.organization for planned in plan.organizations if planned.active_changes]
    listings = await read_listings(changed, apis, base_url=base_url)
    if moved := staleness(plan, listings, catalogue, known=remembered.channels):
        run.outcome = "stale"
        raise StalePlanError(moved)
    return listings


async def _probe(plan: Plan, rotations: Rotations) -> None:
    """Raise InputError with every sink that rejects a secret or already holds another channel's."""
    remaining = {
        planned.organization: [change for change in planned.active_changes if not isinstance(change, Delete)]
        for planned in plan.organizations
    }
    listed = {planned.organization: planned.listed_ids for planned in plan.organizations}
    problems = rotations.occupied_sinks([change for changes in remaining.values() for change in changes], listed)
    for organization, changes in remaining.items():
        probed = await rotations.probe(changes)
        problems += of_organization(probed, organization, several=plan.several)
    if problems:
        raise InputError(list(dict.fromkeys(problems)))


def _drop_copies(runs: Sequence[ChannelRun], base_url: str) -> None:
    """Remove the waiting secrets of channels that were deleted; one that stays is worthless, and does no harm."""
    for run in runs:
        if isinstance(run.change, Delete) and all(result.status == "done" for result in run.results):
            with suppress(ApplyError):
                drop(RECOVERY, ChannelKey(base_url, run.organization, run.change.channel_id))


async def _begin(plan: Plan, rotations: Rotations, memory: RunMemory, environment: Environment) -> None:
    """Record what the next run must know if this one is cut off."""
    adoptions = [
        adopted
        for planned in plan.organizations
        for change in planned.changes
        if (adopted := rotations.adoption(planned.organization, change)) is not None
    ]
    await memory.begin(plan, dict(adoptions), environment.new_id, environment.now())
