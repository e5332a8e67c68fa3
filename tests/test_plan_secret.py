from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from planning import NOW, catalogue, check_plan_document, declare, live
from webchat_sync.errors import InputError
from webchat_sync.model import (
    ChannelKey,
    Declaration,
    IdentitySecretDeclaration,
    Json,
    LedgerEntry,
    Listing,
    LiveChannel,
    Manifest,
    Plan,
    Remembered,
    SecretAdoption,
    Sink,
)
from webchat_sync.plan.make import make_plan
from webchat_sync.plan.secret import ANY_VISITOR, SIGNED_VISITORS, UNSURE_NOTE, VOUCHED_NOTE
from webchat_sync.plan.summary import has_changes, summarize
from webchat_sync.planfile.desired import desired_manifests
from webchat_sync.planfile.reader import read_plan
from webchat_sync.planfile.writer import render_plan
from webchat_sync.render.formats import FORMATS
from webchat_sync.render.text import render_plan as render_text

URL = "https://api.example"
SECRET_PATH = "/organizations/acme/web-chat/channels/c-1/identity-secret"
SINKS = (Sink("file", "a", folder="f"), Sink("dotenv", ".env", "K"), Sink("command", argv=("gh", "x"), probe=("true",)))
KEY = ChannelKey(URL, "acme", "c-1")


def wants(declaration: Declaration | None = None, **block: Any) -> Declaration:
    options = {"deliver": SINKS, **block}
    return replace(declaration or declare(), identity_secret=IdentitySecretDeclaration(**options))


def remembered(**entry: Any) -> LedgerEntry:
    usual = {"name": "Support", "state": "delivered", "attempt": "a-1", "at": NOW, "rotation": "1"}
    return LedgerEntry(**{**usual, **entry})


def planned(
    declarations: Sequence[Declaration],
    channels: Sequence[LiveChannel],
    ledger: Mapping[ChannelKey, LedgerEntry] | None = None,
    **options: Any,
) -> Plan:
    sides = [(Manifest("acme", tuple(declarations)), Listing(URL, tuple(channels)))]
    plan = make_plan(sides, catalogue=catalogue(), created_at=NOW, remembered=Remembered(ledger or {}), **options)
    text = render_plan(plan)
    check_plan_document(json.loads(text))
    assert render_plan(read_plan(text)) == text
    return plan


def change_of(
    declaration: Declaration, channel: LiveChannel | None, entry: LedgerEntry | None = None, **options: Any
) -> Any:
    plan = planned([declaration], [channel] if channel else [], {KEY: entry} if entry else None, **options)
    return plan.organizations[0].changes[0]


HAS: dict[str, Json] = {"hasIdentitySecret": True}
HAS_NOT: dict[str, Json] = {"hasIdentitySecret": False}
OLD = NOW - timedelta(days=90)
YOUNG = NOW - timedelta(days=89, hours=23)
NINETY: dict[str, Any] = {"max_age": timedelta(days=90), "age_text": "90d"}


@pytest.mark.parametrize(
    ("block", "fields", "entry", "action", "reason"),
    [
        ({}, HAS_NOT, None, "generate", "the channel has no identity secret"),
        ({}, HAS_NOT, remembered(), "generate", "the channel has no identity secret"),
        ({}, {}, remembered(state="revoked"), "generate", "the channel has no identity secret"),
        ({"rotation": "2"}, HAS, remembered(), "rotate", 'rotation "1" -> "2"'),
        ({"rotation": "2"}, HAS, remembered(rotation=None), "rotate", 'rotation (none) -> "2"'),
        ({"rotation": "2"}, {}, remembered(state="adopted"), "rotate", 'rotation "1" -> "2"'),
        (NINETY, HAS, remembered(at=OLD), "rotate", "older than 90d"),
        (
            {},
            HAS,
            remembered(state="intended", at=NOW),
            "rotate",
            "a rotation that began at 2026-11-02T12:00:00+00:00 was interrupted, so its",
        ),
        (
            {},
            HAS_NOT,
            remembered(state="intended", at=NOW),
            "generate",
            "a rotation that began at 2026-11-02T12:00:00+00:00 was interrupted",
        ),
        (
            {},
            {},
            remembered(state="undelivered", at=NOW),
            "rotate",
            "the secret created at 2026-11-02T12:00:00+00:00 didn't reach every sink",
        ),
        ({"absent": True}, HAS, None, "revoke", "declared with state: absent"),
        ({"absent": True}, {}, remembered(), "revoke", "declared with state: absent"),
    ],
)
def test_a_secret_changes_for_a_reason(
    block: dict[str, Any], fields: dict[str, Json], entry: LedgerEntry | None, action: str, reason: str
) -> None:
    change = change_of(wants(**block), live(**fields), entry)
    assert change.secret is not None
    assert (change.action, change.secret.action) == ("update", action)
    assert change.secret.reason.startswith(reason)
    assert change.secret.sinks == (() if action == "revoke" else SINKS)
    assert change.secret.known == (entry.attempt if entry else "")
    method = "DELETE" if action == "revoke" else "POST"
    assert [(each.method, each.path, each.body) for each in change.operations] == [(method, SECRET_PATH, None)]
    assert change.reviewed == {"name": "Support", "hasIdentitySecret": fields.get("hasIdentitySecret")}


