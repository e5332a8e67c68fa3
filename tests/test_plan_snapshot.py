from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from planning import NOW, declare, live
from webchat_sync.errors import Diagnostic, InputError, Place
from webchat_sync.model import FailedOrganization, Listing, Manifest
from webchat_sync.planfile.failed import failed_document
from webchat_sync.planfile.snapshot import Snapshot, against, read_snapshot, render_snapshot
from webchat_sync.render.values import age

URL = "https://api.example"
FAILED = FailedOrganization("dead", 6, (Diagnostic("revoked", Place("dead.yaml", 2, 1), hint="Make a new key."),))
SNAPSHOT = Snapshot(
    NOW, {"acme": Listing(URL, (live("A", "c-1", token="t", later={"x": [1]}), live("A", "c-2")))}, (FAILED,)
)
MANIFEST = Manifest("acme", (declare("A"),))


def test_a_snapshot_that_was_saved_and_read_is_the_snapshot() -> None:
    assert read_snapshot(render_snapshot(SNAPSHOT)) == SNAPSHOT


@pytest.mark.parametrize(
    ("member", "value", "why"),
    [
        (
            "format_version",
            "2.0",
            'its format_version is "2.0", but this version of webchat-sync only supports 1.x',
        ),
        ("format_version", None, "its format_version is null, but "),
        ("created_at", "yesterday", "created_at isn't a time"),
        ("created_at", None, "created_at isn't a time"),
        ("listings", None, "no `listings` list"),
        ("listings", [1], r"`listings\[0\]` isn't a listing"),
        (
            "listings",
            [{"organization": "acme", "channels": []}],
            "must have an organization, a base_url and",
        ),
        (
            "listings",
            [{"organization": "a", "base_url": URL, "channels": []}] * 2,
            'the organisation "a" more than once',
        ),
        ("failed", None, "`failed` isn't a list of organisations"),
        ("failed", [{"organization": "dead"}], "`failed` isn't a list of organisations"),
        (
            "failed",
            [{"organization": "dead", "exit_code": 6, "problems": [1]}],
            "`failed` isn't a list of organisations",
        ),
        ("failed", failed_document([FAILED, FAILED]), 'the organisation "dead" more than once'),
        ("failed", failed_document([replace(FAILED, organization="acme")]), 'the organisation "acme" more than once'),
        (
            "listings",
            [{"organization": name, "base_url": URL, "channels": []} for name in "abab"],
            'the organisations "a" and "b" more than once',
        ),
    ],
)
def test_a_snapshot_that_cannot_be_trusted_is_refused(member: str, value: Any, why: str) -> None:
    document = json.loads(render_snapshot(SNAPSHOT))
    document[member] = value
    with pytest.raises(InputError, match=why) as raised:
        read_snapshot(json.dumps(document), file="live.json")
    assert str(raised.value).startswith("can't use live.json")


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        (7, r"channels\[2\]` isn't a channel"),
        ({"name": "B"}, "without an id"),
        ({"id": "", "name": "B"}, "without an id"),
        ({"id": "c-3", "name": None}, "without a name"),
        ({"id": "c-1", "name": "B"}, 'lists the id "c-1" more than once'),
    ],
)
def test_a_listing_is_checked_as_an_answer_of_the_api_is(channel: Any, why: str) -> None:
    document = json.loads(render_snapshot(SNAPSHOT))
    document["listings"][0]["channels"].append(channel)
    with pytest.raises(InputError, match=why):
        read_snapshot(json.dumps(document))


@pytest.mark.parametrize("text", ["", "version: 1", "[]", '{"format_version": "1.1", "organizations": []}'])
def test_what_is_no_snapshot_is_wrong_input(text: str) -> None:
    with pytest.raises(InputError):
        read_snapshot(text)


@pytest.mark.parametrize("time", ["2026-11-02T12:00:00", "2026-11-02T14:00:00+02:00"])
def test_a_time_without_a_zone_is_taken_as_utc(time: str) -> None:
    document = json.loads(render_snapshot(SNAPSHOT))
    document["created_at"] = time
    assert read_snapshot(json.dumps(document)).created_at == NOW


def test_a_snapshot_of_an_earlier_release_says_nothing_of_failures() -> None:
    document = json.loads(render_snapshot(SNAPSHOT))
    del document["failed"]
    assert read_snapshot(json.dumps(document)) == replace(SNAPSHOT, failed=())


def test_each_manifest_gets_the_listing_of_its_organization() -> None:
    assert against(SNAPSHOT, [MANIFEST], base_url=None) == [(MANIFEST, SNAPSHOT.listings["acme"])]
    assert against(SNAPSHOT, [Manifest("dead", ()), MANIFEST], base_url=URL) == [(MANIFEST, SNAPSHOT.listings["acme"])]


def test_a_snapshot_of_another_organization_or_server_is_refused() -> None:
    with pytest.raises(InputError) as raised:
        against(SNAPSHOT, [Manifest("other", ())], base_url="https://staging.example", file="live.json")
    assert [problem.message for problem in raised.value.problems] == [
        'live.json contains no listing of organisation "other"',
        'live.json lists "acme" at https://api.example, not at https://staging.example',
    ]
    assert '"acme"' in raised.value.problems[0].hint


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(hours=3, minutes=59), "3 hours"),
        (timedelta(days=2, hours=1), "2 days"),
    ],
)
def test_an_age_is_told_in_words(passed: timedelta, words: str) -> None:
    assert age(passed) == words
