from __future__ import annotations

import json
from dataclasses import replace

import pytest

from planning import catalogue, declare, live
from webchat_sync.domain.catalogue import Shape
from webchat_sync.errors import InputError
from webchat_sync.model import Declaration, Json, LiveChannel, Manifest
from webchat_sync.plan.sync_from_live import adopted_value, adoptions


@pytest.mark.parametrize(
    ("field", "is_live", "declared", "expected"),
    [
        ("color", "#FFF", "#fff", "#fff"),
        ("color", "#FFF", "#000", "#FFF"),
        ("allowedDomains", ["B", "c"], ["a", "b"], ["b", "c"]),
        ("allowedDomains", [], None, []),
        ("operatingHours", {"a": 1.0, "n": None, "c": 3}, {"b": 2, "a": 1, "x": None}, {"a": 1, "x": None, "c": 3}),
        ("operatingHours", {"a": None}, {"a": 1}, {"a": None}),
        ("operatingHours", {"a": [{"b": 1}, 2]}, {"a": [{"b": 1.0}, 3]}, {"a": [{"b": 1.0}, 2]}),
        ("departments", [{"id": "1", "name": "A"}], [{"name": "A"}, {"name": "B"}], [{"name": "A"}]),
        ("departments", [{"id": "2", "x": 1}, {"id": "1", "name": "A"}], [{"name": "A"}], [{"x": 1}, {"name": "A"}]),
        ("departments", [{"id": "2", "name": "A"}], [{"id": "1", "name": "A"}], [{"id": "2", "name": "A"}]),
        ("departments", [{"id": "1"}, 5], None, [{}, 5]),
        ("departments", None, [{"name": "A"}], None),
        ("operatingHours", {"a": 1}, None, {"a": 1}),
        ("operatingHours", {"a": 1}, "always", {"a": 1}),
        ("operatingHours", "always", {"a": 1}, "always"),
        ("operatingHours", [1], {"a": 1}, [1]),
        ("operatingHours", {"a": {"id": "1", "b": 2}}, {"a": {"b": 1}}, {"a": {"b": 2}}),
        ("operatingHours", {"a": [1, 2]}, {"a": [1.0]}, {"a": [1, 2]}),
        ("departments", [{"id": "1", "name": "A", "x": None}], [], [{"name": "A", "x": None}]),
        # Nothing says which of two like items is meant; the id is written where one was declared.
        (
            "departments",
            [{"id": "2", "name": "A"}, {"label": "A"}, {"id": "2", "name": "A", "x": None}],
            [{"id": "1"}, {"name": "A", "label": "A"}, {"id": "1", "name": "A", "label": "A"}],
            [{"name": "A"}, {"label": "A"}, {"id": "2", "name": "A"}],
        ),
    ],
)  # fmt: skip
def test_what_is_taken_means_what_is_live_in_the_words_of_the_declaration(
    field: str, is_live: Json, declared: Json, expected: Json
) -> None:
    # As JSON: in Python, 1 equals 1.0 and True.
    assert json.dumps(adopted_value(catalogue().shape(field), is_live, declared)) == json.dumps(expected)


def test_the_words_of_the_declaration_are_kept_at_any_depth() -> None:
    described = Shape(properties={"tags": Shape(list_type="set", items=Shape(compare="caseless"))})
    listed = Shape(list_type="map", list_keys=("name",), items=described)
    live_value: Json = {"name": "A", "tags": ["B", "C"]}
    declared: Json = {"name": "A", "tags": ["a", "b"]}
    expected: Json = {"name": "A", "tags": ["b", "C"]}
    assert adopted_value(described, live_value, declared) == expected
    assert adopted_value(listed, [live_value], [declared]) == [expected]


def test_an_adopted_field_keeps_the_words_of_its_declaration() -> None:
    manifest = Manifest("acme", (declare(allowedDomains=["a.example", "b.example"]),))
    channels = [live(allowedDomains=["B.example", "c.example"])]
    ((adoption,), _) = adoptions(manifest, channels, catalogue=catalogue())
    assert adoption.fields == {"allowedDomains": ["b.example", "c.example"]}


def test_nothing_is_adopted_if_it_is_unclear_which_channel_is_meant() -> None:
    with pytest.raises(InputError) as error:
        adoptions(Manifest("acme", (declare(),)), [live(), live("Support", "c-2")], catalogue=catalogue())
    assert ["2 live channels have the name" in problem.message for problem in error.value.problems] == [True]


HELP = declare("Help")


@pytest.mark.parametrize(
    ("other", "channels", "taken"),
    [
        (HELP, [], False),
        (replace(HELP, absent=True), [], False),
        (replace(HELP, absent=True), [live("Help", "c-2")], False),
        # These get the id of their channel, so that two of one name can be told apart.
        (HELP, [live("Help", "c-2")], True),
        (replace(HELP, id="c-2"), [live("Help", "c-2")], True),
    ],
    ids=["not live", "absent", "to delete", "live", "pinned"],
)
def test_a_live_name_is_taken_unless_another_declaration_would_claim_it(
    other: Declaration, channels: list[LiveChannel], taken: bool
) -> None:
    pinned = replace(declare("Support"), id="c-1")
    found, _ = adoptions(Manifest("acme", (pinned, other)), [live("Help", "c-1"), *channels], catalogue=catalogue())
    left = {} if taken else {"name": 'its live name "Help" belongs to another declaration'}
    assert (found[0].fields, found[0].left) == ({"name": "Help"} if taken else {}, left)


def test_only_declared_fields_of_channels_that_are_live_are_taken() -> None:
    declarations = [
        replace(
            declare("A", theme="dark", color="#000", botEnabled=True, offlineMessage=None), ignore=frozenset(["color"])
        ),
        replace(declare("B", theme="dark"), renamed_from="Former"),
        replace(declare("C", theme="dark"), absent=True),
        declare("D", theme="dark"),
        replace(declare("E"), id="c-5"),
    ]
    channels = [
        live("A", "c-1", theme="auto", color="#fff", enabled=False),
        live("Former", "c-2", theme="dark"),
        live("C", "c-3", theme="auto"),
        live("D ", "c-6", theme="dark"),
        live("C", "c-5"),
        live("Other", "c-4"),
    ]
    found, undeclared = adoptions(Manifest("acme", tuple(declarations)), channels, catalogue=catalogue())
    assert [(each.live.id, dict(each.fields), each.pin) for each in found] == [
        ("c-1", {"theme": "auto"}, True),
        ("c-2", {"name": "Former"}, True),
        ("c-6", {}, True),
        ("c-5", {}, False),
    ]
    assert found[0].left == {"botEnabled": "the server doesn't return it"}
    assert found[3].left == {"name": 'its live name "C" belongs to another declaration'}
    assert [channel.name for channel in undeclared] == ["Other"]
