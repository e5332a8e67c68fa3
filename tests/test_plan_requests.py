"""What is sent of a change, beyond what the plan shows."""

from __future__ import annotations

import pytest

from planning import catalogue, changes_for, declare, live
from webchat_sync.domain.catalogue import Shape
from webchat_sync.model import Json
from webchat_sync.plan.requests import update_operation, with_server_keys

CREATED = "2026-11-02T12:00:00.000Z"


@pytest.mark.parametrize(("declared", "sent"), [({}, True), ({"enabled": False}, None), ({"enabled": True}, True)])
def test_a_leftover_is_switched_on_unless_it_is_declared_off(declared: dict[str, Json], sent: bool | None) -> None:
    left = live(enabled=False, prechatFields=None, createdAt=CREATED, updatedAt=CREATED)
    (change,) = changes_for([declare(prechatFields=[{"label": "Email"}], **declared)], [left])
    (operation,) = change.operations
    assert operation.body.get("enabled") is sent


def test_what_the_server_owns_inside_an_item_of_an_item_is_sent_back() -> None:
    people: list[Json] = [{"id": "p-1", "name": "Ana"}, {"id": "p-2", "name": "Leo"}]
    before = live(departments=[{"id": "d-1", "name": "Sales", "people": people}, {"id": "d-2", "name": "Support"}])
    declared = declare(
        departments=[{"name": "Support"}, {"name": "Sales", "people": [{"name": "Leo"}, {"name": "Eva"}]}]
    )
    (change,) = changes_for([declared], [before])
    assert change.operations[0].body["departments"] == [
        {"id": "d-2", "name": "Support"},
        {"id": "d-1", "name": "Sales", "people": [{"id": "p-2", "name": "Leo"}, {"name": "Eva"}]},
    ]


CASELESS = Shape(properties={"name": Shape(compare="caseless")})
OWNED = Shape(list_type="map", list_keys=("key",), server_keys=frozenset({"revision"}))


@pytest.mark.parametrize(
    ("shape", "is_live", "declared", "sent"),
    [
        # A member of a set is the same or it is new: none takes the id of one that goes.
        (
            Shape(list_type="set"),
            [{"id": "1", "name": "A"}, {"id": "2", "name": "B"}],
            [{"name": "B"}, {"name": "C"}],
            [{"id": "2", "name": "B"}, {"name": "C"}],
        ),
        (
            Shape(list_type="set", items=CASELESS),
            [{"id": "1", "name": "A"}, {"id": "2", "name": "B"}],
            [{"name": "b"}],
            [{"id": "2", "name": "b"}],
        ),
        (
            Shape(list_type="set"),
            [{"id": "1", "name": "A", "createdAt": "2026"}],
            [{"id": "2", "name": "A"}],
            [{"id": "2", "name": "A"}],
        ),
        # What the catalogue says of a place inside holds there.
        (
            Shape(properties={"labels": OWNED}),
            {"labels": [{"key": "a", "text": "A", "revision": 4}]},
            {"labels": [{"key": "a", "text": "B"}]},
            {"labels": [{"key": "a", "text": "B", "revision": 4}]},
        ),
    ],
)
def test_what_is_sent_of_a_value_keeps_what_the_server_gave_the_same_items(
    shape: Shape, is_live: Json, declared: Json, sent: Json
) -> None:
    assert with_server_keys(shape, is_live, declared) == sent


def test_a_field_is_sent_by_what_the_manifest_says_of_it() -> None:
    compared = {"listType": "map", "listKeys": ["key"], "serverKeys": ["revision"]}
    known = catalogue().extended({"labels": {"type": "array", "x-webchat-sync": compared}})
    before = live(labels=[{"key": "a", "text": "A", "revision": 4}])
    patch = update_operation(declare(labels=[{"key": "a", "text": "B"}]), before, ["labels"], "acme", known)
    assert (patch.channel_id, patch.organization) == ("c-1", "acme")
    assert patch.body == {"labels": [{"key": "a", "text": "B", "revision": 4}]}
