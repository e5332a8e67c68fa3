from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

import loopback
from emulator_client import CHANNELS, Emulated, data, emulated, message
from webchat_sync.domain.catalogue import ANNOTATION, load_catalogue
from webchat_sync.emulator import Store

SEVEN = {
    "name": "Support",
    "color": "#0F766E",
    "welcomeMessage": " Hola ",
    "allowedDomains": ["WWW.example.com"],
    "precaptureEnabled": True,
    "botEnabled": True,
    "enabled": False,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Emulated]:
    with emulated() as running:
        yield running


@pytest.fixture
def api(server: Emulated) -> Emulated:
    for channel in server.list():
        server.http.delete(f"{CHANNELS}/{channel['id']}")
    return server


def test_a_new_channel_has_every_field_of_the_catalogue(api: Emulated) -> None:
    channel = api.create(name="Support")
    catalogue = load_catalogue()
    assert channel.keys() == catalogue.fields.keys()
    assert UUID(channel["id"])
    assert channel["organizationId"] == "acme"
    assert (channel["avatarUrl"], channel["hasIdentitySecret"]) == (None, False)
    assert datetime.fromisoformat(channel["createdAt"]).utcoffset() is not None
    defaults = {name: field.emulated_default for name, field in catalogue.declarable.items() if name != "name"}
    assert {name: channel[name] for name in defaults} == defaults
    assert api.list() == [channel]


def test_a_channel_is_created_with_the_seven_create_fields_as_they_were_sent(api: Emulated) -> None:
    channel = api.create(**SEVEN)
    assert {name: channel[name] for name in SEVEN} == SEVEN


def test_names_need_not_be_unique_and_the_list_is_in_order_of_creation(api: Emulated) -> None:
    created = [api.create(name=name)["id"] for name in ("b", "a", "b")]
    assert [channel["id"] for channel in api.list()] == created


def test_every_answer_carries_a_request_id_and_the_rate_limit(api: Emulated) -> None:
    answers = [api.http.get(CHANNELS), api.http.get("/nowhere")]
    assert answers[0].headers["x-request-id"] != answers[1].headers["x-request-id"]
    remaining = [int(answer.headers["X-RateLimit-Remaining"]) for answer in answers]
    assert remaining[1] == remaining[0] - 1
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"100000"}
    assert all(0 < int(answer.headers["X-RateLimit-Reset"]) <= 60 for answer in answers)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["name should not be empty"]),
        ({"name": ""}, ["name must be longer than or equal to 1 characters"]),
        ({"name": "x" * 101}, ["name must be shorter than or equal to 100 characters"]),
        ({"name": None}, ["name must be a string"]),
        ({"name": "x", "color": "red"}, ["color must match /^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$/ regular expression"]),
        (
            {"name": "x", "welcomeMessage": "x" * 501},
            ["welcomeMessage must be shorter than or equal to 500 characters"],
        ),
        ({"name": "x", "allowedDomains": "a.example"}, ["allowedDomains must be an array"]),
        ({"name": "x", "allowedDomains": [1, 2]}, ["each value in allowedDomains must be a string"]),
        ({"name": "x", "enabled": 1}, ["enabled must be a boolean value"]),
        ({"name": "x", "theme": "dark"}, ["property theme should not exist"]),
        ({"name": "x", "id": "mine"}, ["property id should not exist"]),
        (
            {"nam": "x", "botEnabled": "no"},
            ["property nam should not exist", "botEnabled must be a boolean value", "name should not be empty"],
        ),
    ],
)
def test_a_create_that_the_api_would_refuse_is_refused(api: Emulated, body: object, expected: list[str]) -> None:
    assert sorted(message(api.http.post(CHANNELS, json=body), 400)) == sorted(expected)
    assert api.list() == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"id": "mine"}, ["property id should not exist"]),
        ({"hasIdentitySecret": True}, ["property hasIdentitySecret should not exist"]),
        ({"colour": "#fff"}, ["property colour should not exist"]),
        ({"enabled": None}, ["enabled must be a boolean value"]),
        ({"theme": "blue"}, ["theme must be one of the following values: light, dark, auto"]),
        ({"bubbleOffsetX": -1}, ["bubbleOffsetX must not be less than 0"]),
        ({"bubbleOffsetX": 401}, ["bubbleOffsetX must not be greater than 400"]),
        ({"bubbleOffsetX": "4"}, ["bubbleOffsetX must be a number"]),
        ({"operatingHours": []}, ["operatingHours must be an object"]),
        ({"departments": ["Sales"]}, ["each value in departments must be an object"]),
        ({"offlineMessage": "x" * 501}, ["offlineMessage must be shorter than or equal to 500 characters"]),
    ],
)
def test_an_update_that_the_api_would_refuse_is_refused(api: Emulated, body: object, expected: list[str]) -> None:
    before = api.create()
    assert message(api.http.patch(f"{CHANNELS}/{before['id']}", json=body), 400) == expected
    assert api.list() == [before]


