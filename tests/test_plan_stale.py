from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from planning import NOW, catalogue, declare, live
from webchat_sync.model import (
    Declaration,
    IdentitySecretDeclaration,
    Json,
    Listing,
    LiveChannel,
    Manifest,
    Plan,
    Sink,
)
from webchat_sync.plan.digest import manifest_digest
from webchat_sync.plan.make import make_plan
from webchat_sync.planfile.reader import read_plan
from webchat_sync.planfile.stale import misplaced, staleness
from webchat_sync.planfile.writer import render_plan

URL = "https://api.example"
MANIFEST = Manifest(
    "acme",
    (
        declare("New", color="#fff"),
        declare(theme="light", allowedDomains=["b.example"], welcomeMessage="Hi", offlineMessage=None),
        replace(declare("Legacy"), absent=True),
    ),
)
SUPPORT: dict[str, Json] = {
    "theme": "dark",
    "allowedDomains": ["a.example", "b.example"],
    "color": "#fff",
    "prechatFields": None,
    "updatedAt": "2026-01-01T00:00:00Z",
}
LEGACY: dict[str, Json] = {"color": "#000", "operatingHours": {"days": {"mon": ["1"]}, "timezone": "UTC"}}


def listing(
    *more: LiveChannel, support: dict[str, Json] | None = None, legacy: dict[str, Json] | None = None
) -> Listing:
    return Listing(
        URL,
        (
            live("Support", "c-1", **{**SUPPORT, **(support or {})}),
            live("Legacy", "c-2", **{**LEGACY, **(legacy or {})}),
            *more,
        ),
    )


def saved(manifest: Manifest = MANIFEST) -> Plan:
    plan = make_plan([(manifest, listing(live("Other", "c-3")))], catalogue=catalogue(), created_at=NOW)
    return read_plan(render_plan(plan))


def reasons(
    now: Listing, *, base_url: str = URL, organization: str | None = None, manifests: Sequence[Manifest] | None = None
) -> list[str]:
    found = [
        *misplaced(saved(), base_url=base_url, organization=organization),
        *staleness(saved(), {"acme": now}, catalogue(), manifests=manifests),
    ]
    assert all(problem.hint for problem in found)
    return [problem.message for problem in found]


def test_what_did_not_change_is_not_stale() -> None:
    assert reasons(listing(live("Other", "c-3")), organization="acme", manifests=[MANIFEST]) == []


def test_channels_and_fields_that_the_plan_does_not_touch_may_change() -> None:
    later: dict[str, Json] = {"color": "#123456", "enabled": False, "updatedAt": "2026-11-11T00:00:00Z"}
    assert reasons(listing(live("Renamed", "c-3", theme="dark"), live("Newcomer", "c-5"), support=later)) == []
    assert reasons(listing(legacy={"updatedAt": "2026-11-11T00:00:00Z"})) == []


def test_the_order_of_channels_keys_and_set_items_is_not_stale() -> None:
    chance = random.Random(7)
    for _ in range(20):
        channels = []
        for each in listing(live("Other", "c-3")).channels:
            fields = dict(each.fields)
            if isinstance(domains := fields.get("allowedDomains"), list):
                fields["allowedDomains"] = chance.sample(domains, len(domains))
            if isinstance(hours := fields.get("operatingHours"), dict):
                fields["operatingHours"] = dict(reversed(hours.items()))
            channels.append(LiveChannel(each.id, each.name, dict(chance.sample(list(fields.items()), len(fields)))))
        assert reasons(Listing(URL, tuple(chance.sample(channels, len(channels))))) == []


