"""Applying over real HTTP: order, concurrency, failures, and the setting at the end."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from applying import NOW, Watcher, applied, carry_out, client, plan_and_apply
from commands import emulated
from planning import catalogue, declare
from webchat_sync.emulator import Fault, Faults, Quirks, effects
from webchat_sync.errors import ApiConnectionError, ApiStatusError, CombinedApiError, Place
from webchat_sync.model import (
    UNKNOWN,
    ApplyReport,
    Item,
    Json,
    Key,
    Manifest,
    NotConverged,
    OperationResult,
    Plan,
    Steps,
)
from webchat_sync.plan.make import make_plan
from webchat_sync.render.report import render_report
from webchat_sync.workflow.listings import read_listings

CHANNEL = "/organizations/acme/web-chat/channels/*"
CHANNELS = "/organizations/acme/web-chat/channels"


def statuses(report: ApplyReport) -> list[tuple[str, str, str]]:
    return [(result.address, result.operation.method, result.status) for result in report.results]


def test_an_apply_makes_the_fewest_calls_and_deletes_last() -> None:
    with emulated({"name": "Old", "id": "old"}, {"name": "Same"}, {"name": "Changed", "color": "#fff"}) as api:
        absent = replace(declare("Old"), absent=True)
        declarations = [
            absent,
            declare("Same"),
            declare("Changed", color="#000"),
            declare("A"),
            declare("B", theme="dark"),
        ]
        _, report = applied(api.url, declarations)
        assert report.outcome == "converged"
        methods = api.taken_calls()
        assert methods[0] == "GET"
        assert methods[-2:] == ["DELETE", "GET"]
        assert sorted(methods[1:-2]) == ["PATCH", "PATCH", "POST", "POST"]


def test_a_failure_stops_its_own_channel_and_all_deletes() -> None:
    refuse = Faults([Fault(effects.status(409, message="name is taken"), "POST", CHANNELS, nth=1)])
    with emulated({"name": "Old"}, {"name": "Changed"}, faults=refuse) as api:
        declarations = [declare("New", theme="dark"), declare("Changed", theme="dark")]
        plan, report = applied(api.url, declarations, prune=True)
        assert statuses(report) == [
            ("New", "POST", "failed"),
            ("New", "PATCH", "not_started"),
            ("Changed", "PATCH", "done"),
            ("Old", "DELETE", "not_started"),
        ]
        error = report.results[0].error
        assert isinstance(error, ApiStatusError)
        assert error.messages == ("name is taken",)
        assert error.request_id
        text = render_report(plan, report)
        assert "name is taken" in text
        assert error.request_id in text
        assert text.endswith("Operations: 1 done, 1 failed, 2 not started, 0 in doubt.")
        assert api.taken_calls()[-1] != "GET"


def test_a_channel_that_someone_else_creates_at_the_same_time_is_reported() -> None:
    with emulated() as api:
        made: list[Json] = []

        def overtake(result: OperationResult) -> None:
            if not made:
                made.append(api.store.create("acme", {"name": result.address})["id"])

        plan, report = applied(api.url, [declare("New")], watcher=Watcher(on_result=overtake))
        assert report.outcome == "not_converged"
        (second,) = report.not_converged
        ours = [channel["id"] for channel in api.store.channels("acme") if channel["id"] not in made]
        assert [(second.address, second.steps, second.sent, second.stored)] == [("New", (), *ours, *made)]
        text = render_report(plan, report)
        assert "there's a second channel for a declaration" in text
        assert f'another channel with that name was created in the meantime: "{made[0]}"' in text
        assert f'The run created "{ours[0]}"' in text


def test_a_channel_is_off_until_its_patch_switches_it_on() -> None:
    with emulated(faults=Faults([Fault(effects.status(400), "PATCH", CHANNEL, nth=1)])) as api:
        declarations = [declare("New", theme="dark")]
        _, report = applied(api.url, declarations)
        assert statuses(report) == [("New", "POST", "done"), ("New", "PATCH", "failed")]
        assert [channel["enabled"] for channel in api.store.channels("acme")] == [False]
        _, report = applied(api.url, declarations)
        assert report.outcome == "converged"
        assert [channel["enabled"] for channel in api.store.channels("acme")] == [True]


def test_with_a_parallelism_of_one_the_order_is_that_of_the_plan() -> None:
    with emulated() as api:
        seen: list[OperationResult] = []
        declarations = [declare(f"Channel {number}") for number in range(9)]
        applied(api.url, declarations, parallelism=1, watcher=Watcher(on_result=seen.append))
        assert [result.address for result in seen] == [declaration.name for declaration in declarations]


def test_what_the_server_stored_instead_is_named() -> None:
    with emulated() as api:
        declaration = declare("New", welcomeMessage="Hola")

        def edit(_: OperationResult) -> None:
            (channel,) = api.store.channels("acme")
            api.store.update("acme", str(channel["id"]), {"welcomeMessage": "Adiós"})

        plan, report = applied(api.url, [declaration], watcher=Watcher(on_result=edit))
        assert report.outcome == "not_converged"
        text = render_report(plan, report)
        assert 'welcomeMessage: the server stored "Adiós" instead of "Hola"' in text
        assert 'declare "Adiós" at channels.yaml:3' in text


@pytest.mark.parametrize(
    ("sent", "stored", "advice"),
    [
        (12, "12", "remove the field at"),
        (True, "true", "remove the field at"),
        (True, 1, "remove the field at"),
        (12, 12.5, "declare 12.5 at"),
        (True, False, "declare false at"),
        ("a", {"type": "a"}, 'declare {"type": "a"} at'),
        ("a", None, "declare null at"),
    ],
)
def test_nobody_is_advised_to_declare_a_value_that_is_not_valid(sent: Json, stored: Json, advice: str) -> None:
    place = Place("channels.yaml", 4, 5)
    mismatch = NotConverged("acme", "Support", (Key("field"),), sent, stored, place)
    text = render_report(Plan(NOW, ()), ApplyReport("not_converged", (), (mismatch,)))
    assert f"To resolve this, {advice} channels.yaml:4" in text


@pytest.mark.parametrize(
    ("steps", "advice"),
    [
        (
            (Key("prechatFields"), Item.of("A", "label", 0), Key("order")),
            "or name the key in the field's `serverKeys`.",
        ),
        ((Key("operatingHours"), Key("order")), "or remove the field."),
    ],
)
def test_a_key_that_the_server_added_is_no_value_in_place_of_null(steps: Steps, advice: str) -> None:
    mismatch = NotConverged("acme", "Support", steps, None, 0, Place("channels.yaml", 4, 5))
    text = render_report(Plan(NOW, ()), ApplyReport("not_converged", (), (mismatch,)))
    assert "order: the server added 0\n    To resolve this, declare it at channels.yaml:4, " + advice in text


def test_items_that_the_server_left_out_or_added_are_named_with_their_line() -> None:
    with emulated() as api:
        hosts = Place("channels.yaml", 7, 5)
        declaration = replace(declare("New", allowedDomains=["a.example"]), field_places={"allowedDomains": hosts})

        def edit(_: OperationResult) -> None:
            (channel,) = api.store.channels("acme")
            api.store.update("acme", str(channel["id"]), {"allowedDomains": ["b.example"]})

        text = render_report(*applied(api.url, [declaration], watcher=Watcher(on_result=edit)))
        assert 'allowedDomains["a.example"]: the server left this item out' in text
        assert 'allowedDomains["b.example"]: the server added this item' in text
        assert text.count("declare the list at channels.yaml:7 as the server stores it, or remove the field") == 2
        assert "null" not in text


def test_a_channel_that_somebody_deletes_meanwhile_is_named() -> None:
    with emulated({"name": "Support"}) as api:

        def remove(_: OperationResult) -> None:
            api.store.delete("acme", str(api.store.channels("acme")[0]["id"]))

        plan, report = applied(api.url, [declare(theme="dark")], watcher=Watcher(on_result=remove))
        assert report.outcome == "not_converged"
        assert '"Support": the channel is missing' in render_report(plan, report)


def test_a_channel_that_is_new_in_one_organization_is_the_other_one_s_in_the_other() -> None:
    async def both(url: str) -> ApplyReport:
        manifests = [Manifest(name, (declare("New", theme="dark"),)) for name in ("acme", "other")]
        async with client(url, "acme") as acme, client(url, "other") as other:
            apis = {"acme": acme, "other": other}
            listings = await read_listings(apis, apis, base_url=url)
            pairs = [(manifest, listings[manifest.organization]) for manifest in manifests]
            plan = make_plan(pairs, catalogue=catalogue(), created_at=NOW)
            return await carry_out(plan, manifests, apis, listings)

    with emulated() as api:
        api.store.seed("other", [{"name": "New", "theme": "light"}])
        report = anyio.run(both, api.url)
        assert report.outcome == "converged"
        assert [channel["theme"] for name in ("acme", "other") for channel in api.store.channels(name)] == ["dark"] * 2


def test_a_field_that_the_list_leaves_out_is_sent_and_said_to_be_beyond_comparison() -> None:
    with emulated({"name": "Support"}, quirks=Quirks(omit=frozenset({"theme"}))) as api:
        plan, report = applied(api.url, [declare(theme="dark")])
        assert plan.organizations[0].active_changes[0].fields[0].before is UNKNOWN
        assert report.outcome == "converged"
        assert report.unlisted == (("acme", "Support", (Key("theme"),)),)
        assert "can't be compared" in render_report(plan, report)
        assert api.store.channels("acme")[0]["theme"] == "dark"


def test_a_server_that_normalises_converges_without_an_edit() -> None:
    quirks = Quirks(trim_texts=True, lower_case=True, drop_nulls=True, reorder_keys=True)
    declaration = declare(
        "Support ",
        color="#0F766E",
        welcomeMessage="Hola\n",
        allowedDomains=["WWW.Example.com"],
        offlineMessage=None,
        operatingHours={"timezone": "UTC", "days": {"mon": ["09:00-13:00"], "sun": None}},
        prechatFields=[{"label": "Email", "required": True}],
    )
    with emulated(quirks=quirks) as api:
        assert applied(api.url, [declaration])[1].outcome == "converged"
        plan, report = anyio.run(plan_and_apply, api.url, Manifest("acme", (declaration,)))
        assert report is None
        assert [change.action for change in plan.organizations[0].changes] == ["none"]


def test_an_apply_whose_result_cannot_be_read_is_incomplete() -> None:
    with emulated(faults=Faults([Fault(effects.html(), "GET", CHANNELS, nth=frozenset(range(2, 7)))])) as api:
        plan, report = applied(api.url, [declare("New")])
        assert report.outcome == "incomplete"
        assert report.unverified is not None
        assert "couldn't be read again" in render_report(plan, report)


def test_organizations_that_cannot_be_read_are_all_named() -> None:
    async def read(url: str) -> None:
        dead = "http://127.0.0.1:9"
        async with client(url, "one") as one, client(dead, "two") as two, client(dead, "three") as three:
            apis = {"one": one, "two": two, "three": three}
            await read_listings(apis, apis, base_url=url)

    with emulated() as api, pytest.raises(CombinedApiError) as raised:
        anyio.run(read, api.url)
    assert len(raised.value.errors) == 2
    assert all(isinstance(error, ApiConnectionError) for error in raised.value.errors)
    assert raised.value.exit_code == 6
