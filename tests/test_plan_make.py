from __future__ import annotations

import random
from dataclasses import replace

import pytest

from planning import NOW, catalogue, changes_for, declare, live, plan_for
from webchat_sync.errors import InputError, Place
from webchat_sync.model import (
    UNKNOWN,
    CreateChannel,
    Declaration,
    DeleteChannel,
    FieldChange,
    GitMemory,
    Json,
    Key,
    Listing,
    LiveChannel,
    Manifest,
    PatchChannel,
)
from webchat_sync.plan.channel import PlanRules
from webchat_sync.plan.digest import channel_digest, listing_digest, manifest_digest
from webchat_sync.plan.make import begin, make_plan
from webchat_sync.plan.summary import has_changes, summarize

CHANNELS = "/organizations/acme/web-chat/channels"


def test_a_create_of_create_fields_is_one_post() -> None:
    (change,) = changes_for([declare(color="#fff", enabled=True)], [])
    assert change.action == "create"
    assert change.operations == (CreateChannel("acme", {"name": "Support", "color": "#fff", "enabled": True}),)


@pytest.mark.parametrize(
    ("enabled", "patched"),
    [
        ({}, {"theme": "dark", "enabled": True}),
        ({"enabled": True}, {"theme": "dark", "enabled": True}),
        ({"enabled": False}, {"theme": "dark"}),
    ],
)
def test_a_channel_that_needs_a_patch_is_created_switched_off(
    enabled: dict[str, Json], patched: dict[str, Json]
) -> None:
    (change,) = changes_for([declare(theme="dark", **enabled)], [])
    assert change.operations == (
        CreateChannel("acme", {"name": "Support", "enabled": False}),
        PatchChannel("acme", None, patched),
    )


def test_a_patch_carries_the_fields_that_differ_and_nothing_else() -> None:
    channel = live(color="#fff", theme="dark", welcomeMessage="Hi", enabled=False)
    (change,) = changes_for([declare(color="#FFF", theme="light")], [channel])
    assert change.operations == (PatchChannel("acme", "c-1", {"theme": "light"}),)
    assert change.fields == (FieldChange((Key("theme"),), "change", "dark", "light"),)


def test_a_patch_keeps_what_the_server_owns_inside_a_field() -> None:
    channel = live(prechatFields=[{"id": "f1", "label": "Email"}, {"id": "f2", "label": "Phone"}])
    (change,) = changes_for([declare(prechatFields=[{"label": "Phone", "required": True}])], [channel])
    assert change.operations[0].body == {"prechatFields": [{"id": "f2", "label": "Phone", "required": True}]}


def test_a_list_that_is_the_same_apart_from_the_servers_keys_hides_no_field_after_it() -> None:
    channel = live(prechatFields=[{"id": "f1", "label": "Email"}], theme="dark")
    (change,) = changes_for([declare(prechatFields=[{"label": "Email"}], theme="light")], [channel])
    assert change.operations == (PatchChannel("acme", "c-1", {"theme": "light"}),)


def test_a_field_that_the_live_answer_does_not_carry_is_unknown_and_not_null() -> None:
    (change,) = changes_for([declare(theme="dark", offlineMessage=None)], [live()])
    assert change.fields == (FieldChange((Key("theme"),), "change", UNKNOWN, "dark"),)


def test_an_ignored_field_is_used_for_a_create_and_left_alone_afterwards() -> None:
    ignoring = replace(declare(color="#fff"), ignore=frozenset({"color"}))
    assert changes_for([ignoring], [])[0].operations[0].body == {"name": "Support", "color": "#fff"}
    assert changes_for([ignoring], [live(color="#000")])[0].action == "none"


def test_undeclared_channels_stay_without_prune_and_go_with_it() -> None:
    channels = [live("Support", "c-1"), live("Legacy", "c-2", color="#fff", offlineMessage=None)]
    kept = plan_for([declare()], channels)
    assert not has_changes(kept)
    assert [each.id for each in kept.organizations[0].undeclared] == ["c-2"]
    _, pruned = changes_for([declare()], channels, prune=True)
    assert pruned.operations == (DeleteChannel("acme", "c-2"),)
    assert FieldChange((Key("color"),), "remove", "#fff", None) in pruned.fields


def test_state_absent_deletes_one_channel_without_prune() -> None:
    absent = replace(declare("Legacy"), absent=True)
    plan = plan_for([absent], [live("Legacy", "c-2"), live("Support", "c-1")])
    assert [each.action for each in plan.organizations[0].changes] == ["delete"]
    assert [each.id for each in plan.organizations[0].undeclared] == ["c-1"]


