from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings

from planning import NOW, catalogue, check_plan_document, declare, live, plan_for
from sizes import examples
from test_convergence import Case, cases
from webchat_sync.errors import InputError, StalePlanError
from webchat_sync.model import (
    Change,
    CreateChannel,
    Delete,
    DeleteChannel,
    Listing,
    LiveChannel,
    MakeSecret,
    Manifest,
    Operation,
    PatchChannel,
    Plan,
    RevokeSecret,
    Sink,
    Unchanged,
    Update,
)
from webchat_sync.plan.drift import attribute
from webchat_sync.plan.filter_by_target import filter_by_target
from webchat_sync.plan.make import make_plan
from webchat_sync.planfile.desired import desired_manifests
from webchat_sync.planfile.digest import document_digest
from webchat_sync.planfile.reader import read_plan
from webchat_sync.planfile.version import FORMAT_VERSION
from webchat_sync.planfile.writer import render_plan
from webchat_sync.render import text
from webchat_sync.render.formats import FORMATS

DECLARATIONS = [
    declare("New", color="#fff", theme="dark"),
    replace(declare("Support", theme="light", offlineMessage=None), renamed_from="Soporte", protect=True),
    replace(declare("Legacy"), absent=True),
]
LIVE = [
    live("Soporte", "c-1", theme="dark", offlineMessage="Closed"),
    live("Legacy", "c-2", enabled=True),
    live("Stranger", "c-4"),
]


OPERATIONS: dict[type, tuple[str, Operation]] = {
    CreateChannel: ("create", CreateChannel("acme", {"name": "New"})),
    PatchChannel: ("update", PatchChannel("acme", "c-1", {"theme": None})),
    DeleteChannel: ("delete", DeleteChannel("acme", "c-2")),
    MakeSecret: (
        "update",
        MakeSecret(
            organization="acme",
            channel_id="c-1",
            replaces=True,
            reason="rotation b",
            stops="the one before",
            sinks=(Sink("dotenv", ".env", "KEY", folder="/srv"), Sink("command", argv=("a", "b c"), probe=("d",))),
            rotation="b",
            verify=True,
            known="attempt-1",
        ),
    ),
    RevokeSecret: (
        "update",
        RevokeSecret(organization="acme", channel_id="c-1", reason="absent", stops="the sites", known="attempt-1"),
    ),
}
"""An example of each operation, and the action of the change that has it."""


def without_undeclared_fields(plan: Plan) -> Plan:
    """``plan`` as a file keeps it: of an undeclared channel, the id and the name."""
    return replace(
        plan,
        organizations=tuple(
            replace(
                each,
                undeclared=tuple(
                    LiveChannel(channel.id, channel.name, {"id": channel.id, "name": channel.name})
                    for channel in each.undeclared
                ),
            )
            for each in plan.organizations
        ),
    )


def edited(plan: Plan, edit: Callable[[dict[str, Any]], object], *, sign: bool = False) -> str:
    document = json.loads(render_plan(plan))
    edit(document)
    if sign:
        document["digest"] = document_digest(document)
    return json.dumps(document)


def called(**call: str | None) -> Callable[[dict[str, Any]], None]:
    """An edit of the first call of the first update."""

    def edit(document: dict[str, Any]) -> None:
        changes = document["organizations"][0]["changes"]
        next(each for each in changes if each["action"] == "update")["operations"][0].update(call)

    return edit


@settings(max_examples=examples(30, thorough=300), deadline=None)
@given(case=cases())
def test_a_plan_that_was_saved_and_read_is_the_plan(case: Case) -> None:
    channels = [
        LiveChannel(f"live-{index}", str(each["name"]), {**each, "id": f"live-{index}"})
        for index, each in enumerate(case.channels)
    ]
    manifest = Manifest("acme", tuple(case.declarations), case.prune)
    plan = make_plan(
        [(manifest, Listing("https://api.example", tuple(channels)))], catalogue=catalogue(), created_at=NOW
    )
    saved = render_plan(plan)
    check_plan_document(json.loads(saved))
    again = read_plan(saved)
    assert again == without_undeclared_fields(plan)
    assert render_plan(again) == saved
    assert text.render_plan(again) == text.render_plan(plan)