@pytest.mark.parametrize(
    ("block", "fields", "entry", "note", "adoption"),
    [
        ({}, HAS, None, "", None),
        ({"rotation": "1"}, HAS, remembered(), "", None),
        ({}, HAS, remembered(), "", None),
        (NINETY, HAS, remembered(at=YOUNG), "", None),
        ({"absent": True}, HAS_NOT, remembered(), "", None),
        ({"absent": True}, {}, remembered(state="revoked"), "", None),
        ({"absent": True}, {}, None, "can't tell", None),
        ({}, {}, None, "can't tell", None),
        ({"rotation": "1"}, {"hasIdentitySecret": None}, None, "can't tell", None),
        ({}, {"identityRequired": True, **HAS}, None, UNSURE_NOTE, None),
        ({}, {"identityRequired": True, **HAS}, remembered(), "", None),
        ({"rotation": "1"}, HAS, None, 'rotation "1" is adopted without rotating', SecretAdoption("1")),
        ({"rotation": "1"}, HAS, remembered(state="revoked"), 'rotation "1" is adopted', SecretAdoption("1")),
        (NINETY, HAS, None, "its age counts from now", SecretAdoption(None)),
        ({"rotation": "2"}, HAS, remembered(declared=False), "rotated by hand", SecretAdoption("2", vouched=True)),
    ],
)
def test_a_secret_stays(
    block: dict[str, Any],
    fields: dict[str, Json],
    entry: LedgerEntry | None,
    note: str,
    adoption: SecretAdoption | None,
) -> None:
    change = change_of(wants(**block), live(**fields), entry)
    assert change.action == "none"
    assert note in change.remarks.note
    assert bool(note) == bool(change.remarks.note)
    assert change.remarks.adoption == adoption
    # So that a saved plan isn't stale when the ledger changes in what it doesn't depend on.
    assert change.remarks.known is None


AHEAD = NOW + timedelta(days=400)


def test_an_entry_in_the_future_does_not_keep_a_secret_from_growing_old() -> None:
    old = change_of(wants(**NINETY), live(**HAS), remembered(at=AHEAD, server_at=OLD))
    assert old.secret is not None
    assert old.secret.reason == "older than 90d"
    young = change_of(wants(**NINETY), live(**HAS), remembered(at=AHEAD, server_at=YOUNG))
    assert (young.action, young.remarks.adoption) == ("none", None)
    assert "its entry in the ledger is 400 days in the future" in young.remarks.note
    assert young.remarks.note.endswith("`maxAge` counts from 2026-08-04T13:00:00+00:00, the server's time")


@pytest.mark.parametrize(("state", "vouched"), [("delivered", True), ("adopted", False)])
def test_an_entry_in_the_future_without_the_servers_time_counts_from_now(state: str, vouched: bool) -> None:
    change = change_of(wants(**NINETY), live(**HAS), remembered(state=state, at=AHEAD, server_at=AHEAD))
    assert change.action == "none"
    assert change.remarks.note.endswith("`maxAge` counts from now")
    assert change.remarks.adoption == SecretAdoption("1", vouched=vouched)


@pytest.mark.parametrize(("block", "at"), [({}, AHEAD), (NINETY, NOW + timedelta(minutes=4))])
def test_an_entry_in_the_future_is_not_worth_a_note_if_nothing_counts_from_it_or_clocks_just_differ(
    block: dict[str, Any], at: datetime
) -> None:
    assert change_of(wants(**block), live(**HAS), remembered(at=at)).remarks.note == ""


@pytest.mark.parametrize("block", [{}, {"rotation": "1"}, NINETY])
def test_a_new_channel_gets_its_first_secret_and_none_if_it_has_none(block: dict[str, Any]) -> None:
    made = change_of(wants(**block), None).secret
    assert (made.action, made.reason, made.stops) == ("generate", "the channel is new", "")
    assert change_of(wants(absent=True, **block), None).secret is None


