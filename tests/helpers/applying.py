"""Plans and applies in tests, over real HTTP and without waiting."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio
from jsonschema import Draft202012Validator

from fake_time import FakeTime
from planning import catalogue
from webchat_sync.api import Mosend
from webchat_sync.apply.ports import ChannelApi, Rotator
from webchat_sync.apply.run import Interrupt, Settings, run_channels
from webchat_sync.apply.run_log import open_run_log
from webchat_sync.domain.catalogue import Catalogue, load_schema
from webchat_sync.environment import Environment
from webchat_sync.model import ApplyReport, Declaration, Listing, Manifest, Operation, OperationResult, Plan, Secret
from webchat_sync.plan.make import make_plan
from webchat_sync.plan.summary import has_changes
from webchat_sync.render.report_json import render_report
from webchat_sync.workflow.listings import read_listings
from webchat_sync.workflow.verify import verify

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
KEY = "mk_test_tests.c4n4ry5ecret"


@dataclass
class Watcher:
    """Receives each operation, and can do something then."""

    on_start: Callable[[str, Operation], object] | None = None
    on_result: Callable[[OperationResult], object] | None = None

    def started(self, address: str, operation: Operation) -> None:
        if self.on_start is not None:
            self.on_start(address, operation)

    def finished(self, result: OperationResult) -> None:
        if self.on_result is not None:
            self.on_result(result)


def client(url: str, organization: str = "acme", time: FakeTime | None = None, **options: Any) -> Mosend:
    time = time or FakeTime()
    return Mosend(
        organization=organization,
        base_url=url,
        key=Secret(KEY),
        environment=Environment(sleep=time.sleep, clock=time.clock, random=lambda: 0.5),
        **options,
    )


async def plan_and_apply(
    url: str,
    manifest: Manifest,
    *,
    fields: Catalogue | None = None,
    time: FakeTime | None = None,
    interrupt: Interrupt | None = None,
    **options: Any,
) -> tuple[Plan, ApplyReport | None]:
    """The plan and, if it changes anything, the report; ``options`` as for :func:`carry_out`."""
    fields, time, interrupt = fields or catalogue(), time or FakeTime(), interrupt or Interrupt()
    options |= {"fields": fields, "time": time, "interrupt": interrupt}
    async with client(url, manifest.organization, time, ending=interrupt) as api:
        apis = {manifest.organization: api}
        listings = await read_listings(apis, apis, base_url=url)
        plan = make_plan([(manifest, listings[manifest.organization])], catalogue=fields, created_at=NOW)
        if not has_changes(plan):
            return plan, None
        return plan, await carry_out(plan, [manifest], apis, listings, **options)


def applied(
    url: str, declarations: Sequence[Declaration], *, prune: bool = False, **options: Any
) -> tuple[Plan, ApplyReport]:
    """Plan and apply these declarations, which change something, to the organisation ``acme``."""
    manifest = Manifest("acme", tuple(declarations), prune)
    plan, report = anyio.run(partial(plan_and_apply, url, manifest, **options))
    assert report is not None
    return plan, report


async def carry_out(
    plan: Plan,
    manifests: Sequence[Manifest],
    apis: Mapping[str, ChannelApi],
    listings: Mapping[str, Listing],
    *,
    fields: Catalogue | None = None,
    watcher: Watcher | None = None,
    interrupt: Interrupt | None = None,
    time: FakeTime | None = None,
    parallelism: int = 8,
    fail_fast: bool = False,
    rotator: Rotator | None = None,
) -> ApplyReport:
    """The report of applying ``plan``, checked against its schema."""
    numbers = itertools.count()
    environment = Environment(now=lambda: NOW, sleep=(time or FakeTime()).sleep, new_id=lambda: f"key-{next(numbers)}")
    runs, interrupt = open_run_log(plan), interrupt or Interrupt()
    await run_channels(
        runs,
        apis,
        listings=listings,
        settings=Settings(environment, parallelism, fail_fast),
        observer=watcher or Watcher(),
        interrupt=interrupt,
        rotator=rotator,
    )
    report = await verify(
        runs,
        manifests,
        apis,
        base_url=next(iter(listings.values())).base_url,
        catalogue=fields or catalogue(),
        environment=environment,
        interrupt=interrupt,
    )
    check_report(report)
    return report


def check_report(report: ApplyReport) -> None:
    """Fail unless the report's JSON matches ``schemas/report.schema.json``."""
    document = json.loads(render_report(report, created_at=NOW))
    Draft202012Validator(load_schema("report")).validate(document)
