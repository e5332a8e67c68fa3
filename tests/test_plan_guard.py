from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from planning import declare, live, plan_for, refusals
from webchat_sync.model import Declaration, Json, Listing, LiveChannel, Plan
from webchat_sync.plan.filter_by_target import filter_by_target
from webchat_sync.plan.guard import NO_OPTIONS, GuardOptions, MaxDeletes, short_listings
from webchat_sync.planfile.reader import read_plan
from webchat_sync.planfile.writer import render_plan


def reasons(plan: Plan, options: GuardOptions = NO_OPTIONS) -> list[str]:
    found = refusals(plan, options)
    assert all(problem.hint for problem in found)
    assert refusals(read_plan(render_plan(plan)), options) == found
    return [problem.message for problem in found]


def channels(count: int) -> list[LiveChannel]:
    return [live(f"C{number}", f"c-{number}", enabled=True) for number in range(count)]


def deleting(count: int, listed: int, **more: Any) -> Plan:
    gone = [replace(declare(f"C{number}"), absent=True) for number in range(count)]
    return plan_for([*gone, declare(f"C{listed - 1}")] if count < listed else gone, channels(listed), **more)


@pytest.mark.parametrize(
    ("deletes", "listed", "limit", "refused"),
    [
        (1, 1, None, False),
        (2, 4, None, True),
        (2, 9, None, True),
        (2, 10, None, False),
        (3, 14, None, True),
        (3, 15, None, False),
        (1, 10, MaxDeletes(0), True),
        (5, 10, MaxDeletes(5), False),
        (6, 10, MaxDeletes(5), True),
        (5, 10, MaxDeletes(50, percent=True), False),
        (5, 9, MaxDeletes(50, percent=True), True),
        (3, 3, MaxDeletes(100, percent=True), False),
    ],
)
def test_deletes_stop_at_the_limit(deletes: int, listed: int, limit: MaxDeletes | None, refused: bool) -> None:
    found = refusals(deleting(deletes, listed), GuardOptions(max_deletes=limit))
    assert bool(found) is refused
    if refused:
        assert f"{deletes} of {listed} live channels would be deleted" in found[0].message
        assert f"--max-deletes {deletes}" in found[0].hint


def test_the_limit_counts_for_each_organization_alone() -> None:
    one, other = deleting(1, 3), deleting(1, 3, organization="other")
    assert reasons(replace(one, organizations=(*one.organizations, *other.organizations))) == []


@pytest.mark.parametrize(
    ("declaration", "harm"),
    [
        (replace(declare(enabled=False), protect=True), "switched off"),
        (replace(declare(), protect=True, absent=True), "deleted"),
        (replace(declare(enabled=False)), None),
        (replace(declare(color="#000"), protect=True), None),
        (replace(declare(enabled=True), protect=True), None),
        (replace(declare(botEnabled=False, offlineAction={"enabled": False}), protect=True), None),
    ],
)
def test_a_protected_channel_is_neither_deleted_nor_switched_off(declaration: Declaration, harm: str | None) -> None:
    values: dict[str, Json] = {"color": "#fff", "botEnabled": True, "offlineAction": {"enabled": True}}
    plan = plan_for([declaration], [live(enabled=True, **values)])
    assert reasons(plan) == ([f'channel "Support" is protected and would be {harm}'] if harm else [])
    assert reasons(plan, GuardOptions(allow_protected=True)) == []


def test_a_protected_channel_may_be_created_switched_off() -> None:
    assert reasons(plan_for([replace(declare(enabled=False), protect=True)], [])) == []


@pytest.mark.parametrize("declarations", [[], [replace(declare("C0"), absent=True)]])
def test_a_manifest_without_channels_deletes_nothing_under_prune(declarations: Sequence[Declaration]) -> None:
    emptied = plan_for(declarations, channels(1), prune=True)
    assert reasons(emptied) == [
        'the manifest of organisation "acme" declares no channels to keep, and settings.prune is on'
    ]
    assert reasons(emptied, GuardOptions(allow_empty=True)) == []
    assert reasons(plan_for([], [], prune=True)) == []
    assert reasons(plan_for([], channels(1))) == []


def test_a_target_does_not_make_a_manifest_look_empty() -> None:
    plan = plan_for([declare("C1")], channels(2), prune=True)
    assert reasons(filter_by_target(plan, ["C0"])) == []


def test_every_reason_is_listed_at_once() -> None:
    protected = replace(declare("C0"), protect=True, absent=True)
    found = reasons(plan_for([protected], channels(3), prune=True))
    assert len(found) == 3


@pytest.mark.parametrize(("deletes", "now", "refused"), [(0, 4, True), (0, 5, False), (2, 3, False), (2, 2, True)])
def test_a_listing_that_is_shorter_than_the_deletes_explain_is_refused(deletes: int, now: int, refused: bool) -> None:
    live_now = {"acme": Listing("https://api.example", tuple(channels(now)))}
    found = short_listings(deleting(deletes, 5), live_now)
    assert bool(found) is refused
    if refused:
        assert f"had 5 live channels when the plan was made, and now has {now}" in found[0].message
        assert "--allow-short-listing" in found[0].hint
    assert short_listings(deleting(deletes, 5), live_now, GuardOptions(allow_short_listing=True)) == ()