def test_a_secret_that_the_operator_vouches_for_is_noted() -> None:
    change = change_of(wants(), live(**HAS), adopt_secrets=["Support"])
    assert (change.action, change.remarks.note) == ("none", VOUCHED_NOTE)
    assert change.remarks.adoption == SecretAdoption(None, vouched=True)


def test_a_secret_is_made_before_it_is_required_and_revoked_after_it_was() -> None:
    generated = change_of(wants(declare(identityRequired=True)), live(identityRequired=False, **HAS_NOT))
    assert [each.method for each in generated.operations] == ["POST", "PATCH"]
    revoked = change_of(wants(declare(identityRequired=False), absent=True), live(identityRequired=True, **HAS))
    assert [each.method for each in revoked.operations] == ["PATCH", "DELETE"]
    created = change_of(wants(declare(identityRequired=True)), None)
    assert [(each.method, each.path.rpartition("/")[2]) for each in created.operations] == [
        ("POST", "channels"),
        ("POST", "identity-secret"),
        ("PATCH", "{id}"),
    ]
    assert created.action == "create"
    assert created.secret is not None
    assert created.secret.reason == "the channel is new"


@pytest.mark.parametrize("edited", [{}, {"color": "#000"}])
def test_a_created_channel_waits_for_its_secret_when_it_was_cut_off(edited: dict[str, Json]) -> None:
    declaration = wants(declare(theme="dark", **edited))
    times: dict[str, Json] = {"createdAt": "2026-11-01T00:00:00Z", "updatedAt": "2026-11-01T00:01:00Z"}
    channel = live(enabled=False, theme="light", color="#fff", **HAS, **times)
    for entry, expected in (
        (remembered(state="intended", fresh=True), True),
        (remembered(fresh=True, server_at=datetime(2026, 11, 1, 0, 1, tzinfo=UTC)), True),
        (remembered(fresh=True, server_at=datetime(2026, 11, 1, 0, 0, 59, 1_000, tzinfo=UTC)), True),
        (remembered(fresh=True, server_at=datetime(2026, 10, 31, 0, 1, tzinfo=UTC)), False),
        (remembered(fresh=True), False),
        (remembered(state="intended"), False),
        (None, not edited),
    ):
        bodies = [each.body or {} for each in change_of(declaration, channel, entry).operations]
        assert any(body.get("enabled") is True for body in bodies) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"voiceNotesEnabled": False}, True),
        ({"typingIndicatorEnabled": True, "offlineMessage": None, "prechatFields": []}, True),
        ({"bubblePosition": "right"}, True),
        ({"voiceNotesEnabled": True}, False),
        ({"typingIndicatorEnabled": False, "prechatFields": []}, False),
        ({"offlineMessage": "Closed"}, False),
        ({"prechatFields": [{"label": "Email"}]}, False),
    ],
)
def test_a_channel_with_a_declared_value_that_is_no_default_was_switched_off_by_hand(
    fields: dict[str, Json], expected: bool
) -> None:
    declaration = wants(declare(theme="dark", **fields))
    times: dict[str, Json] = {"createdAt": "2026-11-01T00:00:00Z", "updatedAt": "2026-11-01T00:01:00Z"}
    channel = live(enabled=False, theme="light", **fields, **HAS, **times)
    bodies = [operation.body or {} for operation in change_of(declaration, channel).operations]
    assert any(body.get("enabled") is True for body in bodies) == expected


def test_a_rotation_is_forced_by_name_or_pattern() -> None:
    other = wants(declare("Sales"))
    channels = [live(**HAS), live("Sales", "c-2", **HAS)]
    plan = planned([wants(), other], channels, {KEY: remembered()}, rotate=["Sup*"])
    assert [
        (change.address, change.secret.reason) for change in plan.organizations[0].active_changes if change.secret
    ] == [("Support", "requested with --rotate")]
    assert change_of(wants(), live(), rotate=["Support"]).action == "update"
    for pattern, said in (
        ("Nobody", 'Channels: "Sales".'),
        ("Support", "Declare `sync.identitySecret`"),
    ):
        with pytest.raises(InputError) as refused:
            planned([declare(), other], channels, rotate=[pattern])
        assert said in refused.value.problems[0].hint
    with pytest.raises(InputError):
        change_of(wants(absent=True), live(**HAS), rotate=["Support"])
    with pytest.raises(InputError) as refused:
        change_of(declare(), live(**HAS), rotate=["S*"])
    assert refused.value.problems[0].hint.startswith("No channel declares")


