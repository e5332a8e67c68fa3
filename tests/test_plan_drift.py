from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning import NOW, catalogue, declare, live, plan_for
from sizes import examples
from webchat_sync.errors import Place
from webchat_sync.model import (
    ActiveChange,
    Declaration,
    Impact,
    Json,
    Listing,
    LiveChannel,
    MakeSecret,
    Manifest,
    PatchChannel,
    Plan,
    SecretRemarks,
    Update,
)
from webchat_sync.plan.drift import Cause, Drift, Group, Revision, attribute, without_unmatched
from webchat_sync.plan.make import make_plan
from webchat_sync.render.drift import render_drift
from webchat_sync.render.drift_json import render_drift as render_json
from webchat_sync.render.drift_markdown import render_drift as render_markdown
from webchat_sync.render.markdown import LONGEST

HOURS: dict[str, Json] = {"timezone": "Europe/Madrid", "days": {"mon": ["09:00-12:00"]}}


def causes(
    now: Sequence[Declaration], then: Sequence[Declaration], channels: Sequence[LiveChannel], *, prune: bool = False
) -> dict[str, list[str]]:
    """By cause, the paths that differ; a channel that is created or deleted is told by its action and name."""
    groups = attribute(plan_for(now, channels, prune=prune), plan_for(then, channels, prune=prune))
    return {
        group.cause: [
            each for part in group.plan.organizations for change in part.active_changes for each in paths(change)
        ]
        for group in groups
    }


def paths(change: ActiveChange) -> list[str]:
    if change.action != "update":
        return [f"{change.action} {change.address}"]
    return [each.path for each in change.fields]


def one(name: str, now: Json, then: Json, is_live: Json) -> dict[str, list[str]]:
    return causes([declare(**{name: now})], [declare(**{name: then})], [live(**{name: is_live})])


@pytest.mark.parametrize(
    ("name", "now", "then", "is_live", "expected"),
    [
        ("color", "#111111", "#111111", "#333333", {"live_changed": ["color"]}),
        ("color", "#111111", "#222222", "#222222", {"git_changed": ["color"]}),
        ("color", "#111111", "#222222", "#333333", {"both_changed": ["color"]}),
        ("color", "#111111", "#222222", "#111111", {}),
        ("enabled", True, False, False, {"git_changed": ["enabled"]}),
        # Of a set each item is told by itself.
        (
            "allowedDomains",
            ["a.example", "new.example"],
            ["a.example"],
            ["a.example", "stray.example"],
            {"git_changed": ['allowedDomains["new.example"]'], "live_changed": ['allowedDomains["stray.example"]']},
        ),
        (
            "prechatFields",
            [{"label": "Email", "type": "email", "required": True}],
            [{"label": "Email", "type": "email", "required": False}],
            [{"label": "Email", "type": "text", "required": False}],
            {"live_changed": ['prechatFields["Email"].type'], "git_changed": ['prechatFields["Email"].required']},
        ),
        # The order of keys means nothing, but a removed item isn't one that becomes null.
        ("offlineAction", {"x": 1, "y": 2}, {"y": 2, "x": 1}, None, {"live_changed": ["offlineAction"]}),
        ("offlineAction", {"a": [1]}, {"a": [1, None]}, {"a": [1, 2]}, {"both_changed": ["offlineAction.a[1]"]}),
        # What Git declared as a whole and live changed inside: both.
        ("operatingHours", HOURS, None, {**HOURS, "timezone": "UTC"}, {"both_changed": ["operatingHours.timezone"]}),
        # Hours are one week, so they have one cause.
        (
            "operatingHours",
            {"timezone": "Europe/Madrid", "days": {"mon": ["09:00-12:00"], "tue": ["09:00-12:00"]}},
            {"timezone": "Europe/Madrid", "days": {"mon": ["09:00-12:00"]}},
            {"timezone": "UTC", "days": {"mon": ["09:00-12:00"]}},
            {"both_changed": ["operatingHours.timezone", "operatingHours.days.tue"]},
        ),
    ],
)
def test_a_field_is_told_by_what_moved(
    name: str, now: Json, then: Json, is_live: Json, expected: dict[str, list[str]]
) -> None:
    assert one(name, now, then, is_live) == expected


def test_other_fields_have_their_own_causes_beside_hours_that_both_sides_changed() -> None:
    week: dict[str, Json] = {**HOURS, "days": {"mon": ["09:00-12:00"], "tue": ["09:00-12:00"]}}
    now = declare(operatingHours=week, color="#111111", theme="dark")
    then = declare(operatingHours=HOURS, color="#222222", theme="dark")
    channel = live(operatingHours={**HOURS, "timezone": "UTC"}, color="#222222", theme="light")
    assert causes([now], [then], [channel]) == {
        "live_changed": ["theme"],
        "git_changed": ["color"],
        "both_changed": ["operatingHours.timezone", "operatingHours.days.tue"],
    }


