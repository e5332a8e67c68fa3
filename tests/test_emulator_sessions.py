from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from emulator_client import CHANNELS, Emulated, data, emulated, message


@pytest.fixture(scope="module")
def api() -> Iterator[Emulated]:
    with emulated() as running:
        yield running


def open_session(api: Emulated, channel: dict[str, Any], **body: object) -> httpx.Response:
    """The widget's call: without a key."""
    return httpx.post(f"{api.http.base_url}/web-chat/{channel['token']}/sessions", json={"visitorId": "v-1", **body})


def rotate(api: Emulated, channel: dict[str, Any]) -> str:
    secret: str = data(api.http.post(f"{CHANNELS}/{channel['id']}/identity-secret"), 201)["secret"]
    return secret


def sign(secret: str, identity: str) -> str:
    return hmac.new(secret.encode(), identity.encode(), hashlib.sha256).hexdigest()


def signed(secret: str, **identity: str) -> dict[str, str]:
    return {"mode": "host-identified", **identity, "hash": sign(secret, identity.get("userId") or identity["email"])}


def test_a_visitor_opens_an_anonymous_session_without_a_key(api: Emulated) -> None:
    channel = api.create()
    session = data(open_session(api, channel, pageUrl="https://www.example.com"), 201)
    assert (session["channelId"], session["visitorId"], session["identified"]) == (channel["id"], "v-1", False)


@pytest.mark.parametrize(
    "identity", [{"userId": "u-1"}, {"email": "a@example.com"}, {"userId": "ü", "email": "b@c.de"}]
)
def test_a_visitor_is_identified_by_the_hash_of_the_user_id_or_else_the_email(
    api: Emulated, identity: dict[str, str]
) -> None:
    channel = api.create()
    secret = rotate(api, channel)
    assert data(open_session(api, channel, **signed(secret, **identity)), 201)["identified"] is True
    assert message(open_session(api, channel, **signed(secret + "x", **identity)), 401)


def test_the_user_id_counts_before_the_email(api: Emulated) -> None:
    channel = api.create()
    by_email = signed(rotate(api, channel), email="a@example.com")
    assert message(open_session(api, channel, **by_email, userId="u-1"), 401) == "the hash does not match the identity"


def test_a_rotation_ends_the_old_secret_at_once_and_a_revocation_the_last(api: Emulated) -> None:
    channel = api.create()
    old, new = rotate(api, channel), rotate(api, channel)
    assert open_session(api, channel, **signed(old, userId="u-1")).status_code == 401
    assert open_session(api, channel, **signed(new, userId="u-1")).status_code == 201
    api.http.delete(f"{CHANNELS}/{channel['id']}/identity-secret")
    assert open_session(api, channel, **signed(new, userId="u-1")).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "host-identified"},
        {"mode": "host-identified", "userId": "u-1"},
        {"mode": "host-identified", "hash": sign("", "")},
        {"mode": "host-identified", "userId": "u-1", "hash": "é"},
    ],
)
def test_an_identity_that_cannot_be_verified_is_refused(api: Emulated, body: dict[str, str]) -> None:
    channel = api.create()
    rotate(api, channel)
    assert open_session(api, channel, **body).status_code == 401


def test_a_channel_that_requires_an_identity_refuses_anonymous_visitors(api: Emulated) -> None:
    channel = api.create()
    secret = rotate(api, channel)
    api.http.patch(f"{CHANNELS}/{channel['id']}", json={"identityRequired": True})
    assert message(open_session(api, channel), 401) == "the channel requires a verified identity"
    assert open_session(api, channel, **signed(secret, userId="u-1")).status_code == 201


def test_a_disabled_channel_and_an_unknown_token_open_no_session(api: Emulated) -> None:
    assert message(open_session(api, api.create(enabled=False)), 403) == "the channel is disabled"
    assert message(open_session(api, {"token": "nobody"}), 404) == "Web chat channel not found"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"visitorId": ""}, ["visitorId must be longer than or equal to 1 characters"]),
        ({"visitorId": 7, "userId": 8}, ["visitorId must be a string", "userId must be a string"]),
    ],
)
def test_a_session_needs_a_visitor_id(api: Emulated, body: dict[str, object], expected: list[str]) -> None:
    assert sorted(message(open_session(api, api.create(), **body), 400)) == sorted(expected)