@pytest.mark.parametrize(
    "body", ["{", "[1]", "null", '"text"', '{"name": NaN}', '{"name": "\\ud800"}', b'{"name": "\xff"}']
)
def test_a_body_that_is_not_a_json_object_is_refused(api: Emulated, body: str | bytes) -> None:
    assert "the body" in message(api.http.post(CHANNELS, content=body), 400)
    assert api.list() == []


def test_an_update_leaves_absent_fields_alone_and_replaces_present_ones_whole(api: Emulated) -> None:
    before = api.create(color="#123456")
    url = f"{CHANNELS}/{before['id']}"
    data(api.http.patch(url, json={"operatingHours": {"timezone": "UTC", "days": {"mon": ["09:00-13:00"]}}}))
    after = data(api.http.patch(url, json={"operatingHours": {"days": {}}, "bubbleOffsetX": None, "theme": "dark"}))
    changed: dict[str, object] = {"operatingHours": {"days": {}}, "bubbleOffsetX": None, "theme": "dark"}
    assert after == {**before, **changed, "updatedAt": after["updatedAt"]}
    assert api.list() == [after]


def test_the_server_gives_items_of_keyed_lists_an_id_and_keeps_the_ids_it_is_sent(api: Emulated) -> None:
    url = f"{CHANNELS}/{api.create()['id']}"
    sales, support = data(api.http.patch(url, json={"departments": [{"name": "Sales"}, {"name": "Support"}]}))[
        "departments"
    ]
    assert UUID(sales["id"]) != UUID(support["id"])
    again = data(api.http.patch(url, json={"departments": [support, {"name": "Sales"}]}))["departments"]
    assert again[0] == support
    assert again[1]["id"] not in (sales["id"], support["id"])


def test_a_field_added_to_the_catalogue_at_run_time_is_created_updated_and_listed() -> None:
    schema: dict[str, Any] = copy.deepcopy(dict(load_catalogue().schema))
    schema["properties"]["slogan"] = {"type": ["string", "null"], "maxLength": 5, ANNOTATION: {"create": True}}
    schema["properties"]["badges"] = {
        "type": "array",
        "items": {"type": "object"},
        ANNOTATION: {"listType": "map", "listMapKeys": ["key"], "serverKeys": ["key"], "emulated": []},
    }
    with emulated(Store(catalogue=load_catalogue(schema))) as api:
        channel = api.create(slogan="Hello")
        assert (channel["slogan"], channel["badges"]) == ("Hello", [])
        url = f"{CHANNELS}/{channel['id']}"
        refused = message(api.http.patch(url, json={"slogan": "too long"}), 400)
        assert refused == ["slogan must be shorter than or equal to 5 characters"]
        data(api.http.patch(url, json={"slogan": None, "badges": [{"text": "new"}]}))
        listed = api.list()[0]
        assert listed["slogan"] is None
        assert listed["badges"] == [{"text": "new", "key": listed["badges"][0]["key"]}]


def test_a_deleted_channel_is_gone(api: Emulated) -> None:
    gone, stays = api.create(), api.create()
    assert data(api.http.delete(f"{CHANNELS}/{gone['id']}")) == {"success": True}
    assert api.list() == [stays]
    assert message(api.http.delete(f"{CHANNELS}/{gone['id']}"), 404) == "Web chat channel not found"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/snippet"),
        ("POST", "/identity-secret"),
        ("DELETE", "/identity-secret"),
        ("DELETE", "/avatar"),
    ],
)
def test_a_channel_is_found_only_in_its_own_organisation(api: Emulated, method: str, path: str) -> None:
    url = f"{CHANNELS}/{api.create()['id']}{path}".replace("acme", "other")
    assert message(api.http.request(method, url), 404) == "Web chat channel not found"


