"""Replaying what a plan shows on what is live gives what the plan sends, by an applier that knows the steps only."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, groupby
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plan_formats import IN_FULL, IN_SHORT
from planning import catalogue, changes_for, declare, live, plan_for
from sizes import examples
from webchat_sync.domain.canonical import canonical
from webchat_sync.domain.catalogue import PLAIN, Shape
from webchat_sync.domain.hours import DAYS
from webchat_sync.model import FieldChange, Item, Json, Key, Order, Plan, Position, Steps, Update
from webchat_sync.plan.diff import differences, equal
from webchat_sync.plan.requests import with_server_keys
from webchat_sync.render.formats import FORMATS
from webchat_sync.render.text import render_plan as render_text
from webchat_sync.render.values import inline
from webchat_sync.render.walk import Words, walk

FIELD = (Key("field"),)


def replayed(value: Any, changes: Sequence[FieldChange]) -> Any:
    """``value`` with the changes, whose steps start at it, carried out."""
    for here in [change for change in changes if not change.steps]:
        value = here.after
    inside = [change for change in changes if change.steps]
    if not inside:
        return value
    if isinstance(inside[0].steps[0], Key):
        return replayed_map(value, inside)
    return replayed_list(value, inside)


def replayed_map(value: dict[str, Any], changes: Sequence[FieldChange]) -> dict[str, Any]:
    members = dict(value)
    for key, group in groupby(changes, key=lambda change: change.steps[0]):
        assert isinstance(key, Key)
        members[key.name] = replayed(members.get(key.name), below(group))
    return members


def replayed_list(value: list[Any], changes: Sequence[FieldChange]) -> list[Any]:
    removed = [change for change in changes if len(change.steps) == 1 and change.action == "remove"]
    added = [change for change in changes if len(change.steps) == 1 and change.action == "add"]
    if any(is_member(change) for change in changes):
        gone = [texted(change.before) for change in removed]
        return [item for item in value if texted(item) not in gone] + [change.after for change in added]
    for change in removed:
        assert texted(value[place(change)]) == texted(change.before)
    gone_places = {place(change) for change in removed}
    stays = [index for index in range(len(value)) if index not in gone_places]
    for change in changes:
        if isinstance(change.steps[0], Order):
            # What is before it names the items that stay, in the order in which they are live.
            assert isinstance(change.before, list)
            assert isinstance(change.after, list)
            names = dict(zip(map(texted, change.before), stays, strict=True))
            assert len(names) == len(stays), "two items have one name"
            stays = [names[texted(name)] for name in change.after]
    items = [value[index] for index in stays]
    for change in sorted(added, key=place):
        items.insert(place(change), change.after)
    inner = [change for change in changes if change not in removed and change not in added]
    places = [change for change in inner if not isinstance(change.steps[0], Order)]
    for index, group in groupby(places, key=place):
        items[index] = replayed(items[index], below(group))
    return items


def is_member(change: FieldChange) -> bool:
    step = change.steps[0]
    return isinstance(step, Item) and step.by is None


def place(change: FieldChange) -> int:
    step = change.steps[0]
    position = step.position if isinstance(step, Item) else step.index if isinstance(step, Position) else None
    assert position is not None
    return position


def below(changes: Any) -> list[FieldChange]:
    return [replace(change, steps=change.steps[1:]) for change in changes]


def texted(value: Any) -> str:
    """The value as JSON, without nulls under keys and with 1.0 as 1."""

    def plain(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {key: plain(member) for key, member in inner.items() if member is not None}
        if isinstance(inner, list):
            return [plain(item) for item in inner]
        return int(inner) if isinstance(inner, float) and inner.is_integer() else inner

    return json.dumps(plain(value), sort_keys=True)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.5, 1.0, 2**53, 2**53 + 1, 2.0**53, 10**40, -0.0])
    | st.text("aAß\u0130 ", max_size=2)
)
keys = st.sampled_from(["id", "name", "label", "x y", "a", "__a", "__class__", "_", "", "options", "0", "required"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
items = st.dictionaries(
    st.sampled_from(["id", "name", "label", "options", "required"]),
    st.sampled_from([1, 1.0, True, "1", "A", "B", None]) | st.lists(values, max_size=2),
    max_size=4,
)
lists = st.lists(items | scalars, max_size=5)
shapes = st.sampled_from([PLAIN, *(field.shape for field in catalogue().declarable.values())]) | st.sampled_from(
    [
        Shape(list_type="map", list_keys=("id", "name"), server_keys=frozenset({"id"})),
        Shape(list_type="map", list_keys=("key",)),
        Shape(list_type="set", items=PLAIN),
        Shape(properties={"options": Shape(list_type="set"), "a": Shape(list_type="map", list_keys=("label",))}),
    ]
)


@settings(max_examples=examples(300, thorough=6000), deadline=None)
@given(shapes, values | lists, values | lists)
@example(PLAIN, {"steps": [1, "a"]}, {"steps": [True, "b"]})
@example(catalogue().shape("allowedDomains"), ["A", "a"], [])
@example(PLAIN, {"__a": 1}, {"__a": 2, "__b": 1})
@example(Shape(list_type="map", list_keys=("key",)), [{"id": "1", "name": 1}, {}], [{}, {}])
@example(Shape(list_type="set", items=PLAIN), [{"id": []}], [{}])
@example(Shape(list_type="set", items=PLAIN), [{"id": 1}], [{}])
@example(Shape(list_type="set", items=PLAIN), [{"id": 1, "name": 1}], [{"id": None, "name": 1}])
@example(PLAIN, [{"id": []}, {"id": False}], [{}])
@example(catalogue().shape("departments"), [{"id": 1}, {"id": 1, "name": "A"}], [{"id": 1, "name": "A"}, {}])
@example(PLAIN, [{"id": 1, "label": "A", "options": [{"id": 2, "label": "x"}]}], [{"label": "A", "options": [{}]}])
def test_the_shown_changes_make_what_is_sent_of_what_is_live(shape: Shape, live: Json, declared: Json) -> None:
    changes = list(differences(FIELD, shape, live, declared))
    sent = with_server_keys(shape, live, declared)
    assert equal(shape, sent, declared)
    made = replayed(live, below(changes))
    assert equal(shape, made, sent)
    assert equal(shape, sent, made)
    assert equal(shape, live, declared) == (not changes)
    if shape is PLAIN:
        assert texted(made) == texted(sent)


@settings(max_examples=examples(150, thorough=3000), deadline=None)
@given(lists, lists)
def test_items_of_a_described_list_too(live: Json, declared: Json) -> None:
    shape = catalogue().shape("prechatFields")
    made = replayed(live, below(list(differences(FIELD, shape, live, declared))))
    assert texted(made) == texted(with_server_keys(shape, live, declared))


def with_ids(value: Any, counter: Iterator[int]) -> Any:
    """As a server stores it that gives an id to every item of every list, and to every other mapping, and moments."""
    if isinstance(value, dict):
        inner = {key: with_ids(member, counter) for key, member in value.items()}
        return {**inner, "id": next(counter), "createdAt": f"2026-11-{next(counter)}", "updatedAt": next(counter)}
    return [with_ids(item, counter) for item in value] if isinstance(value, list) else value


bare = st.recursive(
    st.sampled_from(["A", "B", 1, True]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abk"), inner, max_size=2),
    max_leaves=8,
)


def has_equal_members(shape: Shape, value: Json) -> bool:
    """Whether a set in ``value``, at any depth, has a member twice."""
    if isinstance(value, dict):
        return any(has_equal_members(shape.properties.get(key, PLAIN), member) for key, member in value.items())
    if not isinstance(value, list):
        return False
    items = shape.items or PLAIN
    is_set_with_twins = shape.list_type == "set" and len({canonical(items, item) for item in value}) < len(value)
    return is_set_with_twins or any(has_equal_members(items, item) for item in value)


NESTED_SET = Shape(items=Shape(properties={"a": Shape(list_type="set")}))


@settings(max_examples=examples(200, thorough=4000), deadline=None)
@given(shapes | st.sampled_from([NESTED_SET]), bare)
@example(NESTED_SET, [{"a": [{}, {}]}])
@example(Shape(list_type="set"), [{"a": 1}, {"a": 2}])
@example(Shape(list_type="map", list_keys=("key",)), [{"key": "x", "a": [{"b": 1}]}])
@example(PLAIN, {"a": [[{"b": [{"a": 1}]}]]})
def test_ids_that_a_server_adds_at_any_depth_are_neither_a_difference_nor_lost(shape: Shape, declared: Json) -> None:
    stored = with_ids(declared, count(100))
    assert list(differences(FIELD, shape, stored, declared)) == []
    sent = with_server_keys(shape, stored, declared)
    if shape.list_type == "set" and isinstance(sent, list) and isinstance(stored, list):
        # Equal members of a set are one, so one of their ids is enough.
        assert {texted(item) for item in sent} <= {texted(item) for item in stored}
    elif not has_equal_members(shape, declared):
        assert equal(PLAIN, sent, stored)


SHOWN: list[tuple[Json, Json, list[str]]] = [
    ({"steps": [1, "a"]}, {"steps": [True, "b"]}, ["steps[0]", "steps[1]"]),
    ({"__secret__": 1, "__x": 1}, {"__secret__": 2}, ["__secret__", "__x"]),
    ({"list": [{"__a": 1}]}, {"list": [{"__a": 2}]}, ["__a"]),
    ({"n": 9007199254740993}, {"n": 9007199254740992}, ["9007199254740993", "9007199254740992"]),
    ({"list": [None]}, {"list": []}, ["list[0]"]),
    ({"list": [0]}, {"list": [False]}, ["list[0]"]),
]


@pytest.mark.parametrize(("before", "after", "shown"), SHOWN)
@pytest.mark.parametrize("name", IN_FULL)
def test_every_format_of_fields_shows_every_change(before: Json, after: Json, shown: list[str], name: str) -> None:
    plan = plan_for([declare(offlineAction=after)], [live(offlineAction=before)])
    text = html.unescape(FORMATS[name](plan)).replace("\\_", "_")
    for piece in shown:
        assert piece in text, (name, text)


def told(value: Any, name: str) -> str:
    """The value as the format has it, without blanks: it may be wrapped."""
    text = value if name == "html" and isinstance(value, str) else inline(value)
    return "".join(text.split())


def plain(plan: Plan, name: str) -> str:
    """The format's output without its markup, and without lines that are too narrow for a value."""
    if name == "text":
        return render_text(plan, width=100_000)
    text = FORMATS[name](plan)
    return html.unescape(re.sub(r"<[^>]*>", "", text)) if name == "html" else text


