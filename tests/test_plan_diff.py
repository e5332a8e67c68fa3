from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from planning import catalogue
from webchat_sync.domain.canonical import canonical
from webchat_sync.domain.catalogue import Shape
from webchat_sync.model import FieldChange, Json, Key
from webchat_sync.plan.diff import differences, equal, identical, same_items
from webchat_sync.plan.requests import with_server_keys

HOURS: dict[str, Json] = {"timezone": "America/Bogota", "days": {"mon": ["09:00-13:00", "14:00-18:00"]}}


def found(field: str, live: Json, declared: Json) -> list[tuple[str, str, Any, Any]]:
    changes = differences((Key(field),), catalogue().shape(field), live, declared)
    return [(each.path, each.action, each.before, each.after) for each in changes]


@pytest.mark.parametrize(
    ("field", "live", "declared"),
    [
        ("name", "Support", " Support\n"),
        ("color", "#0F766E", "#0f766e"),
        ("welcomeMessage", "Hola", "Hola\n"),
        ("allowedDomains", ["b.example", "A.example"], ["a.example", "b.example "]),
        ("bubbleOffsetX", 12, 12.0),
        ("operatingHours", {**HOURS, "note": None}, dict(reversed(HOURS.items()))),
        ("operatingHours", {"days": {}}, {"days": {"sun": None}}),
        ("prechatFields", [{"id": "f1", "label": "Email", "type": "email"}], [{"type": "email", "label": "Email"}]),
        ("departments", None, None),
        # The server gave two items one id, and only the second is declared with it.
        (
            "departments",
            [{"id": "1", "name": "A"}, {"id": "1", "name": "A"}],
            [{"name": "A"}, {"id": "1", "name": "A"}],
        ),
    ],
)
def test_what_means_the_same_is_no_difference(field: str, live: Json, declared: Json) -> None:
    assert found(field, live, declared) == []
    assert canonical_without_ids(field, live) == canonical_without_ids(field, declared)


def canonical_without_ids(field: str, value: Json) -> str:
    if isinstance(value, list):
        value = [{k: v for k, v in item.items() if k != "id"} if isinstance(item, dict) else item for item in value]
    return canonical(catalogue().shape(field), value)


@pytest.mark.parametrize(
    ("field", "live", "declared", "expected"),
    [
        ("enabled", True, False, [("enabled", "change", True, False)]),
        ("bubbleOffsetX", 1, True, [("bubbleOffsetX", "change", 1, True)]),
        ("offlineMessage", "Closed", None, [("offlineMessage", "remove", "Closed", None)]),
        ("offlineMessage", None, "Closed", [("offlineMessage", "add", None, "Closed")]),
        ("welcomeMessage", "Hola", "hola", [("welcomeMessage", "change", "Hola", "hola")]),
        (
            "allowedDomains",
            ["a.example", "b.example"],
            ["b.example", "c.example"],
            [
                ('allowedDomains["c.example"]', "add", None, "c.example"),
                ('allowedDomains["a.example"]', "remove", "a.example", None),
            ],
        ),
        (
            "operatingHours",
            HOURS,
            {"timezone": "America/Lima", "days": {"mon": ["09:00-13:00"], "sat": ["10:00-12:00"]}},
            [
                ("operatingHours.timezone", "change", "America/Bogota", "America/Lima"),
                ("operatingHours.days.mon[1]", "remove", "14:00-18:00", None),
                ("operatingHours.days.sat", "add", None, ["10:00-12:00"]),
            ],
        ),
        (
            "operatingHours",
            {"days": {"mon": ["09:00-13:00"]}, "public holidays": 1},
            {"days": {}, "public holidays": 2},
            [
                ("operatingHours.days.mon", "remove", ["09:00-13:00"], None),
                ('operatingHours["public holidays"]', "change", 1, 2),
            ],
        ),
        (
            "offlineAction",
            {"steps": [{"a": 1}, 1, "x"]},
            {"steps": [{"a": 2}, True, "x"]},
            [
                ("offlineAction.steps[0].a", "change", 1, 2),
                ("offlineAction.steps[1]", "change", 1, True),
            ],
        ),
        ("offlineAction", {"steps": [1]}, {"steps": [None]}, [("offlineAction.steps[0]", "change", 1, None)]),
        ("offlineAction", {"steps": [None]}, {"steps": [1]}, [("offlineAction.steps[0]", "change", None, 1)]),
    ],
)
def test_each_difference_has_its_path(
    field: str, live: Json, declared: Json, expected: list[tuple[str, str, Any, Any]]
) -> None:
    assert found(field, live, declared) == expected


def test_items_of_a_keyed_list_are_compared_by_their_key() -> None:
    live: Json = [
        {"id": "1", "label": "Name", "required": True},
        {"id": "2", "label": "Email", "required": False},
        {"id": "3", "label": "Phone"},
    ]
    declared: Json = [
        {"label": "Name", "required": True},
        {"label": "Company"},
        {"label": "Email", "required": True},
    ]
    assert found("prechatFields", live, declared) == [
        ('prechatFields["Company"]', "add", None, {"label": "Company"}),
        ('prechatFields["Email"].required', "change", False, True),
        ('prechatFields["Phone"]', "remove", {"id": "3", "label": "Phone"}, None),
    ]


def test_keys_that_the_server_owns_are_only_compared_if_they_are_declared() -> None:
    shape = Shape(list_type="map", list_keys=("name",), server_keys=frozenset({"version"}))
    live: Json = [{"name": "A", "version": 3}, {"name": "B", "version": 4}]
    declared: Json = [{"name": "A"}, {"name": "B", "version": 5}]
    changes = list(differences((Key("tags"),), shape, live, declared))
    assert [(change.path, change.before, change.after) for change in changes] == [('tags["B"].version', 4, 5)]