@pytest.mark.parametrize(("method", "path"), [("PUT", CHANNELS), ("GET", "/channels"), ("POST", f"{CHANNELS}/x/y")])
def test_a_call_that_the_api_does_not_have_is_not_found(api: Emulated, method: str, path: str) -> None:
    assert message(api.http.request(method, path), 404) == f"Cannot {method} {path}"


def test_the_snippet_carries_the_token(api: Emulated) -> None:
    channel = api.create()
    html = data(api.http.get(f"{CHANNELS}/{channel['id']}/snippet"))["html"]
    assert re.search(rf"<script [^>]*{channel['token']}", html)


def test_an_identity_secret_is_shown_once_and_never_listed(api: Emulated) -> None:
    channel = api.create()
    url = f"{CHANNELS}/{channel['id']}/identity-secret"
    first, second = (data(api.http.post(url), 201) for _ in range(2))
    assert first.keys() == second.keys() == {"secret", "rotatedAt"}
    assert first["secret"] != second["secret"]
    listing = api.http.get(CHANNELS)
    assert data(listing)[0]["hasIdentitySecret"] is True
    assert first["secret"] not in listing.text
    assert second["secret"] not in listing.text
    data(api.http.delete(url))
    assert api.list()[0]["hasIdentitySecret"] is False


@pytest.mark.parametrize(
    ("content", "ending"),
    [(b"\x89PNG\r\n\x1a\n...", ".png"), (b"\xff\xd8\xff...", ".jpg"), (b"RIFF\x04\x00\x00\x00WEBP...", ".webp")],
)
def test_an_avatar_is_set_and_removed(api: Emulated, content: bytes, ending: str) -> None:
    url = f"{CHANNELS}/{api.create()['id']}/avatar"
    avatar = data(api.http.post(url, files={"file": ("me", content)}), 201)["avatarUrl"]
    assert avatar.endswith(ending)
    assert api.list()[0]["avatarUrl"] == avatar
    data(api.http.delete(url))
    assert api.list()[0]["avatarUrl"] is None


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"files": {"file": ("me.png", b"GIF89a")}}, "file must be a PNG, JPG or WebP image"),
        (
            {"files": {"file": ("me.jpg", b"\xff\xd8\xff" + bytes(8 * 1024 * 1024))}},
            "file must not be larger than 8388608",
        ),
        ({"files": {"image": ("me.jpg", b"\xff\xd8\xff")}}, "file should not be empty"),
        ({"json": {"file": "me.jpg"}}, "file should not be empty"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, "Missing boundary"),
    ],
)
def test_an_avatar_that_the_api_would_refuse_is_refused(api: Emulated, sent: dict[str, Any], expected: str) -> None:
    url = f"{CHANNELS}/{api.create()['id']}/avatar"
    assert message(api.http.post(url, **sent), 400).startswith(expected)
    assert api.list()[0]["avatarUrl"] is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Api-Key": "mk_live_abc.s3cret"}, 200),
        ({"X-Api-Key": "mk_test_abc.s3cret"}, 200),
        ({"Authorization": "Bearer eyJ.e30.c2ln"}, 200),
        ({}, 401),
        ({"X-Api-Key": "mk_live_abc"}, 401),
        ({"X-Api-Key": "eyJ.e30.c2ln"}, 401),
        ({"Authorization": "Bearer mk_live_abc.s3cret"}, 200),
        ({"Authorization": "Bearer mk_live_abc"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Basic eyJ.e30.c2ln"}, 401),
    ],
)
def test_keys_go_in_one_header_and_other_tokens_in_another(api: Emulated, headers: dict[str, str], status: int) -> None:
    assert loopback.get(f"{api.http.base_url}{CHANNELS}", headers=headers).status_code == status


def test_only_known_keys_are_let_in_when_keys_are_given() -> None:
    with emulated(keys={"mk_test_abc.s3cret", "eyJ.e30.c2ln"}) as api:
        assert api.list() == []
        assert message(api.http.get(CHANNELS, headers={"X-Api-Key": "mk_test_abc.other"}), 401) == "Unauthorized"
        bearer = {"Authorization": "Bearer eyJ.e30.c2ln", "X-Api-Key": ""}
        assert data(api.http.get(CHANNELS, headers=bearer)) == []


def test_creates_in_parallel_are_all_kept(api: Emulated) -> None:
    with ThreadPoolExecutor(20) as pool:
        created = set(pool.map(lambda number: api.create(name=f"n{number}")["id"], range(20)))
    assert len(created) == 20
    assert {channel["id"] for channel in api.list()} == created
