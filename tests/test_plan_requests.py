"""What is sent of a change, beyond what the plan shows."""

from __future__ import annotations

import pytest

from planning import changes_for, declare, live
from webchat_sync.model import Json

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