STAMPS: dict[str, Json] = {"createdAt": "2026-11-02T12:00:00.000Z", "updatedAt": "2026-11-02T12:00:00.003+00:00"}


def test_a_create_that_was_cut_off_before_its_patch_is_finished_and_switched_on() -> None:
    (change,) = changes_for([declare(theme="dark")], [live(enabled=False, theme="auto", **STAMPS)])
    assert change.operations[0].body == {"theme": "dark", "enabled": True}
    assert change.fields == (
        FieldChange((Key("theme"),), "change", "auto", "dark"),
        FieldChange((Key("enabled"),), "change", False, True),
    )
    assert "interrupted" in change.note


@pytest.mark.parametrize(
    "declaration",
    [
        declare(theme="dark", color="#000"),
        declare(theme="dark", botEnabled=True, allowedDomains=["a.example"]),
        replace(declare("Help", theme="dark"), renamed_from="Support"),
    ],
)
def test_it_is_known_when_what_its_post_took_was_edited_meanwhile(declaration: Declaration) -> None:
    channel = live(enabled=False, theme="auto", color="#fff", allowedDomains=[], **STAMPS)
    (change,) = changes_for([declaration], [channel])
    assert change.operations[0].body["enabled"] is True
    assert "interrupted" in change.note


@pytest.mark.parametrize(
    ("declaration", "fields"),
    [
        (declare(theme="dark"), {"updatedAt": "2026-11-05T08:00:00Z"}),
        (declare(theme="dark"), {"updatedAt": "2026-11-02T12:00:00.050Z"}),
        (declare(theme="dark"), {"updatedAt": "yesterday"}),
        (declare(theme="dark"), {"updatedAt": None}),
        (declare(theme="dark"), {"enabled": True}),
        (declare(theme="dark", color="#000"), {"updatedAt": "2026-11-05T08:00:00Z"}),
        (declare(color="#fff"), {}),
        (replace(declare(theme="dark"), id="c-1"), {}),
    ],
)
def test_a_channel_that_somebody_switched_off_stays_off(declaration: Declaration, fields: dict[str, Json]) -> None:
    channel = live(**{"enabled": False, "theme": "auto", "color": "#fff", **STAMPS, **fields})
    for change in plan_for([declaration], [channel]).organizations[0].active_changes:
        assert all("enabled" not in (operation.body or {}) for operation in change.operations)


def test_organizations_are_planned_side_by_side() -> None:
    sides = [
        (Manifest("one", (declare("A"),)), Listing("https://api.example", ())),
        (Manifest("two", (declare("A"),), prune=True), Listing("https://api.example", (live("A"), live("B", "c-2")))),
    ]
    plan = make_plan(sides, catalogue=catalogue(), created_at=NOW)
    assert [each.organization for each in plan.organizations] == ["one", "two"]
    assert plan.organizations[0].active_changes[0].operations[0].path == "/organizations/one/web-chat/channels"
    counts = summarize(plan)
    assert (counts.create, counts.update, counts.delete, counts.unchanged) == (1, 0, 1, 1)


def test_a_plan_has_the_settings_of_its_manifest() -> None:
    manifest = Manifest(
        "acme",
        (declare(),),
        api_key_env="ACME_KEY",
        ledger="acme.json",
        memory=GitMemory("upstream"),
        field_entries={"helpEnabled": {"type": "boolean"}},
    )
    (planned,) = make_plan([(manifest, Listing("x", ()))], catalogue=catalogue(), created_at=NOW).organizations
    assert (planned.api_key_env, planned.ledger) == (manifest.api_key_env, manifest.ledger)
    assert (planned.memory, planned.field_entries) == (manifest.memory, manifest.field_entries)


def test_a_plan_removes_no_twins_and_has_digests_unless_asked_otherwise() -> None:
    assert begin([], catalogue=catalogue(), created_at=NOW).rules == PlanRules(catalogue(), NOW)
    assert not PlanRules(catalogue(), NOW).remove_twins


def test_what_cannot_be_matched_is_reported_for_all_organizations() -> None:
    twice = Listing("x", (live("Support", "c-1"), live("Support", "c-2")))
    with pytest.raises(InputError) as raised:
        make_plan(
            [(Manifest(name, (declare(),)), twice) for name in ("one", "two")], catalogue=catalogue(), created_at=NOW
        )
    assert len(raised.value.problems) == 2