@settings(max_examples=examples(60, thorough=1500), deadline=None)
@given(st.data())
def test_every_format_tells_what_replaying_it_takes(data: st.DataObject) -> None:
    sides: list[dict[str, Json]] = [
        {"offlineAction": data.draw(values), "prechatFields": cast("Json", data.draw(lists))} for _ in range(2)
    ]
    before, after = sides
    plan = plan_for([declare(**after)], [live(**before)])
    (change,) = plan.organizations[0].changes
    fields = change.fields if isinstance(change, Update) else ()
    # Others hold JSON to the changes (test_plan_saved.py), and GitHub's format to the text (the next test).
    for name in [each for each in IN_FULL if each not in ("json", "github")]:
        text = plain(plan, name)
        shown = "".join(text.replace("\n+ ", "").replace("\n- ", "").split())
        for field in fields:
            assert "".join(field.path.split()) in shown, name
            if field.action != "add":
                assert told(field.before, name) in shown, (name, field)
            if field.action != "remove":
                assert told(field.after, name) in shown, (name, field)


@settings(max_examples=examples(30, thorough=500), deadline=None)
@given(st.lists(st.tuples(values, values), max_size=4))
def test_the_formats_of_the_hosts_leave_no_change_out(sides: list[tuple[Json, Json]]) -> None:
    declared = [declare(f"C{index}", offlineAction=after) for index, (_, after) in enumerate(sides)]
    listed = [live(f"C{index}", f"c-{index}", offlineAction=before) for index, (before, _) in enumerate(sides[1:], 1)]
    plan = plan_for(declared, listed)
    *changes, last = render_text(plan).splitlines()
    lines = FORMATS["github"](plan).splitlines()
    assert (lines[: len(changes)], lines[-1]) == (changes, last)
    assert all(line.startswith("::") for line in lines[len(changes) : -1])
    # GitLab takes three numbers and nothing else.
    actions = Counter(change.action for change in plan.organizations[0].active_changes)
    assert json.loads(FORMATS["gitlab"](plan)) == {name: actions[name] for name in ("create", "update", "delete")}


