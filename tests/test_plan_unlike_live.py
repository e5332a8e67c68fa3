"""What a plan says of keys and types that nothing live has, in fields of which nobody published what is inside."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning import NOW, catalogue, dangers, declare, live, refusals
from sizes import examples
from webchat_sync.model import Json, Listing, LiveChannel, Manifest
from webchat_sync.plan.make import make_plan
from webchat_sync.plan.shapes import MOST_KEYS
from webchat_sync.plan.unlike_live import LiveShapes

PRICES: Json = {"id": "t1", "message": "Hi", "urlPattern": "/prices", "rules": {"seconds": 5, "pages": ["/a"]}}
PLANS: Json = {"id": "t2", "message": "Ho", "urlPattern": "/plans", "rules": {"seconds": 9}}
DOCS: Json = {"id": "t3", "message": "Hm", "urlPattern": "/docs", "delay": None}
LIVE = (
    live("Sales", "c-2", proactiveTriggers=[PRICES, PLANS], operatingHours={"timezone": "Asia/Tokyo", "days": {}}),
    live("Shop", "c-3", proactiveTriggers=[DOCS], offlineAction="MESSAGE_ALLOW", departments=[{"name": "A"}]),
    live("Blog", "c-4", proactiveTriggers=None, operatingHours={"days": {"tue": ["09:00-10:00"]}}),
)


def warnings(
    fields: dict[str, Json], channels: tuple[LiveChannel, ...] = LIVE, *, learn: bool = True
) -> list[tuple[str, str]]:
    """What the plan of one channel with these fields warns of, by code."""
    manifest = Manifest("acme", (declare(**fields),), learn=learn)
    plan = make_plan([(manifest, Listing("https://api.example", channels))], catalogue=catalogue(), created_at=NOW)
    assert (dangers(plan), refusals(plan)) == ((), ())
    impacts = plan.organizations[0].active_changes[0].impact
    return [(told.code, told.text) for told in impacts if told.code.endswith("-not-live")]


@pytest.mark.parametrize(
    ("field", "declared", "said"),
    [
        (
            "proactiveTriggers",
            [{"message": "x", "urlPatern": "/"}, {"message": "y", "urlPatern": "/"}],
            ["key-not-live", '"urlPatern" is in none of the 3 live triggers; did you mean "urlPattern"?'],
        ),
        (
            "proactiveTriggers",
            [{"rules": {"second": 5}}],
            ["key-not-live", '"second" is in none of the 2 live proactiveTriggers[].rules; did you mean "seconds"?'],
        ),
        (
            "proactiveTriggers",
            [{"rules": {"seconds": "5"}}],
            ["type-not-live", '"proactiveTriggers[].rules.seconds" is text, but a number in both live values'],
        ),
        (
            "proactiveTriggers",
            [{"rules": {"pages": [{"is": "/a"}]}}],
            ["type-not-live", '"proactiveTriggers[].rules.pages[]" is a mapping, but text in the only live value'],
        ),
        (
            "departments",
            [{"Name": "B"}],
            ["key-not-live", '"Name" isn\'t in the only live value of departments[]; did you mean "name"?'],
        ),
        (
            "operatingHours",
            {"time-zone": "Europe/Madrid"},
            ["key-not-live", '"time-zone" is in none of the 2 live operatingHours; did you mean "timezone"?'],
        ),
        (
            "offlineAction",
            {"type": "MESSAGE_ALLOW"},
            ["type-not-live", '"offlineAction" is a mapping, but text in the only live value'],
        ),
    ],
)
def test_a_key_or_a_type_that_nothing_live_has_is_told(field: str, declared: Json, said: list[str]) -> None:
    assert warnings({field: declared}) == [tuple(said)]


@pytest.mark.parametrize(
    ("values", "phrase"),
    [
        (["a"], "text in the only live value"),
        (["a", None], "text in the only live value"),
        (["a", 5], "text or a number in both live values"),
        ([None, "a", [1], 5, None], "text, a list or a number in all 3 live values"),
    ],
)
def test_a_warning_names_all_live_types_but_null(values: list[Json], phrase: str) -> None:
    channels = tuple(live(str(index), f"c-{index}", stickers=value) for index, value in enumerate(values))
    assert warnings({"stickers": {}}, channels) == [("type-not-live", f'"stickers" is a mapping, but {phrase}')]


def test_values_under_keys_that_are_data_are_compared_with_those_of_all_keys() -> None:
    by_id: dict[str, Json] = {f"id-{index}": {"sound": "ping"} for index in range(MOST_KEYS + 1)}
    channels = (live("Sales", "c-2", stickers=by_id),)
    assert warnings({"stickers": {"new": {"sound": "pong"}}}, channels) == []
    assert warnings({"stickers": {"new": {"sound": 5}}}, channels) == [
        ("type-not-live", f'"stickers.new.sound" is a number, but text in all {MOST_KEYS + 1} live values')
    ]


def test_a_documented_field_is_not_compared_with_what_is_live() -> None:
    assert warnings({"bubbleOffsetX": 12}, (live("Sales", "c-2", bubbleOffsetX="12"),)) == []


def test_a_warning_belongs_to_its_field() -> None:
    shapes = LiveShapes(LIVE, catalogue())
    (warning,) = shapes.warnings({"theme": "dark", "departments": [{"Name": "B"}]})
    assert (warning.level, warning.code, warning.field) == ("warning", "key-not-live", "departments")


@pytest.mark.parametrize(
    ("field", "declared"),
    [
        ("proactiveTriggers", [{"message": "x", "urlPattern": "/"}]),
        ("proactiveTriggers", [{"colour": "red"}]),  # nothing is like it
        ("proactiveTriggers", [{"urlPattern": "/", "urlPatterns": ["/"]}]),  # whoever writes both means both
        ("proactiveTriggers", [{"delay": 5}]),  # null tells nothing of a type
        ("proactiveTriggers", [{"message": None}]),
        ("proactiveTriggers", []),
        ("proactiveTriggers", None),
        ("operatingHours", {"days": {"thu": ["09:00-10:00"]}}),  # a day is not another one
        ("prechatFields", [{"lable": "Email"}]),  # no live channel has any
        ("theme", "dark"),
    ],
)
def test_what_may_well_be_meant_is_not_told(field: str, declared: Json) -> None:
    assert warnings({field: declared}) == []


def test_a_key_that_a_live_item_has_is_not_told_however_it_is_spelt() -> None:
    misspelt = live("Old", "c-9", proactiveTriggers=[{"urlPatern": "/"}])
    assert warnings({"proactiveTriggers": [{"urlPatern": "/x"}]}, (*LIVE, misspelt)) == []


def test_it_can_be_switched_off() -> None:
    assert warnings({"proactiveTriggers": [{"urlPatern": "/"}]}, learn=False) == []


def test_a_field_of_tomorrow_is_compared_too_and_keys_that_its_entry_names_are_known() -> None:
    channels = (live("Sales", "c-2", stickers=[{"sound": "ping"}]),)
    assert warnings({"stickers": [{"sounds": "ping"}]}, channels) == [
        ("key-not-live", '"sounds" isn\'t in the only live value of stickers[]; did you mean "sound"?')
    ]
    entry: dict[str, Json] = {"type": "array", "items": {"type": "object", "properties": {"sounds": {}}}}
    manifest = Manifest("acme", (declare(stickers=[{"sounds": "ping"}]),), field_entries={"stickers": entry})
    plan = make_plan([(manifest, Listing("https://api.example", channels))], catalogue=catalogue(), created_at=NOW)
    assert [told.code for told in plan.organizations[0].active_changes[0].impact] == ["created"]


def test_keys_that_an_entry_names_inside_items_are_known() -> None:
    inner: Json = {"type": "object", "properties": {"volumes": {}}}
    items: Json = {"type": "object", "properties": {"sounds": {}, "sound": inner}}
    channels = (live("Sales", "c-2", stickers=[{"sound": {"volume": 1}}]),)
    cases: tuple[Json, ...] = ([{"sounds": 1}], [{"sound": {"volumes": 1}}])
    for declared in cases:
        codes = []
        for entry in ({"type": ["object", "array"]}, {"type": ["object", "array"], "items": items}):
            known = catalogue().extended({"stickers": entry})
            codes.append([warning.code for warning in LiveShapes(channels, known).warnings({"stickers": declared})])
        assert codes == [["key-not-live"], []]


def test_an_update_is_told_of_what_it_sends_and_of_nothing_else() -> None:
    channel = replace(LIVE[0], name="Support", fields={**LIVE[0].fields, "name": "Support"})
    assert warnings({"proactiveTriggers": [PRICES, PLANS], "theme": "dark"}, (channel, *LIVE[1:])) == []
    (told,) = warnings({"proactiveTriggers": [PRICES, {"urlpattern": "/"}]}, (channel, *LIVE[1:]))
    assert told == ("key-not-live", '"urlpattern" is in none of the 3 live triggers; did you mean "urlPattern"?')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcde", max_size=4), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None, max_examples=examples(50, thorough=500))
@given(st.lists(JSON, min_size=1, max_size=4), JSON)
def test_whatever_is_live_is_never_told_and_nothing_makes_it_fail(values: list[Json], other: Json) -> None:
    channels = tuple(live(str(index), f"c-{index}", stickers=value) for index, value in enumerate(values))
    for value in values:
        assert warnings({"stickers": value}, channels) == []
    assert {code for code, _ in warnings({"stickers": other}, channels)} <= {"key-not-live", "type-not-live"}
