from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from planning import NOW, catalogue, changes_for, declare, live, plan_for
from webchat_sync.domain.catalogue import ANNOTATION, load_catalogue, load_schema
from webchat_sync.model import Declaration, Json, Listing, LiveChannel, Manifest, Unchanged
from webchat_sync.plan.impact import CONDITIONS
from webchat_sync.plan.make import make_plan
from webchat_sync.planfile.reader import read_plan
from webchat_sync.planfile.writer import render_plan

WEEK: dict[str, Json] = {
    "timezone": "America/Bogota",
    "days": {"mon": ["09:00-13:00", "14:00-18:00"], "sat": ["09:00-13:00"]},
}
ALWAYS: Json = {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
SAME_WEEK: Json = {
    "timezone": "America/Bogota",
    "days": {"mon": ["09:00-13:00", "14:00-18:00"], "sat": ["09:00-11:00", "11:00-13:00"]},
}
EMAIL: Json = {"label": "Email", "required": True}
ANY_SITE = ("danger", "any-site", "any site may embed the widget")


def impacts(declaration: Declaration, channel: LiveChannel | None) -> list[tuple[str, str, str]]:
    (change,) = changes_for([declaration], [channel] if channel else [])
    found = () if isinstance(change, Unchanged) else change.impact
    return [(impact.level, impact.code, impact.text) for impact in found]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"enabled": True}, {"enabled": False}, ("danger", "switched-off", '"a.example", "b.example"')),
        ({"enabled": False}, {"enabled": True}, ("info", "switched-on", '"a.example", "b.example"')),
        (
            {"allowedDomains": ["a.example", "b.example"]},
            {"allowedDomains": ["A.example"]},
            ("danger", "domain-removed", 'no longer loads on "b.example"'),
        ),
        (
            {"allowedDomains": ["a.example"]},
            {"allowedDomains": ["a.example", "c.example"]},
            ("info", "domain-added", 'may load on "c.example"'),
        ),
        ({"allowedDomains": ["a.example"]}, {"allowedDomains": []}, ANY_SITE),
        (
            {"allowedDomains": []},
            {"allowedDomains": ["a.example"]},
            ("warning", "sites-limited", 'only loads on "a.example"'),
        ),
        ({"identityRequired": False}, {"identityRequired": True}, ("danger", "identity-required", "are refused on")),
        ({"identityRequired": True}, {"identityRequired": False}, ("info", "identity-optional", "no longer")),
        (
            {"prechatFields": None},
            {"prechatFields": [EMAIL, {"label": "Name"}]},
            ("warning", "required-question", ': "Email"'),
        ),
        (
            {"prechatFields": [{"label": "Name"}]},
            {"prechatFields": [{"label": "Name", "required": True}, EMAIL]},
            ("warning", "required-question", ': "Name", "Email"'),
        ),
        (
            {"prechatFields": [{"label": "Name"}, {"label": "Name"}]},
            {"prechatFields": [{"label": "Name"}, {"label": "Name", "required": True}]},
            ("warning", "required-question", "before they can chat: 1"),
        ),
        (
            {"requireEmailUpfront": False},
            {"requireEmailUpfront": True},
            ("warning", "email-required", "e-mail address"),
        ),
        (
            {"color": "#000"},
            {"color": "#FDE047"},
            ("warning", "low-contrast", 'white on "#FDE047" is hard to read: the contrast is 1.31:1'),
        ),
        ({"color": "#000"}, {"color": "#fff"}, ("warning", "low-contrast", "the contrast is 1.00:1")),
        (
            {"operatingHours": WEEK},
            {"operatingHours": {**WEEK, "days": {"mon": ["09:00-13:00"]}}},
            ("warning", "fewer-hours", "-8 h a week; Mon: 09:00–13:00, 14:00–18:00 -> 09:00–13:00; Sat: "),
        ),
        (
            {"operatingHours": WEEK},
            {"operatingHours": {**WEEK, "days": {"mon": ["10:00-24:00"], "sat": ["09:00-13:00"]}}},
            (
                "warning",
                "fewer-hours",
                "closes at times when it used to be open: +6 h a week; Mon: 09:00–13:00, 14:00–18:00 -> ",
            ),
        ),
        (
            {"operatingHours": WEEK},
            {"operatingHours": {**WEEK, "timezone": "Europe/Madrid"}},
            ("warning", "fewer-hours", "6 h earlier; no longer open for 9 h of the 12 h a week"),
        ),
        (
            {"operatingHours": {**WEEK, "timezone": "Europe/Madrid"}},
            {"operatingHours": {**WEEK, "timezone": "Africa/Lagos"}},
            (
                "warning",
                "fewer-hours",
                "the same time on 02 Nov 2026; from 28 Mar 2027 on, no longer open for 3 h of the 12 h a week",
            ),
        ),
        (
            {"operatingHours": {**WEEK, "timezone": "Europe/Madrid"}},
            {"operatingHours": {**WEEK, "timezone": "Europe/Paris"}},
            ("info", "hours-changed", "the same time on 02 Nov 2026"),
        ),
        (
            {"operatingHours": WEEK},
            {"operatingHours": {"timezone": "Europe/Madrid", "days": ALWAYS}},
            ("info", "hours-changed", "+156 h a week"),
        ),
        (
            {"operatingHours": WEEK},
            {"operatingHours": {**WEEK, "timezone": "Moon/Base"}},
            ("info", "hours-changed", "Moon/Base"),
        ),
        ({"operatingHours": WEEK}, {"operatingHours": None}, ("info", "hours-changed", "hours change: no longer set")),
        (
            {"operatingHours": WEEK},
            {"operatingHours": SAME_WEEK},
            ("info", "hours-changed", "the opening hours change: same hours, written differently"),
        ),
        (
            {"operatingHours": WEEK},
            {"operatingHours": {"always": True}},
            ("info", "hours-changed", "written in a way"),
        ),
        ({"operatingHours": None}, {"operatingHours": WEEK}, ("info", "hours-changed", "set to 12 h a week")),
    ],
)
def test_a_change_says_what_it_means_to_visitors(
    before: dict[str, Json], after: dict[str, Json], expected: tuple[str, str, str]
) -> None:
    known: dict[str, Json] = {"allowedDomains": ["a.example", "b.example"], **before}
    channel = live("Support", "c-1", **known)
    ((level, code, text),) = impacts(declare("Support", **after), channel)
    assert (level, code) == expected[:2]
    assert expected[2] in text
    others: dict[str, Json] = {"theme": "dark", "launcherPosition": "left"}
    assert impacts(declare("Support", **others, **after), channel) == [(level, code, text)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"color": "#fff"}, {"color": "#0f766e"}),
        ({"color": "#fff"}, {"color": "var(--accent)"}),
        ({"enabled": True}, {"enabled": True}),
        ({"theme": "dark"}, {"theme": "light"}),
        ({"prechatFields": [EMAIL]}, {"prechatFields": [{"label": "Email", "required": False}]}),
        ({"prechatFields": [EMAIL]}, {"prechatFields": [EMAIL, {"label": "Name"}]}),
    ],
)
def test_what_means_nothing_to_visitors_says_nothing(before: dict[str, Json], after: dict[str, Json]) -> None:
    assert impacts(declare("Support", **after), live("Support", "c-1", **before)) == []