def test_a_reorder_of_a_keyed_list_is_a_difference_of_its_own() -> None:
    live: Json = [{"id": "1", "label": "Name"}, {"id": "2", "label": "Email"}]
    declared: Json = [{"label": "Email"}, {"label": "Name"}]
    assert found("prechatFields", live, declared) == [
        ("prechatFields (order)", "change", ["Name", "Email"], ["Email", "Name"])
    ]


def test_items_that_share_a_key_are_named_by_their_index() -> None:
    live: Json = [{"id": "1", "label": "Name", "type": "text"}, {"id": "2", "label": "Name", "type": "text"}]
    declared: Json = [{"label": "Name", "type": "text"}, {"label": "Name", "type": "area"}]
    assert found("prechatFields", live, declared) == [("prechatFields[1].type", "change", "text", "area")]


def test_items_without_a_key_keep_the_ids_of_their_place() -> None:
    shape = catalogue().shape("proactiveTriggers")
    live: Json = [{"id": "t1", "message": "Hi"}, {"id": "t2", "message": "Need help?"}]
    declared: Json = [{"message": "Need help?"}, {"message": "Hello"}]
    assert with_server_keys(shape, live, declared) == [
        {"id": "t2", "message": "Need help?"},
        {"id": "t1", "message": "Hello"},
    ]


def test_a_declared_id_wins_over_a_name() -> None:
    live: Json = [{"id": "1", "name": "Sales"}, {"id": "2", "name": "Support"}]
    declared: Json = [{"id": "2", "name": "Sales"}, {"id": "1", "name": "Support"}]
    assert found("departments", live, declared) == [
        ('departments["Sales"].name', "change", "Support", "Sales"),
        ('departments["Support"].name', "change", "Sales", "Support"),
        ("departments (order)", "change", ["Sales", "Support"], ["Support", "Sales"]),
    ]


def test_of_several_items_with_one_id_the_one_that_is_equal_is_meant() -> None:
    """What a PATCH carries is then equal to what was declared, whatever ids the server gave twice."""
    shape = catalogue().shape("proactiveTriggers")
    live: Json = [{"id": "2", "name": "Sales"}, {"id": "3", "name": "Support"}, {"id": "3"}]
    declared: Json = [{}, {"name": "Sales", "rest": 1}, {"id": "3", "rest": 2}]
    sent = with_server_keys(shape, live, declared)
    assert sent == [{"id": "3"}, {"id": "2", "name": "Sales", "rest": 1}, {"id": "3", "rest": 2}]
    assert found("proactiveTriggers", sent, declared) == []


def test_members_of_a_set_with_other_ids_are_others() -> None:
    live: Json = [{"id": "1", "name": "A"}]
    declared: Json = [{"id": "2", "name": "A"}]
    changes = list(differences((Key("tags"),), Shape(list_type="set"), live, declared))
    assert [(change.action, change.before, change.after) for change in changes] == [
        ("add", None, {"id": "2", "name": "A"}),
        ("remove", {"id": "1", "name": "A"}, None),
    ]
    assert equal(Shape(list_type="set"), live, [{"name": "A"}])


def test_shapes_inside_a_field_are_followed() -> None:
    tags = Shape(list_type="set")
    shape = Shape(properties={"tags": tags}, items=None)
    assert equal(shape, {"tags": ["a", "b"]}, {"tags": ["b", "a"]})
    assert not equal(Shape(), {"tags": ["a", "b"]}, {"tags": ["b", "a"]})


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | st.text("aAé ", max_size=3)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "x y", "a"]), inner),
    max_leaves=8,
)
shapes = st.sampled_from(
    [
        Shape(),
        Shape(list_type="set", items=Shape(compare="caseless")),
        Shape(list_type="map", list_keys=("id", "name"), server_keys=frozenset({"id"})),
    ]
)


@given(shapes, values, values)
@example(Shape(), {"id": 1, "a": [{"id": 2}]}, {"a": [{}]})
@example(Shape(), {"id": 1}, {"id": 2})
@example(Shape(), [{"id": 1}], [{}])
def test_values_differ_exactly_when_a_difference_is_shown(shape: Shape, live: Json, declared: Json) -> None:
    changes = list(differences((Key("field"),), shape, live, declared))
    assert equal(shape, live, live)
    assert equal(shape, live, declared) == (changes == [])
    assert all(isinstance(change, FieldChange) and change.path.startswith("field") for change in changes)
    if shape.list_type == "atomic":
        sent = with_server_keys(shape, live, declared)
        assert (changes == []) == (canonical(shape, live) == canonical(shape, sent))
    # What a server adds is no difference, though it is one between the texts.
    if shape.list_type != "map" and "id" not in canonical(shape, live):
        assert (changes == []) == (canonical(shape, live) == canonical(shape, declared))


@given(shapes, values, values)
@example(Shape(list_type="set"), [{"id": 1}, {"id": 2, "name": "B"}], [{"id": 1}, {"name": "B"}])
@example(Shape(list_type="set"), [{"id": 1}], [{}])
def test_the_fast_paths_see_no_equality_of_their_own(shape: Shape, live: Json, declared: Json) -> None:
    for before in (live, with_ids(live), with_ids(declared)):
        if identical(before, declared) or same_items(shape, before, declared):
            assert equal(shape, before, declared)


def with_ids(value: Json) -> Json:
    return (
        [{"id": "x", **item} if isinstance(item, dict) else item for item in value]
        if isinstance(value, list)
        else value
    )


@given(shapes, values, values)
def test_what_a_patch_carries_is_equal_to_what_was_declared(shape: Shape, live: Json, declared: Json) -> None:
    sent = with_server_keys(shape, live, declared)
    assert equal(shape, sent, declared)
