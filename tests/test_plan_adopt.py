from __future__ import annotations

from dataclasses import replace

import pytest

from planning import catalogue, declare, live
from webchat_sync.model import Json, Manifest
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
        # Nothing says which of two like items is meant: what is live is taken as it is.
        (
            "departments",
            [{"id": "2", "name": "A"}, {"label": "A"}, {"id": "2", "name": "A", "x": None}],
            [{"id": "1"}, {"name": "A", "label": "A"}, {"id": "1", "name": "A", "label": "A"}],
            [{"id": "2", "name": "A"}, {"label": "A"}, {"id": "2", "name": "A", "x": None}],
        ),
    ],
)  # fmt: skip
def test_what_is_taken_means_what_is_live_in_the_words_of_the_declaration(
    field: str, is_live: Json, declared: Json, expected: Json
) -> None:
    assert adopted_value(catalogue().shape(field), is_live, declared) == expected


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