def test_a_value_that_is_not_known_is_taken_for_the_worse() -> None:
    assert [code for _, code, _ in impacts(declare(identityRequired=True), live())] == ["identity-required"]
    assert [code for _, code, _ in impacts(declare(prechatFields=[EMAIL]), live())] == ["required-question"]
    assert [code for _, code, _ in impacts(declare(allowedDomains=["a.example"]), live())] == []


def test_a_deleted_channel_names_the_sites_that_lose_it() -> None:
    gone = replace(declare(), absent=True)
    assert impacts(gone, live("Support", "c-1", allowedDomains=["a.example"])) == [
        ("danger", "deleted", 'the channel is deleted: its snippet stops working on "a.example"')
    ]
    assert impacts(gone, live()) == [
        ("danger", "deleted", "the channel is deleted: its snippet stops working on every site that embeds the widget")
    ]


def test_a_new_channel_takes_nothing_away() -> None:
    new = declare(enabled=False, identityRequired=True, prechatFields=[EMAIL], operatingHours=WEEK)
    assert [code for _, code, _ in impacts(new, None)] == ["created"]
    assert [code for _, code, _ in impacts(declare(allowedDomains=[], color="#ff0"), None)] == [
        "any-site", "low-contrast", "created",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "a new channel"),
        ({"enabled": True}, "a new channel"),
        ({"enabled": False}, "a new channel, switched off"),
        ({"allowedDomains": ["a.example"]}, 'a new channel; its widget may load on "a.example"'),
        ({"enabled": False, "allowedDomains": []}, "a new channel, switched off; its widget may load on any site"),
    ],
)
def test_a_new_channel_says_where_it_may_appear(fields: dict[str, Json], text: str) -> None:
    assert impacts(declare(**fields), None)[-1] == ("info", "created", text)


def test_dangers_come_first_and_travel_with_a_saved_plan() -> None:
    before = live("Soporte", "c-1", enabled=True, color="#000")
    plan = plan_for([replace(declare(color="#fff", enabled=False), renamed_from="Soporte")], [before])
    (change,) = plan.organizations[0].active_changes
    assert [each.level for each in change.impact] == ["danger", "warning", "info"]
    assert change.impact[2].text == 'agents and reports see "Support" instead of "Soporte"'
    assert read_plan(render_plan(plan)) == plan


def test_the_meaning_of_a_new_field_is_part_of_its_one_entry() -> None:
    schema = copy.deepcopy(load_schema("channel"))
    rule = {"when": "becomesFalse", "level": "warning", "code": "no-help", "text": "the {help} pages go from {sites}"}
    schema["properties"]["helpEnabled"] = {"type": "boolean", ANNOTATION: {"impact": [rule]}}
    side = (Manifest("acme", (declare(helpEnabled=False),)), Listing("x", (live(helpEnabled=True),)))
    plan = make_plan([side], catalogue=load_catalogue(schema), created_at=NOW)
    (found,) = plan.organizations[0].active_changes[0].impact
    assert (found.level, found.code, found.field) == ("warning", "no-help", "helpEnabled")
    assert found.text == "the {help} pages go from every site that embeds the widget"


def test_the_catalogue_knows_the_conditions_of_the_code() -> None:
    rule = load_schema("channel")["$defs"]["annotation"]["properties"]["impact"]["items"]["properties"]
    assert set(rule["when"]["enum"]) == set(CONDITIONS)
    used = [each.when for field in catalogue().fields.values() for each in field.impact]
    assert set(used) == set(CONDITIONS)