@pytest.mark.parametrize("protect", [False, True])
def test_every_change_says_where_it_is_declared_and_whether_it_is_protected(protect: bool) -> None:
    overlay = Place("overlay.yaml", 9, 1)
    there = Place("channels.yaml", 4, 5)
    declaration = replace(
        declare(color="#fff", theme="dark"), protect=protect, field_places={"color": overlay, "theme": there}
    )
    absent = replace(declaration, absent=True)
    (created,) = changes_for([declaration], [])
    (updated,) = changes_for([declaration], [live(color="#000", theme="auto")])
    (same,) = changes_for([declaration], [live(color="#fff", theme="dark")])
    (gone,) = changes_for([absent], [])
    (deleted,) = changes_for([absent], [live()])
    changes = (created, updated, same, gone, deleted)
    assert [change.action for change in changes] == ["create", "update", "none", "none", "delete"]
    assert {(change.place, change.protected) for change in changes} == {(declaration.place, protect)}
    for change in (created, updated):
        places = {field.steps[0].name: field.place for field in change.fields if field.steps != (Key("name"),)}
        assert places == {"color": overlay, "theme": None}
        assert change.field_places == declaration.field_places


def test_the_name_is_reviewed_even_if_it_is_ignored() -> None:
    (change,) = changes_for([replace(declare(color="#fff"), ignore=frozenset({"name"}))], [live(color="#000")])
    assert change.reviewed == {"name": "Support", "color": "#000"}


def test_a_plan_that_is_only_looked_at_differs_in_its_digests_alone() -> None:
    sides = [(Manifest("one", (declare("A", color="#fff"),)), Listing("https://api.example", (live("A"), live("B"))))]
    sealed = make_plan(sides, catalogue=catalogue(), created_at=NOW)
    plan = make_plan(sides, catalogue=catalogue(), created_at=NOW, with_digests=False)
    assert has_changes(plan)
    assert (plan.manifest_digest, plan.organizations[0].listing_digest) == ("", "")
    assert sealed.organizations[0].listing_digest == listing_digest("one", sides[0][1], catalogue())
    again = replace(plan.organizations[0], listing_digest=sealed.organizations[0].listing_digest)
    assert replace(plan, manifest_digest=sealed.manifest_digest, organizations=(again,)) == sealed


def test_a_fingerprint_does_not_depend_on_order_and_depends_on_place_and_value() -> None:
    chance = random.Random(7)
    domains: list[Json] = ["a.example", "b.example"]
    channels = [
        live("A", "c-1", allowedDomains=domains, operatingHours={"x": 1, "y": [1, 2]}),
        live("B", "c-2", createdAt="2026-01-01T00:00:00Z"),
    ]

    def taken(organization: str = "acme", url: str = "https://api.example", **fields: Json) -> str:
        shuffled = []
        for each in chance.sample(channels, len(channels)):
            items = list({**each.fields, **fields}.items())
            shuffled.append(LiveChannel(each.id, each.name, dict(chance.sample(items, len(items)))))
        return listing_digest(organization, Listing(url, tuple(shuffled)), catalogue())

    same = {taken() for _ in range(20)} | {taken(createdAt="2026-06-06T00:00:00Z")}
    domains.reverse()
    same.add(taken())
    assert len(same) == 1
    assert taken("other") not in same
    assert taken(url="https://staging.example") not in same
    assert taken(color="#fff") not in same


def test_the_fingerprint_of_a_channel_depends_on_all_of_where_it_is() -> None:
    def taken(organization: str = "acme", url: str = "https://api.example", channel_id: str = "c-1") -> str:
        return channel_digest(organization, url, channel_id, {"color": "#fff"}, catalogue())

    others = {taken("other"), taken(url="https://staging.example"), taken(channel_id="c-2")}
    assert len({taken(), *others}) == 4


def test_the_fingerprint_of_manifests_does_not_depend_on_the_order_inside_options() -> None:
    chance = random.Random(7)

    def taken(names: list[str]) -> str:
        declaration = replace(declare("Support"), ignore=frozenset(names))
        return manifest_digest([Manifest("acme", (declaration,))], catalogue())

    for _ in range(20):
        names = chance.sample(sorted(catalogue().fields), 5)
        # Equal sets may list what is in them in another order, by the way that they were filled.
        assert len({taken(chance.sample(names, 5)) for _ in range(10)}) == 1