def test_every_format_is_held_to_the_changes() -> None:
    unsaid = FORMATS.keys() ^ {*IN_FULL, *IN_SHORT}
    assert not unsaid, "say in tests/helpers/plan_formats.py whether each of these formats shows every change"


WEEK_TEXTS = ["09:00-13:00", "9:00-13:00", "09:00-11:00", "11:00-13:00", "14:00-18:00", "odd"]
days = st.dictionaries(
    st.sampled_from(["mon", "tue", "sun", "holidays"]),
    st.none() | st.lists(st.sampled_from(WEEK_TEXTS), max_size=3),
    max_size=3,
)
weeks = st.none() | st.fixed_dictionaries({"timezone": st.sampled_from(["UTC", "Asia/Tokyo"]), "days": days})


@settings(max_examples=examples(100, thorough=2000), deadline=None)
@given(weeks, weeks)
@example(
    {"timezone": "UTC", "days": {"mon": ["09:00-13:00"], "tue": ["09:00-11:00", "11:00-13:00"]}},
    {"timezone": "UTC", "days": {"mon": ["14:00-18:00"], "tue": ["09:00-13:00"]}},
)
def test_hours_in_words_hide_no_day_that_is_sent_another_way(before: Json, after: Json) -> None:
    plan = plan_for([declare(operatingHours=after)], [live(operatingHours=before)])
    (change,) = plan.organizations[0].changes
    lines = [line for section in walk(plan) for channel in section.channels for line in channel.lines]
    told_days = {day.lower() for line in lines if isinstance(line.after, Words) for day in days_in(line.path)}
    raw = {line.path for line in lines}
    for field in change.fields if isinstance(change, Update) else ():
        match field.steps:
            case (_, Key("days"), Key(day), *_):
                assert day in told_days or field.path in raw
            case _:
                assert lines


def days_in(path: str) -> list[str]:
    """The days that a line in words is about: ``operatingHours Mon–Wed``."""
    first, _, last = path.removeprefix("operatingHours").strip().lower().partition("–")
    return list(DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]) if first in DAYS else []


def test_steps_are_the_place_in_json_and_are_read_again() -> None:
    from webchat_sync.model import path_text, read_steps, steps_document

    steps: Steps = (Key("f"), Item.of("A", "label", 2), Key("x y"), Position(1), Order())
    document = json.loads(json.dumps(steps_document(steps)))
    assert read_steps(document) == steps
    assert path_text(steps) == 'f["A"]["x y"][1] (order)'
    assert changes_for([declare(offlineAction={"a": [1]})], [live(offlineAction={"a": [2]})])[0].fields[0].steps == (
        Key("offlineAction"),
        Key("a"),
        Position(0),
    )