@pytest.mark.parametrize("kind", get_args(Operation))
def test_every_operation_is_read_as_it_was_written(kind: type) -> None:
    assert kind in OPERATIONS, f"add an example of {kind.__name__} to OPERATIONS in this file"
    action, operation = OPERATIONS[kind]
    plan = plan_for(DECLARATIONS, LIVE)
    (organization,) = plan.organizations
    change = next(change for change in organization.active_changes if change.action == action)
    changes = (replace(change, operations=(operation,)),)
    saved = render_plan(replace(plan, organizations=(replace(organization, changes=changes),)))
    check_plan_document(json.loads(saved))
    (again,) = read_plan(saved).organizations[0].active_changes
    assert again.operations == (operation,)


def test_half_a_surrogate_pair_survives() -> None:
    plan = plan_for([declare(welcomeMessage="\ud800!")], [])
    assert read_plan(render_plan(plan).encode().decode()) == plan


def test_a_partial_plan_made_against_a_snapshot_is_told_by_its_json() -> None:
    plan = replace(filter_by_target(plan_for(DECLARATIONS, LIVE), ["New"]), live_created_at=NOW)
    document = json.loads(render_plan(plan))
    check_plan_document(document)
    assert (document["complete"], document["targets"]) == (False, ["New"])
    assert document["live_created_at"] == "2026-11-02T12:00:00+00:00"
    assert read_plan(render_plan(plan)) == plan


def test_an_update_and_a_delete_carry_what_they_were_decided_on() -> None:
    ignoring = replace(
        declare(theme="light", color="#000", offlineMessage=None, welcomeMessage="Hi"), ignore=frozenset({"color"})
    )
    legacy = live("Legacy", "c-2", enabled=True, token="t", createdAt="2026-01-01T00:00:00Z")
    plan = plan_for([ignoring], [live(theme="dark", color="#fff", enabled=True), legacy], prune=True)
    update, delete = plan.organizations[0].active_changes
    assert isinstance(update, Update)
    assert isinstance(delete, Delete)
    assert update.reviewed == {"name": "Support", "theme": "dark", "offlineMessage": None}
    assert delete.reviewed == {"id": "c-2", "name": "Legacy", "enabled": True}
    assert update.digest != delete.digest is not None


def test_layout_and_order_of_keys_are_no_edit() -> None:
    plan = plan_for(DECLARATIONS, LIVE)
    document = json.loads(render_plan(plan))
    shuffled = json.dumps(dict(reversed(document.items())))
    assert read_plan(shuffled) == without_undeclared_fields(plan)


@pytest.mark.parametrize(
    ("edit", "sign", "error", "message"),
    [
        (lambda each: each["organizations"][0]["changes"].pop(), False, StalePlanError, "was edited"),
        (lambda each: each.pop("digest"), False, StalePlanError, "has no `digest`"),
        (lambda each: each.update(format_version="2.0"), False, StalePlanError, "format version 2.0"),
        (lambda each: each.update(format_version="new"), False, InputError, 'its format_version is "new"'),
        (lambda each: each.update(created_at=4), True, InputError, r"\$.created_at: 4 is not of type"),
        (lambda each: each.update(created_at="never"), True, InputError, r'"never" isn\'t a time with a time zone'),
        (lambda each: each.update(created_at="2026-11-02T12:00:00"), True, InputError, "isn't a time with a time zone"),
        (called(method="POST", path="/{id}/archive"), True, StalePlanError, "has the call POST /{id}/archive, which"),
        (called(body=None), True, StalePlanError, "has the call PATCH .*/c-1, which"),
        (called(method="DELETE"), True, StalePlanError, "has the call DELETE .*/c-1, which"),
        (
            called(path="/organizations/acme/web-chat/channels/c-2"),
            True,
            StalePlanError,
            "has the call PATCH .*/c-2, which",
        ),
        (lambda each: each.pop("manifest_digest"), True, StalePlanError, "has no `manifest_digest`"),
        (lambda each: each.pop("organizations"), True, InputError, "isn't a plan"),
        (
            lambda each: each["organizations"][0]["changes"][0]["fields"][0].update(steps=[]),
            True,
            InputError,
            r"fields\[0\].steps: \[\]",
        ),
    ],
)
def test_what_may_not_be_applied_is_refused_with_words(
    edit: Callable[[dict[str, Any]], object], sign: bool, error: type[InputError] | type[StalePlanError], message: str
) -> None:
    with pytest.raises((InputError, StalePlanError), match=message) as raised:
        read_plan(edited(plan_for(DECLARATIONS, LIVE), edit, sign=sign), file="plan.json")
    assert isinstance(raised.value, error)
    assert "plan.json" in str(raised.value)
    assert all(problem.hint for problem in raised.value.problems)