def test_what_stops_working_depends_on_who_must_be_signed() -> None:
    forced = change_of(wants(), live(**HAS), rotate=["*"])
    assert forced.secret is not None
    assert forced.secret.stops == SIGNED_VISITORS
    everybody = change_of(wants(), live(identityRequired=True, **HAS), rotate=["*"])
    assert everybody.secret is not None
    assert everybody.secret.stops == ANY_VISITOR


@pytest.mark.parametrize(
    ("declaration", "fields", "danger"),
    [
        (declare(identityRequired=True), HAS_NOT, True),
        (declare(identityRequired=True), None, True),
        (declare(identityRequired=True), HAS, True),
        (declare(identityRequired=True), {}, True),
        (declare(identityRequired=True), {"identityRequired": True, **HAS}, False),
        (declare(), {"identityRequired": True, **HAS_NOT}, False),
        (wants(absent=True), {"identityRequired": True, **HAS}, True),
        (wants(declare(identityRequired=False), absent=True), {"identityRequired": True, **HAS}, False),
        (wants(declare(identityRequired=True)), HAS_NOT, False),
    ],
)
def test_a_required_identity_without_a_secret_is_a_danger(
    declaration: Declaration, fields: dict[str, Json] | None, danger: bool
) -> None:
    change = change_of(declaration, None if fields is None else live(**fields))
    assert bool(change.remarks.danger) == danger
    text = render_text(Plan(NOW, planned([declaration], [live(**fields)] if fields is not None else []).organizations))
    assert ("DANGER: " in text) == danger


def test_the_plan_tells_reasons_what_stops_and_the_sinks() -> None:
    plan = planned([wants(rotation="2026-Q4")], [live(**HAS)], {KEY: remembered(rotation="2026-Q3")})
    text = render_text(plan)
    assert '~ identity secret: will be rotated (rotation "2026-Q3" -> "2026-Q4")' in text
    (impact,) = plan.organizations[0].active_changes[0].impact
    assert (impact.level, impact.code) == ("warning", "secret-rotated")
    assert impact.text == f"the identity secret is rotated, which locks out {SIGNED_VISITORS}"
    for sink in ("file a", "dotenv .env K", "command gh x"):
        assert f"goes to: {sink}" in text
    assert text.splitlines()[-1] == "Plan: 0 to add, 1 to change, 0 to destroy; identity secrets: 1 to rotate."
    document = json.loads(render_plan(plan))
    assert (document["summary"]["rotate"], document["summary"]["revoke"]) == (1, 0)
    secret = document["organizations"][0]["changes"][0]["secret"]
    assert (secret["action"], secret["reason"]) == ("rotate", 'rotation "2026-Q3" -> "2026-Q4"')
    assert secret["sinks"][1] == {"dotenv": ".env", "key": "K", "folder": ""}


def test_an_adoption_is_told_and_changes_nothing() -> None:
    plan = planned([wants(rotation="1")], [live(**HAS)])
    assert not has_changes(plan)
    assert 'Note: "Support": rotation "1" is adopted without rotating' in render_text(plan)
    assert render_text(plan).splitlines()[-1].startswith("No changes.")


def test_a_saved_plan_wants_the_secret_that_it_makes() -> None:
    plan = planned([wants(), wants(declare("Gone"), absent=True)], [live(**HAS_NOT), live("Gone", "c-2", **HAS)])
    counts = summarize(plan)
    assert (counts.generate, counts.rotate, counts.revoke) == (1, 0, 1)
    (manifest,) = desired_manifests(plan)
    blocks = [each.identity_secret for each in manifest.declarations]
    assert [block and (block.absent, block.deliver) for block in blocks] == [(False, SINKS), (True, ())]


def test_a_revoked_secret_is_a_danger_in_every_format() -> None:
    plan = planned([wants(declare(identityRequired=True), absent=True)], [live(identityRequired=True, **HAS)])
    told = "danger: the identity secret is revoked, which locks out signed visitors"
    assert f"! {told}" in render_text(plan, width=200)
    whole = {name: render(plan) for name, render in FORMATS.items()}
    assert f"! {told}" in whole["markdown"]
    assert "- identity secret: will be revoked (declared with state: absent)" in whole["markdown"]
    assert '**danger**: `"Support"`: identityRequired is on' in whole["markdown"]
    assert "title=danger secret-revoked::" in whole["github"]
    assert "title=danger identity-secret::" in whole["github"]
    assert "hasIdentitySecret" not in "".join(whole[name] for name in ("text", "markdown", "github"))
