"""What an adopt takes over: the part of the plan that would undo it, and the same told from declared to live."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from planning import declare, live, plan_for
from sizes import examples
from test_plan_replay import replayed_map, texted
from test_plan_secret import HAS_NOT, planned, wants
from webchat_sync.model import NO_REMARKS, UNKNOWN, Json, PatchChannel, Plan, Update, sent_fields
from webchat_sync.plan.undo import Moved, inverted, undoing


def update_of(plan: Plan) -> Update:
    (change,) = plan.organizations[0].changes
    assert isinstance(change, Update)
    return change


def moved(*fields: str, channel_id: str = "c-1", organization: str = "acme") -> Moved:
    return Moved(organization, "Support", channel_id, fields, pinned=False)


def test_what_moved_is_undone_and_nothing_else() -> None:
    plan = plan_for(
        [declare("Support", color="#000", theme="dark"), declare("Sales", color="#000"), declare("New")],
        [live("Support", "c-1", color="#fff", theme="auto"), live("Sales", "c-2", color="#fff"), live("Old", "c-3")],
        prune=True,
    )
    other = plan_for([declare("Support", color="#000")], [live("Support", "c-1", color="#fff")], organization="other")
    both = replace(plan, organizations=(*plan.organizations, *other.organizations))
    undo = undoing(both, [moved("color"), moved("theme", channel_id="c-2"), moved("name", channel_id="c-3")])
    assert [organization.organization for organization in undo.organizations] == ["acme", "other"]
    assert [
        (organization.organization, change.address, [field.path for field in change.fields])
        for organization in undo.organizations
        for change in organization.active_changes
    ] == [("acme", "Support", ["color"])]


def test_a_secret_is_no_part_of_what_is_undone() -> None:
    plan = planned([wants(declare(color="#000", identityRequired=True))], [live(color="#fff", **HAS_NOT)])
    assert update_of(plan).secret is not None
    change = update_of(undoing(plan, [moved("color", "identityRequired")]))
    assert [field.path for field in change.fields] == ["color", "identityRequired"]
    assert change.secret is None
    assert change.remarks == NO_REMARKS
    assert [operation.method for operation in update_of(inverted(plan)).operations] == ["PATCH"]


def test_told_the_other_way_round_it_goes_from_what_is_declared_to_what_is_live() -> None:
    declared = declare("Support", color="#000", theme="dark", welcomeMessage=None, botEnabled=True)
    is_live = live("Help", color="#fff", welcomeMessage="Hi", position="left")
    plan = plan_for([replace(declared, id="c-1")], [is_live, live("Support", "c-2")])
    assert "another live channel" in update_of(plan).note
    change = update_of(inverted(plan))
    assert [(field.path, field.action, field.before, field.after) for field in change.fields] == [
        ("name", "change", "Support", "Help"),
        ("color", "change", "#000", "#fff"),
        ("theme", "change", "dark", None),
        ("welcomeMessage", "add", None, "Hi"),
        ("botEnabled", "change", True, None),
    ]
    assert change.operations == (
        PatchChannel("acme", "c-1", {"name": "Help", "color": "#fff", "welcomeMessage": "Hi"}),
    )
    assert dict(change.reviewed) == {"name": "Support", "color": "#000", "welcomeMessage": None, "theme": "dark"} | {
        "botEnabled": True
    }
    # What an undo would mean to visitors is said elsewhere.
    assert (change.impact, change.renamed_from, change.note) == ((), None, "")
    assert (change.address, change.channel_id) == ("Support", "c-1")


def test_what_is_added_live_is_added_the_other_way_round_and_what_is_not_known_is_nothing() -> None:
    plan = plan_for([declare(color="#000", theme="dark")], [live(color=None)])
    assert [(field.action, field.before) for field in update_of(plan).fields] == [("add", None), ("change", UNKNOWN)]
    assert [(field.action, field.before, field.after) for field in update_of(inverted(plan)).fields] == [
        ("remove", "#000", None),
        ("change", "dark", None),
    ]


def test_what_is_not_an_update_is_not_told_the_other_way_round() -> None:
    plan = plan_for([declare("New"), declare("Support", color="#000")], [live(color="#fff"), live("Old", "c-3")])
    assert [change.address for change in inverted(plan).organizations[0].changes] == ["Support"]
    assert inverted(plan).created_at == plan.created_at


maps = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab", max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=examples(60, thorough=1000), deadline=None)
@given(maps, maps)
def test_what_is_told_the_other_way_round_leads_from_the_declared_value_to_the_live_one(
    before: Json, after: Json
) -> None:
    plan = plan_for([declare(offlineAction=after)], [live(offlineAction=before)])
    for change in plan.organizations[0].active_changes:
        back = update_of(inverted(plan))
        declared = cast("dict[str, Json]", {"offlineAction": after})
        assert texted(replayed_map(declared, back.fields)) == texted({"offlineAction": before})
        assert texted(sent_fields(back)) == texted({"offlineAction": before})
        assert texted(dict(back.reviewed)) == texted(
            {**dict(change.reviewed if isinstance(change, Update) else {}), **declared}
        )