@pytest.mark.parametrize(
    ("support", "moved"),
    [
        ({"theme": "auto"}, ['theme: "dark" → "auto"']),
        ({"name": "Soporte"}, ['name: "Support" → "Soporte"']),
        ({"allowedDomains": ["b.example", "c.example"]}, [
            'allowedDomains["c.example"]: (none) → "c.example"',
            'allowedDomains["a.example"]: "a.example" → (none)',
        ]),
        ({"welcomeMessage": "Hello"}, ['welcomeMessage: (none) → "Hello"']),
        ({"offlineMessage": "Closed"}, ['offlineMessage: (none) → "Closed"']),
        ({"theme": "auto", "name": "X"}, ['name: "Support" → "X"', 'theme: "dark" → "auto"']),
    ],
)  # fmt: skip
def test_a_managed_field_that_moved_is_stale_and_both_values_are_shown(
    support: dict[str, Json], moved: list[str]
) -> None:
    said = 'channel "Support" would be updated, but it has changed since the plan was made: '
    assert sorted(reasons(listing(support=support))) == sorted(said + each for each in moved)


@pytest.mark.parametrize(
    ("legacy", "moved"),
    [
        ({"color": "#111"}, 'color: "#000" → "#111"'),
        ({"enabled": True}, "enabled: (none) → true"),
        ({"operatingHours": None}, 'operatingHours: {"days": {"mon": ["1"]}, "timezone": "UTC"} → (none)'),
    ],
)
def test_a_channel_to_delete_that_changed_at_all_is_stale(legacy: dict[str, Json], moved: str) -> None:
    assert reasons(listing(legacy=legacy)) == [
        f'channel "Legacy" would be deleted, but it has changed since the plan was made: {moved}'
    ]


def test_a_touched_channel_that_is_gone_is_stale() -> None:
    assert reasons(Listing(URL, ())) == [
        'channel "Support" would be updated, but its live channel (c-1) no longer exists',
        'channel "Legacy" would be deleted, but its live channel (c-2) no longer exists',
    ]


@pytest.mark.parametrize("name", ["New", " New "])
def test_a_new_channel_with_the_name_of_one_to_create_is_stale(name: str) -> None:
    assert reasons(listing(live(name, "c-7"))) == [
        'channel "New" would be created, but a channel with that name exists now (c-7)'
    ]


DONE: dict[str, Json] = {"theme": "light", "allowedDomains": ["b.example"], "welcomeMessage": "Hi"}
WITHOUT_LEGACY = Listing(URL, (live("Support", "c-1", **SUPPORT),))


@pytest.mark.parametrize(
    ("now", "may_be_done"),
    [
        (listing(support=DONE), True),
        (listing(support={"theme": "light"}), True),
        (listing(support={"theme": "auto"}), False),
        (listing(support={"allowedDomains": []}), False),
        (listing(live("New", "c-7")), True),
        (listing(live(" New ", "c-7")), False),
        (WITHOUT_LEGACY, True),
        (listing(legacy={"color": "#111"}), False),
        (Listing(URL, (live("Legacy", "c-2", **LEGACY),)), False),
    ],
    ids=["all", "in part", "other", "a set", "created", "created alike", "deleted", "to delete", "to update is gone"],
)
def test_of_what_is_as_planned_it_says_that_the_plan_may_be_applied_already(now: Listing, may_be_done: bool) -> None:
    found = staleness(saved(), {"acme": now}, catalogue())
    assert found
    assert {"it may have been applied already" in problem.hint for problem in found} == {may_be_done}


def test_the_old_channel_of_a_name_that_moves_on_is_not_in_the_way() -> None:
    moving = Manifest("acme", (replace(declare("B"), id="c-1"), declare("A")))
    now = Listing(URL, (live("A", "c-1"),))
    plan = make_plan([(moving, now)], catalogue=catalogue(), created_at=NOW)
    assert [change.action for change in plan.organizations[0].changes] == ["update", "create"]
    assert staleness(plan, {"acme": now}, catalogue()) == ()


