"""A saved plan over real HTTP: checked against what is live, applied as it was reviewed, and verified without files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import anyio
import pytest

from applying import NOW, carry_out, client
from commands import Emulated, emulated
from planning import catalogue, declare
from webchat_sync.errors import ApiError, StalePlanError
from webchat_sync.model import NOTHING_REMEMBERED, ApplyReport, Declaration, Json, Manifest, Plan
from webchat_sync.plan.filter_by_target import filter_by_target
from webchat_sync.plan.guard import short_listings
from webchat_sync.plan.make import make_plan
from webchat_sync.planfile.desired import desired_manifests
from webchat_sync.planfile.reader import read_plan
from webchat_sync.planfile.writer import render_plan
from webchat_sync.workflow.listings import read_listings
from webchat_sync.workflow.run import ApplyRun
from webchat_sync.workflow.sources import FromSavedPlan

DECLARATIONS = (
    declare("New", color="#fff", theme="dark"),
    declare("Support", theme="light", prechatFields=[{"label": "Email", "required": True}]),
    replace(declare("Legacy"), absent=True),
)
SUPPORT: dict[str, Json] = {
    "name": "Support",
    "id": "c-1",
    "theme": "dark",
    "prechatFields": [{"id": "f-1", "label": "Email"}],
}
LEGACY: dict[str, Json] = {"name": "Legacy", "id": "c-2"}


def saved(api: Emulated, declarations: Sequence[Declaration] = DECLARATIONS, targets: Sequence[str] = ()) -> Plan:
    async def make() -> Plan:
        async with client(api.url) as reader:
            manifests = [Manifest("acme", tuple(declarations))]
            listings = await read_listings(["acme"], {"acme": reader}, base_url=api.url)
            pairs = [(manifest, listings[manifest.organization]) for manifest in manifests]
            return make_plan(pairs, catalogue=catalogue(), created_at=NOW)

    plan = filter_by_target(anyio.run(make), targets)
    api.calls.clear()
    return read_plan(render_plan(plan))


def apply_saved(api: Emulated, plan: Plan, *, base_url: str | None = None) -> ApplyReport:
    async def applied() -> ApplyReport:
        async with client(api.url) as channels:
            apis = {"acme": channels}
            where = base_url or api.url
            source = FromSavedPlan(saved=plan, organization="acme")
            live = await source.read(apis, NOTHING_REMEMBERED, base_url=where, catalogue=catalogue(), run=ApplyRun())
            assert short_listings(plan, live.listings) == ()
            return await carry_out(plan, desired_manifests(plan), apis, live.listings)

    return anyio.run(applied)


def test_a_saved_plan_is_applied_as_it_was_reviewed_and_converges() -> None:
    with emulated(SUPPORT, LEGACY) as api:
        plan = saved(api)
        assert apply_saved(api, plan).outcome == "converged"
        methods = api.taken_calls()
        assert (methods[0], methods[-2:]) == ("GET", ["DELETE", "GET"])
        assert sorted(methods[1:-2]) == ["PATCH", "PATCH", "POST"]
        support, new = api.store.channels("acme")
        assert support["prechatFields"] == [{"id": "f-1", "label": "Email", "required": True}]
        assert (new["name"], new["theme"], new["enabled"]) == ("New", "dark", True)


def test_a_plan_that_is_stale_writes_nothing_and_tells_every_reason() -> None:
    with emulated(SUPPORT, LEGACY) as api:
        plan = saved(api)
        api.store.seed("acme", [{**SUPPORT, "theme": "auto"}, {"name": "New", "id": "c-7"}])
        with pytest.raises(StalePlanError) as raised:
            apply_saved(api, plan)
        assert raised.value.exit_code == 4
        assert len(raised.value.problems) >= 2
        assert api.taken_calls() == ["GET"]


def test_the_second_of_two_applies_of_one_plan_is_stale() -> None:
    with emulated(SUPPORT, LEGACY) as api:
        plan = saved(api)
        apply_saved(api, plan)
        api.calls.clear()
        with pytest.raises(StalePlanError) as raised:
            apply_saved(api, plan)
        assert api.taken_calls() == ["GET"]
        assert 'theme: "dark" → "light"' in str(raised.value)
        assert len(api.store.channels("acme")) == 2


def test_a_plan_for_another_server_reads_nothing_there() -> None:
    with emulated(SUPPORT) as api:
        plan = saved(api)
        with pytest.raises(StalePlanError, match="was made for"):
            apply_saved(api, plan, base_url="https://staging.example")
        assert api.taken_calls() == []


def test_an_organization_that_cannot_be_read_is_not_called_stale() -> None:
    with emulated(SUPPORT) as api:
        plan = saved(api)

    with pytest.raises(ApiError):
        apply_saved(api, plan)


def test_a_partial_plan_touches_its_targets_only() -> None:
    with emulated(SUPPORT, LEGACY) as api:
        plan = saved(api, targets=["Sup*"])
        assert apply_saved(api, plan).outcome == "converged"
        assert api.taken_calls() == ["GET", "PATCH", "GET"]
        assert {channel["name"] for channel in api.store.channels("acme")} == {"Support", "Legacy"}