ABSENT = replace(declare(), absent=True)


@pytest.mark.parametrize(
    ("now", "then", "channels", "prune", "expected"),
    [
        ([declare()], [declare()], [], False, {"live_changed": ["create Support"]}),
        ([declare()], [], [], False, {"git_changed": ["create Support"]}),
        ([declare()], [ABSENT], [], False, {"git_changed": ["create Support"]}),
        ([declare(theme="dark")], [declare(theme="light")], [], False, {"both_changed": ["create Support"]}),
        ([ABSENT], [ABSENT], [live()], False, {"live_changed": ["delete Support"]}),
        ([ABSENT], [declare()], [live()], False, {"git_changed": ["delete Support"]}),
        ([ABSENT], [declare(color="#111111")], [live(color="#2")], False, {"both_changed": ["delete Support"]}),
        ([], [], [live()], True, {"live_changed": ["delete Support"]}),
        ([], [declare()], [live()], True, {"git_changed": ["delete Support"]}),
        ([declare(color="#111111")], [], [live(color="#2")], False, {"git_changed": ["color"]}),
        ([declare(color="#111111")], [ABSENT], [live(color="#2")], False, {"both_changed": ["color"]}),
        ([declare()], [declare()], [live(color="#2")], False, {}),
    ],
)
def test_a_channel_is_told_by_what_moved(
    now: list[Declaration],
    then: list[Declaration],
    channels: list[LiveChannel],
    prune: bool,
    expected: dict[str, list[str]],
) -> None:
    assert causes(now, then, channels, prune=prune) == expected


def test_a_rename_is_told_with_the_name_and_not_with_other_fields() -> None:
    now = replace(declare("Help", color="#111111"), renamed_from="Support")
    then = declare("Support", color="#111111")
    groups = attribute(plan_for([now], [live(color="#2")]), plan_for([then], [live(color="#2")]))
    renamed = {each.cause: each.plan.organizations[0].active_changes[0].renamed_from for each in groups}
    assert renamed == {"live_changed": None, "git_changed": "Support"}


@pytest.mark.parametrize(
    ("former", "cause"), [("2026-Q4", "live_changed"), ("2026-Q3", "both_changed"), (None, "git_changed")]
)
def test_a_secret_that_is_due_is_told_with_what_belongs_to_it(former: str | None, cause: Cause) -> None:
    def plan(rotation: str | None) -> Plan:
        made = plan_for([declare(color="#111111")], [live(color="#2")])
        making = MakeSecret(organization="acme", channel_id="c-1", replaces=True, reason="asked for", rotation=rotation)
        (change,) = made.organizations[0].changes
        assert isinstance(change, Update)
        impact = (Impact("warning", "secret-rotated", "x"), Impact("info", "color", "y", "color"))
        operations = (making, *change.operations) if rotation else change.operations
        change = replace(change, operations=operations, remarks=SecretRemarks("note"), impact=impact)
        return replace(made, organizations=(replace(made.organizations[0], changes=(change,)),))

    groups = attribute(plan("2026-Q4"), plan(former))
    assert {group.cause for group in groups} == {cause, "live_changed"}
    for group in groups:
        (change,) = group.plan.organizations[0].active_changes
        assert [type(operation) for operation in change.operations] == [
            *([MakeSecret] if group.cause == cause else []),
            PatchChannel,
        ]
        assert (change.secret is not None) == (group.cause == cause)
        assert bool(change.remarks.note) == (group.cause == cause)
        assert [each.code for each in change.impact] == [
            *(["secret-rotated"] if group.cause == cause else []),
            *(["color"] if group.cause == "live_changed" else []),
        ]


def test_without_a_base_it_is_told_what_differs_and_no_more() -> None:
    plan = plan_for([declare(color="#111111")], [live(color="#2")])
    (group,) = attribute(plan, None)
    assert (group.cause, group.plan.organizations[0].changes) == ("differs", plan.organizations[0].changes)


def test_what_an_organisation_that_the_base_lacks_differs_in_is_a_change_in_git() -> None:
    plan = plan_for([declare(color="#111111")], [live(color="#2")])
    (group,) = attribute(plan, plan_for([], [], organization="other"))
    assert (group.cause, group.plan.organizations[0].changes) == ("git_changed", plan.organizations[0].changes)


def test_a_group_has_no_undeclared_channels() -> None:
    plan = plan_for([declare(color="#111111")], [live(color="#2"), live("Other", "c-9")])
    assert [channel.id for channel in plan.organizations[0].undeclared] == ["c-9"]
    for base in (None, plan):
        assert [group.plan.organizations[0].undeclared for group in attribute(plan, base)] == [()]