def test_what_a_later_minor_version_adds_is_left_alone() -> None:
    plan = plan_for(DECLARATIONS, LIVE)
    major, minor = map(int, FORMAT_VERSION.split("."))

    def add(document: dict[str, Any]) -> None:
        document.update(format_version=f"{major}.{minor + 1}", later={"x": 1})
        document["organizations"][0]["changes"][0]["later"] = True

    assert read_plan(edited(plan, add, sign=True)) == without_undeclared_fields(plan)


SINCE = {
    2: {"impact", "field_places"},
    3: {"ledger", "secret", "secret_note", "adoption", "danger"},
}
"""What came with each minor version, below the level of the document."""


@pytest.mark.parametrize("minor", [1, 2])
def test_a_plan_of_an_earlier_minor_version_is_read_without_what_came_later(minor: int) -> None:
    plan = plan_for(DECLARATIONS, LIVE)
    gone = {name for since, names in SINCE.items() if since > minor for name in names}

    def downgrade(document: dict[str, Any]) -> None:
        document["format_version"] = f"1.{minor}"
        document["summary"] = {name: each for name, each in document["summary"].items() if name in BEFORE_1_3}
        for organization in document["organizations"]:
            for each in (organization, *organization["changes"]):
                for name in gone & each.keys():
                    del each[name]

    old = read_plan(edited(plan, downgrade, sign=True))
    expected = without_undeclared_fields(plan)
    if minor < 2:
        (organization,) = expected.organizations
        changes = tuple(map(before_1_2, organization.changes))
        expected = replace(expected, organizations=(replace(organization, changes=changes),))
    assert old == expected
    for render in FORMATS.values():
        assert render(old)


def before_1_2(change: Change) -> Change:
    """The change as a plan of 1.1 has it, which says less of it."""
    if isinstance(change, Unchanged):
        return change
    if isinstance(change, Delete):
        return replace(change, impact=())
    return replace(change, impact=(), field_places={})


BEFORE_1_3 = {"create", "update", "delete", "unchanged", "undeclared"}


@pytest.mark.parametrize("content", ["version: 1\n", "", "[]", '{"organizations": []}'])
def test_what_is_no_plan_is_wrong_input(content: str) -> None:
    with pytest.raises(InputError):
        read_plan(content)


def test_the_operations_of_a_plan_say_what_is_wanted() -> None:
    create, update, delete = desired_manifests(plan_for(DECLARATIONS, LIVE))[0].declarations
    assert (create.id, create.fields) == (None, {"name": "New", "color": "#fff", "enabled": True, "theme": "dark"})
    assert (update.id, update.fields["theme"], update.fields["offlineMessage"]) == ("c-1", "light", None)
    assert (delete.id, delete.absent) == ("c-2", True)
    after = [
        live("New", "c-9", color="#fff", enabled=True, theme="dark"),
        live("Support", "c-1", theme="light"),
        live("Stranger", "c-4"),
    ]
    planned = plan_for(desired_manifests(plan_for(DECLARATIONS, LIVE))[0].declarations, after)
    assert {change.action for change in planned.organizations[0].changes} == {"none"}


@pytest.mark.parametrize("kind", [kind for kind, (action, _) in OPERATIONS.items() if action == "update"])
@pytest.mark.parametrize(("former", "cause"), [(False, "git_changed"), (True, "live_changed")])
def test_drift_shows_an_update_whatever_its_only_operation_is(kind: type, former: bool, cause: str) -> None:
    (organization,) = plan_for(DECLARATIONS, LIVE).organizations
    update = next(change for change in organization.active_changes if isinstance(change, Update))
    now = replace(update, fields=update.fields if kind is PatchChannel else (), operations=(OPERATIONS[kind][1],))
    earlier = now if former else replace(now, fields=(), operations=())
    plan, base = (Plan(NOW, (replace(organization, changes=(change,)),)) for change in (now, earlier))
    (group,) = attribute(plan, base)
    (shown,) = group.plan.organizations[0].active_changes
    assert (group.cause, shown.operations) == (cause, now.operations)