@pytest.mark.parametrize(
    ("names", "made_for", "use"),
    [
        ([], "no organisation", "Plan again for this one."),
        (["a"], 'organisation "a"', "Use the organisation of the plan (--org, MOSEND_ORG_ID)"),
        (["a", "b"], 'organisations "a" and "b"', "Use an organisation of the plan (--org, MOSEND_ORG_ID)"),
    ],
)
def test_a_plan_for_other_organisations_names_them(names: list[str], made_for: str, use: str) -> None:
    plan = saved()
    organizations = tuple(replace(plan.organizations[0], organization=name) for name in names)
    (problem,) = misplaced(replace(plan, organizations=organizations), base_url=URL, organization="other")
    assert problem.message == f'the plan was made for {made_for}, not "other"'
    assert problem.hint.startswith(use)


def test_another_place_and_other_manifests_are_stale_and_all_reasons_come_at_once() -> None:
    changed = replace(MANIFEST, prune=True)
    found = reasons(
        listing(live("New", "c-7"), support={"theme": "auto"}),
        base_url="https://staging.example",
        organization="other",
        manifests=[changed],
    )
    assert found == [
        'the plan for organisation "acme" was made for https://api.example, not https://staging.example',
        'the plan was made for organisation "acme", not "other"',
        "the manifests have changed since the plan was made",
        'channel "New" would be created, but a channel with that name exists now (c-7)',
        'channel "Support" would be updated, but it has changed since the plan was made: theme: "dark" → "auto"',
    ]


def test_the_way_out_of_other_manifests_is_what_the_plan_was_made_with() -> None:
    changed = replace(MANIFEST, prune=True)
    (problem,) = staleness(saved(), {"acme": listing()}, catalogue(), manifests=[changed])
    assert problem.hint.startswith("Use the paths, overlays and variables that the plan was made with, or plan again")


def test_a_manifest_digest_covers_what_is_declared_and_not_how() -> None:
    def digest(declarations: Sequence[Declaration], organization: str = "acme", prune: bool = False) -> str:
        return manifest_digest([Manifest(organization, tuple(declarations), prune)], catalogue())

    one, two = declare("A", color="#FFF", allowedDomains=["a.example", "b.example"]), declare("B")
    moved = replace(one, place=replace(one.place, line=99), field_places={"color": one.place})
    reordered = replace(one, fields={"allowedDomains": ["b.example", "a.example"], "color": "#fff", "name": "A"})
    assert digest([one, two]) == digest([two, moved]) == digest([reordered, two])
    others = [
        digest([one]),
        digest([one, two], "other"),
        digest([one, two], prune=True),
        digest([replace(one, fields={**one.fields, "color": None}), two]),
        *(
            digest([replace(one, **option), two])
            for option in (
                {"id": "c-1"},
                {"renamed_from": "Z"},
                {"absent": True},
                {"protect": True},
                {"ignore": frozenset({"color"})},
                {"ignore": frozenset({"theme", "color"})},
                {"identity_secret": IdentitySecretDeclaration()},
                {"identity_secret": IdentitySecretDeclaration(rotation="2")},
                {"identity_secret": IdentitySecretDeclaration(rotation="2", deliver=(Sink("dotenv", ".env", "KEY"),))},
            )
        ),
    ]
    assert len({digest([one, two]), *others}) == 1 + len(others)


def test_a_manifest_digest_covers_the_fields_that_manifests_define_and_compares_as_they_say() -> None:
    def digest(entry: Mapping[str, Json], *stickers: Json) -> str:
        declarations = (declare(stickers=[*stickers]),)
        return manifest_digest([Manifest("acme", declarations, field_entries={"stickers": entry})], catalogue())

    in_order: dict[str, Json] = {"type": "array"}
    in_any_order: dict[str, Json] = {"type": "array", "x-webchat-sync": {"listType": "set"}}
    assert digest(in_order, "a", "b") != digest(in_order, "b", "a")
    assert digest(in_any_order, "a", "b") == digest(in_any_order, "b", "a")
    assert digest(in_order, "a") != digest({**in_order, "x-webchat-sync": {"create": True}}, "a")
