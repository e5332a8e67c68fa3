"""The client and the emulator held against what the vendor's documents say, as ``data/vendor.json`` restates it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import anyio
import httpx
import pytest

import loopback
from applying import client
from commands import Emulated, emulated
from emulator_client import CHANNELS, CONVERSATION, KEY, message
from planning import catalogue, declare
from webchat_sync.api import HostIdentity, Message, Mosend, Upload
from webchat_sync.api.types import MAX_MESSAGE_LENGTH, MessageType
from webchat_sync.domain.catalogue import Field
from webchat_sync.emulator import Quirks
from webchat_sync.errors import InputError
from webchat_sync.model import Secret
from webchat_sync.plan.requests import create_operations

VENDOR: Final[Mapping[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "vendor.json").read_text(encoding="utf-8")
)
FIELDS: Final = VENDOR["fields"]
NAMES: Final = [field["name"] for field in FIELDS]
ASSET = "6f1d6f0e-51c5-4a35-9c0b-0d6c8f0a7c11"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8
OF_TYPE: Final[Mapping[str, Any]] = {"boolean": True, "object": {"a": 1}, "number": 12.5, "string": "text", "array": []}


def good_values(fact: Mapping[str, Any]) -> list[Any]:
    """Values that the vendor accepts, those at the limits among them."""
    values = fact.get("good") or fact.get("choices") or [OF_TYPE[kind] for kind in fact["types"]]
    limits = [fact[limit] for limit in ("least", "most") if limit in fact]
    longest = ["x" * fact["longest"]] if "longest" in fact else []
    return [*values, *limits, *longest, *([None] if fact["null"] else [])]


def bad_values(fact: Mapping[str, Any]) -> list[Any]:
    """Values that the vendor refuses."""
    others = [value for kind, value in OF_TYPE.items() if kind not in fact["types"]]
    beyond = [fact["least"] - 1, fact["most"] + 1] if "least" in fact else []
    longer = ["x" * (fact["longest"] + 1)] if "longest" in fact else []
    stranger = ["stranger"] if "choices" in fact else []
    return [*others, *beyond, *longer, *stranger, *fact.get("bad", ()), *([] if fact["null"] else [None])]


def types_of(field: Field) -> set[str]:
    kinds = field.schema["type"]
    return {kinds} if isinstance(kinds, str) else set(kinds)


@pytest.mark.parametrize("fact", FIELDS, ids=NAMES)
def test_the_catalogue_says_of_each_field_what_the_vendor_says(fact: Mapping[str, Any]) -> None:
    field = catalogue().fields[fact["name"]]
    assert types_of(field) == {*fact["types"], *(["null"] if fact["null"] else [])}
    assert field.nullable is fact["null"]
    assert not field.read_only
    assert (field.create, field.newer_create) == (fact["create"] == "every", fact["create"] == "newer")
    keywords = {"maxLength": "longest", "minimum": "least", "maximum": "most", "enum": "choices"}
    assert {keyword: field.schema.get(keyword) for keyword in keywords} == {
        keyword: fact.get(name) for keyword, name in keywords.items()
    }


@pytest.mark.parametrize("name", VENDOR["read_only"])
def test_what_the_server_sets_cannot_be_declared(name: str) -> None:
    assert catalogue().fields[name].read_only


@pytest.fixture
def api() -> Iterator[Emulated]:
    with emulated({"name": "Support", "id": "c-1", "token": "tok"}) as running:
        yield running


def call(api: Emulated, method: str, path: str, body: Any) -> httpx.Response:
    return loopback.request(method, f"{api.url}{path}", json=body, headers=KEY)


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("fact", FIELDS, ids=NAMES)
def test_the_emulator_takes_and_refuses_what_the_vendor_does(api: Emulated, fact: Mapping[str, Any]) -> None:
    name = fact["name"]
    for value in good_values(fact):
        answer = call(api, "PATCH", f"{CHANNELS}/c-1", {name: value})
        assert (answer.status_code, value) == (200, value)
        assert answer.json().keys() == set(VENDOR["envelope"])
    for value in bad_values(fact):
        answer = call(api, "PATCH", f"{CHANNELS}/c-1", {name: value})
        assert (answer.status_code, value) == (400, value)
        assert answer.json().keys() == set(VENDOR["error"])


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("newer", [False, True])
def test_a_create_takes_the_fields_of_its_server(newer: bool) -> None:
    taken = {"every", "newer"} if newer else {"every"}
    with emulated(quirks=Quirks(newer_create=newer)) as api:
        for fact in FIELDS:
            answer = call(api, "POST", CHANNELS, {"name": "x", fact["name"]: good_values(fact)[0]})
            expected = 201 if fact["create"] in taken else 400
            assert (fact["name"], answer.status_code) == (fact["name"], expected)
            if expected == 400:
                assert answer.json()["message"] == [f"property {fact['name']} should not exist"]
        assert message(call(api, "POST", CHANNELS, {}), 400) == ["name should not be empty"]


def test_the_client_creates_with_what_every_server_takes() -> None:
    declaration = declare("x", **{fact["name"]: good_values(fact)[0] for fact in FIELDS if fact["name"] != "name"})
    create, *patch = create_operations(declaration, "acme", catalogue())
    assert create.body.keys() == {fact["name"] for fact in FIELDS if fact["create"] == "every"}
    assert {name for operation in patch for name in operation.body} == {*NAMES, "enabled"} - create.body.keys() | {
        "enabled"
    }


def session(api: Emulated, **body: Any) -> httpx.Response:
    return loopback.post(f"{api.url}/web-chat/tok/sessions", json={"visitorId": "v", "mode": "anonymous", **body})


@pytest.mark.slow
def test_the_emulator_opens_sessions_as_the_vendor_describes_them(api: Emulated) -> None:
    facts = VENDOR["session"]
    for name in facts["required"]:
        without = {key: value for key, value in {"visitorId": "v", "mode": "anonymous"}.items() if key != name}
        refused = loopback.post(f"{api.url}/web-chat/tok/sessions", json=without)
        assert message(refused, 400) == [f"{name} should not be empty"]
    for mode in facts["modes"]:
        assert session(api, mode=mode).status_code in {201, 401}
    assert session(api, mode="guest").status_code == 400
    for name, longest in facts["texts"].items():
        text = "a@example.com" if name == "email" else "x" * (longest or 1)
        assert (session(api, **{name: text}).status_code, name) == (201, name)
        if longest:
            assert (session(api, **{name: text + "x"}).status_code, name) == (400, name)
        assert (session(api, **{name: 7}).status_code, name) == (400, name)
    for name in facts["booleans"]:
        assert (session(api, **{name: True}).status_code, session(api, **{name: "yes"}).status_code) == (201, 400)
    for name in facts["objects"]:
        assert (session(api, **{name: {}}).status_code, session(api, **{name: []}).status_code) == (201, 400)
    assert session(api, utm=dict.fromkeys(facts["utm"], "x")).status_code == 201
    assert message(session(api, pageUrl="x"), 400) == ["property pageUrl should not exist"]
    assert session(api).json()["data"].keys() == set(facts["answer"])


def test_the_emulator_stores_messages_as_the_vendor_describes_them(api: Emulated) -> None:
    facts = VENDOR["message"]
    for kind in facts["types"]:
        body = {
            "type": kind,
            "body": "x" * facts["longest_body"],
            **({} if kind == "text" else {"mediaAssetId": ASSET}),
        }
        stored = call(api, "POST", f"{CONVERSATION}/send", body).json()["data"]
        assert stored.keys() == set(facts["answer"])
        assert stored["type"] == kind
        assert stored["direction"] in facts["direction"]
        assert stored["status"] in facts["status"]
        if kind == "text":
            assert stored["payload"]["body"] == body["body"]
        longer = {**body, "body": body["body"] + "x"}
        assert call(api, "POST", f"{CONVERSATION}/send", longer).status_code == 400
    refused = call(api, "POST", f"{CONVERSATION}/send", {"body": "x", "phoneNumberId": ASSET})
    assert message(refused, 400) == ["property phoneNumberId should not exist"]


def test_the_client_sends_no_message_and_no_identity_that_the_vendor_refuses() -> None:
    facts = VENDOR["message"]
    assert facts["longest_body"] == MAX_MESSAGE_LENGTH
    assert facts["types"] == list(get_args(MessageType))
    whole = Message("image", "x", ASSET, ASSET)
    assert whole.as_json().keys() == set(facts["properties"])
    with pytest.raises(InputError):
        Message("text", "x" * (facts["longest_body"] + 1))
    identity = HostIdentity("u", "a@example.com", Secret("s")).as_json()
    allowed = {"mode", *VENDOR["session"]["texts"]}
    assert identity.keys() <= allowed
    assert identity["mode"] in VENDOR["session"]["modes"]
    assert len(str(identity["hash"])) <= VENDOR["session"]["texts"]["hash"]


@pytest.mark.parametrize("form", VENDOR["key_forms"])
def test_a_key_is_taken_in_both_headers(api: Emulated, form: str) -> None:
    key = form.replace("<prefix>", "abc").replace("<secret>", "s3cret")
    for headers in ({"X-Api-Key": key}, {"Authorization": f"Bearer {key}"}):
        assert loopback.get(f"{api.url}{CHANNELS}", headers=headers).status_code == 200


async def _make(api: Mosend, channel: str) -> Any:
    return await api.rotate_identity_secret(channel)


CLIENT: Final[Mapping[str, Callable[[Mosend, str], Awaitable[Any]]]] = {
    "list": lambda api, _: api.list_channels(),
    "create": lambda api, _: api.create_channel({"name": "New"}, idempotency_key="once"),
    "update": lambda api, channel: api.update_channel(channel, {"theme": "dark"}),
    "snippet": lambda api, channel: api.get_snippet(channel),
    "make_secret": _make,
    "session": lambda api, _: api.open_session("tok", visitor_id="v", identity=None),
    "revoke_secret": lambda api, channel: api.revoke_identity_secret(channel),
    "send": lambda api, _: api.send_message("k-1", Message("text", "hello")),
    "upload": lambda api, _: api.upload_media("k-1", Upload("a.pdf", b"%PDF", "application/pdf")),
    "set_avatar": lambda api, channel: api.set_avatar(channel, Upload("a.png", PNG)),
    "remove_avatar": lambda api, channel: api.remove_avatar(channel),
    "delete": lambda api, channel: api.delete_channel(channel),
}


@pytest.mark.parametrize("quirks", [Quirks(), Quirks(no_envelope=True)], ids=["envelope", "bare"])
def test_each_call_of_the_client_is_one_of_the_vendors_and_is_answered_by_the_emulator(quirks: Quirks) -> None:
    assert [fact["name"] for fact in VENDOR["calls"]] == list(CLIENT)

    async def made(server: Emulated) -> None:
        async with client(server.url) as mosend:
            for fact in VENDOR["calls"]:
                await CLIENT[fact["name"]](mosend, "c-1")
                (taken,) = server.calls
                places = {"organization": "acme", "channel": "c-1", "conversation": "k-1", "token": "tok"}
                assert (taken.method, taken.path) == (fact["method"], fact["path"].format(**places))
                assert taken.status == fact["status"]
                server.calls.clear()

    with emulated({"name": "Support", "id": "c-1", "token": "tok"}, quirks=quirks) as server:
        anyio.run(made, server)


@pytest.mark.parametrize("fact", [fact for fact in VENDOR["calls"] if isinstance(fact.get("answers"), list)])
def test_the_emulator_answers_with_the_keys_that_the_vendor_names(api: Emulated, fact: Mapping[str, Any]) -> None:
    places = {"organization": "acme", "channel": "c-1", "conversation": "k-1", "token": "tok"}
    sent: dict[str, Any] = {}
    if fact["name"] == "session":
        sent = {"json": {"visitorId": "v", "mode": "anonymous"}}
    elif fact["name"] == "upload":
        sent = {"files": {"file": b"x"}}
    answer = loopback.request(fact["method"], f"{api.url}{fact['path'].format(**places)}", headers=KEY, **sent)
    assert answer.json()["data"].keys() == set(fact["answers"])


def test_a_page_has_the_vendors_page_info() -> None:
    with emulated({"name": "A"}, {"name": "B"}, page_size=1) as api:
        first = loopback.get(f"{api.url}{CHANNELS}", headers=KEY).json()
        assert first["pageInfo"].keys() == set(VENDOR["page"])
        cursor = first["pageInfo"]["endCursor"]
        last = loopback.get(f"{api.url}{CHANNELS}", params={"cursor": cursor}, headers=KEY).json()
        assert ([channel["name"] for channel in last["data"]], last["pageInfo"]["hasNextPage"]) == (["B"], False)
