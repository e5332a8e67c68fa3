from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

import loopback
from emulator_client import CHANNELS, Emulated, data, emulated, message
from webchat_sync.emulator import Quirks


@pytest.fixture(scope="module")
def api() -> Iterator[Emulated]:
    with emulated() as running:
        yield running


MODES = "mode must be one of the following values: anonymous, identified, verify-otp, host-identified"


def open_session(api: Emulated, channel: dict[str, Any], **body: object) -> httpx.Response:
    """The widget's call: without a key."""
    return loopback.post(
        f"{api.http.base_url}/web-chat/{channel['token']}/sessions",
        json={"visitorId": "v-1", "mode": "anonymous", **body},
    )


def rotate(api: Emulated, channel: dict[str, Any]) -> str:
    secret: str = data(api.http.post(f"{CHANNELS}/{channel['id']}/identity-secret"), 201)["secret"]
    return secret


def sign(secret: str, identity: str) -> str:
    return hmac.new(secret.encode(), identity.encode(), hashlib.sha256).hexdigest()


def signed(secret: str, **identity: str) -> dict[str, str]:
    return {"mode": "host-identified", **identity, "hash": sign(secret, identity.get("userId") or identity["email"])}


def test_a_visitor_opens_an_anonymous_session_without_a_key(api: Emulated) -> None:
    channel = api.create()
    session = data(open_session(api, channel, url="https://www.example.com/prices"), 201)
    assert session.keys() == {"sessionToken", "visitorId", "identityVerified", "expiresAt"}
    assert (session["visitorId"], session["identityVerified"]) == ("v-1", False)
    assert datetime.fromisoformat(session["expiresAt"]) > datetime.now(UTC)


@pytest.mark.parametrize(
    "identity", [{"userId": "u-1"}, {"email": "a@example.com"}, {"userId": "ü", "email": "b@c.de"}]
)
def test_a_visitor_is_identified_by_the_hash_of_the_user_id_or_else_the_email(
    api: Emulated, identity: dict[str, str]
) -> None:
    channel = api.create()
    secret = rotate(api, channel)
    assert data(open_session(api, channel, **signed(secret, **identity)), 201)["identityVerified"] is True
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
        ({"mode": "guest"}, [MODES]),
        ({"pageUrl": "https://a.example"}, ["property pageUrl should not exist"]),
        ({"userId": "u" * 201}, ["userId must be shorter than or equal to 200 characters"]),
        ({"hash": "h" * 129}, ["hash must be shorter than or equal to 128 characters"]),
        ({"departmentId": "d" * 41}, ["departmentId must be shorter than or equal to 40 characters"]),
        ({"avatarUrl": "a" * 2049}, ["avatarUrl must be shorter than or equal to 2048 characters"]),
        ({"email": "nobody"}, ["email must be a email"]),
        (
            {"acceptOffline": "yes", "attributes": []},
            ["acceptOffline must be a boolean value", "attributes must be an object"],
        ),
        ({"utm": {"source": 1}}, ["utm.source must be a string"]),
        ({"visitorId": 7, "userId": 8}, ["visitorId must be a string", "userId must be a string"]),
    ],
)
def test_what_no_session_is_opened_with_is_refused(api: Emulated, body: dict[str, object], expected: list[str]) -> None:
    assert sorted(message(open_session(api, api.create(), **body), 400)) == sorted(expected)


def test_a_session_needs_a_visitor_and_a_mode(api: Emulated) -> None:
    url = f"{api.http.base_url}/web-chat/{api.create()['token']}/sessions"
    assert message(loopback.post(url, json={}), 400) == ["visitorId should not be empty", "mode should not be empty"]


@pytest.mark.parametrize("mode", ["anonymous", "identified", "verify-otp"])
def test_nobody_is_verified_without_a_signature(api: Emulated, mode: str) -> None:
    whole = {"name": "Ana", "email": "ana@example.com", "otp": "123456", "utm": {"source": "x", "content": "y"}}
    session = data(open_session(api, api.create(), mode=mode, **whole), 201)
    assert session["identityVerified"] is False


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize(
    ("domains", "origin", "status"),
    [
        (["www.example.com"], "https://www.example.com", 201),
        (["www.example.com"], "https://WWW.example.com", 201),
        (["www.example.com"], "https://example.com", 403),
        (["www.example.com"], "", 403),
        (["*.example.com"], "https://a.b.example.com", 201),
        (["*.example.com"], "https://example.com", 403),
        (["*.example.com"], "https://badexample.com", 403),
        (["*"], "https://example.com", 201),
        (["bücher.de", "localhost:3000"], "https://xn--bcher-kva.de", 201),
        (["bücher.de", "localhost:3000"], "http://localhost:3000", 201),
        (["localhost:3000"], "http://localhost:4000", 403),
        ([], "", 201),
    ],
)
def test_the_origin_is_checked_only_as_a_quirk(domains: list[str], origin: str, status: int) -> None:
    for quirks, expected in ((Quirks(check_origin=True), status), (Quirks(), 201)):
        with emulated(quirks=quirks) as api:
            channel = api.create(allowedDomains=domains)
            answer = loopback.post(
                f"{api.http.base_url}/web-chat/{channel['token']}/sessions",
                json={"visitorId": "v", "mode": "anonymous"},
                headers={"Origin": origin} if origin else {},
            )
            assert answer.status_code == expected