VALUES = st.sampled_from(["#111111", "#222222", "#333333"])
FIELDS = st.fixed_dictionaries({}, optional={"color": VALUES, "welcomeMessage": VALUES, "theme": VALUES})


@settings(max_examples=examples(30, thorough=300), deadline=None)
@given(FIELDS, FIELDS, st.fixed_dictionaries({"color": VALUES, "welcomeMessage": VALUES, "theme": VALUES}))
def test_each_difference_is_told_once(now: dict[str, Any], then: dict[str, Any], is_live: dict[str, Any]) -> None:
    plan, base = (plan_for([declare(**fields)], [live(**is_live)]) for fields in (now, then))
    groups = attribute(plan, base)
    told = [each for group in groups for change in group.plan.organizations[0].active_changes for each in change.fields]
    wanted = [each for change in plan.organizations[0].active_changes for each in change.fields]
    assert sorted(each.path for each in told) == sorted(each.path for each in wanted)
    for group in groups:
        for change in group.plan.organizations[0].active_changes:
            for field in change.fields:
                same, as_it_was = (now[field.path] == then.get(field.path), then.get(field.path) == field.before)
                expected = "live_changed" if same else "git_changed" if as_it_was or field.path not in then else ""
                assert group.cause == (expected or "both_changed")


def test_what_was_pinned_to_a_channel_that_is_gone_has_no_part_in_what_was() -> None:
    gone = replace(declare("Gone"), id="c-9", place=Place("old.yaml", 9, 5))
    sides = [(Manifest("acme", (gone, declare())), Listing("https://api.example", (live(),)))]
    (side,) = without_unmatched(sides)
    assert side[0].declarations == (declare(),)
    assert make_plan([side], catalogue=catalogue(), created_at=NOW).organizations[0].listed == 1


def drift(*groups: Group, plan: Plan, base: bool = True) -> Drift:
    return Drift(plan, groups, Revision("HEAD", "a" * 40), Revision("v1", "b" * 40) if base else None)


def test_as_text_each_group_has_its_heading_and_the_end_counts() -> None:
    now, then = declare(color="#111111", theme="dark"), declare(color="#111111", theme="light")
    channels = [live(color="#2", theme="light")]
    plan = plan_for([now], channels)
    text = render_drift(drift(*attribute(plan, plan_for([then], channels)), plan=plan))
    assert "Live changed since v1 (bbbbbbbbbb), Git didn't. Apply would change:\n" in text
    assert "Git changed since v1 (bbbbbbbbbb), live didn't. Apply would change:\n" in text
    last = "Drift: 1 channel differs from HEAD (aaaaaaaaaa). Live changed in 1. Git changed in 1."
    assert text.splitlines()[-1] == last


def test_as_text_a_partial_drift_says_so() -> None:
    plan = replace(plan_for([], []), partial=("Sup*",))
    lines = render_drift(drift(plan=plan, base=False)).splitlines()
    assert lines == [
        'Only channels matching "Sup*" were considered.',
        "No drift. The live channels that were considered match HEAD (aaaaaaaaaa).",
    ]


def test_as_markdown_a_long_drift_fits_and_each_group_has_its_share() -> None:
    declared = [declare(f"Channel {number}", color="#111111", theme="dark") for number in range(400)]
    channels = [live(f"Channel {number}", f"c-{number}", color="#2", theme="light") for number in range(400)]
    before = [replace(each, fields={**each.fields, "theme": "light"}) for each in declared]
    plan = plan_for(declared, channels)
    text = render_markdown(drift(*attribute(plan, plan_for(before, channels)), plan=plan))
    assert len(text) <= LONGEST
    first, second = text.split("#### Git changed since")
    assert first.count("| `") > 200
    assert second.count("| `") > 200
    assert second.count("<details") > 0
    assert "left out to stay within 65,536 characters.** The text and JSON formats list all of them." in text
    assert "saved plan" not in text


def test_as_markdown_a_revision_is_no_markup() -> None:
    plan = plan_for([declare(color="#111111")], [live(color="#2")])
    found = replace(drift(*attribute(plan, None), plan=plan, base=False), declared=Revision("a`@b<i>#1", "a" * 40))
    first, _, second, *_ = render_markdown(found).splitlines()
    assert first == "### Drift: 1 channel differs from ``a`@b<i>#1`` (aaaaaaaaaa)."
    assert second == "#### Live differs from ``a`@b<i>#1`` (aaaaaaaaaa)"


def test_as_json_files_in_no_repository_have_no_revision() -> None:
    document = json.loads(render_json(Drift(plan_for([], []), ())))
    assert (document["declared"], document["base"], document["drifted"], document["groups"]) == (None, None, False, [])
