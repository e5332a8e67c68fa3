from __future__ import annotations

from dataclasses import fields

import pytest

from emulator_client import CHANNELS, CONVERSATION, data, emulated, message
from webchat_sync.emulator import Quirks
from webchat_sync.emulator.quirks import described, read_quirks
from webchat_sync.errors import InputError

SENT = {
    "name": " Sales ",
    "color": "#ABCDEF",
    "allowedDomains": [" WWW.Example.com"],
    "welcomeMessage": "Hola ",
}


def test_texts_are_trimmed_where_the_catalogue_says_that_it_makes_no_difference() -> None:
    with emulated(quirks=Quirks(trim_texts=True)) as api:
        channel = api.create(**SENT)
        assert {name: channel[name] for name in SENT} == {
            "name": "Sales",
            "color": "#ABCDEF",
            "allowedDomains": ["WWW.Example.com"],
            "welcomeMessage": "Hola",
        }
        hours = {"timezone": " UTC "}
        assert (
            data(api.http.patch(f"{CHANNELS}/{channel['id']}", json={"operatingHours": hours}))["operatingHours"]
            == hours
        )


def test_hosts_and_colours_are_stored_in_lower_case() -> None:
    with emulated(quirks=Quirks(lower_case=True)) as api:
        channel = api.create(**SENT)
        assert (channel["color"], channel["allowedDomains"]) == ("#abcdef", [" www.example.com"])
        assert (channel["name"], channel["welcomeMessage"]) == (" Sales ", "Hola ")


def test_nulls_are_dropped_from_answers_at_every_depth() -> None:
    with emulated(quirks=Quirks(drop_nulls=True)) as api:
        url = f"{CHANNELS}/{api.create()['id']}"
        channel = data(api.http.patch(url, json={"departments": [{"name": "Sales", "agents": None}]}))
        assert channel["departments"][0].keys() == {"id", "name"}
        assert None not in channel.values()
        assert api.list() == [channel]
        assert api.store.channels("acme")[0]["operatingHours"] is None


def test_keys_come_in_another_order() -> None:
    with emulated(quirks=Quirks(reorder_keys=True)) as api:
        channel = api.create()
        assert list(channel) == sorted(channel, reverse=True)
        assert list(channel) != list(api.store.channels("acme")[0])
        assert channel == api.store.channels("acme")[0]


def test_the_list_leaves_fields_out() -> None:
    with emulated(quirks=Quirks(omit=frozenset({"theme", "hasIdentitySecret"}))) as api:
        channel = api.create()
        assert channel.keys() - api.list()[0].keys() == {"theme", "hasIdentitySecret"}


def test_an_idempotency_key_is_honoured_only_as_a_quirk() -> None:
    for quirks, channels in ((Quirks(idempotency=True), 2), (Quirks(), 3)):
        with emulated(quirks=quirks) as api:
            ids = [
                data(api.http.post(CHANNELS, json={"name": "x"}, headers={"Idempotency-Key": key}), 201)["id"]
                for key in ("one", "one", "two")
            ]
            assert len(set(ids)) == channels
            assert [channel["id"] for channel in api.list()] == list(dict.fromkeys(ids))


def test_an_upload_may_answer_its_id_under_the_other_name() -> None:
    with emulated(quirks=Quirks(media_key="mediaId")) as api:
        answer = data(api.http.post(f"{CONVERSATION}/media", files={"file": b"x"}), 201)
        assert answer.keys() == {"mediaId", "url", "mimeType"}
        assert answer["mimeType"] == "application/octet-stream"


def test_every_mapping_inside_a_field_gets_an_id() -> None:
    with emulated(quirks=Quirks(ids_at_any_depth=True)) as api:
        url = f"{CHANNELS}/{api.create()['id']}"
        sent = {"breaks": [{"from": 1, "parts": [{"a": [[{"b": 2}]]}]}, "x"], "departments": [{"id": "mine"}]}
        stored = data(api.http.patch(url, json={"operatingHours": sent}))["operatingHours"]
        first = stored["breaks"][0]
        assert all([stored["id"], first["id"], first["parts"][0]["id"], first["parts"][0]["a"][0][0]["id"]])
        assert stored["departments"] == [{"id": "mine"}]
        assert api.list()[0]["operatingHours"] == stored


def test_answers_may_come_without_the_envelope() -> None:
    with emulated(quirks=Quirks(no_envelope=True)) as api:
        created = api.http.post(CHANNELS, json={"name": "x"}).json()
        assert created["name"] == "x"
        assert api.http.get(CHANNELS).json() == [created]
        assert message(api.http.post(CHANNELS, json={}), 400) == ["name should not be empty"]


def test_newer_servers_take_more_fields_on_create() -> None:
    newer = {
        *("requireEmailUpfront", "prechatFields", "typingIndicatorEnabled", "readReceiptEnabled", "voiceNotesEnabled"),
        *("theme", "offlineReplyEmailEnabled"),
    }
    body = {"name": "x", "theme": "dark", "prechatFields": [{"label": "Email"}], "voiceNotesEnabled": True}
    with emulated(quirks=Quirks(newer_create=True)) as api:
        assert api.create(**body)["theme"] == "dark"
        refused = message(api.http.post(CHANNELS, json={**body, "bubblePosition": "left"}), 400)
        assert refused == ["property bubblePosition should not exist"]
    with emulated() as api:
        refused = message(api.http.post(CHANNELS, json={**dict.fromkeys(newer), "name": "x"}), 400)
        assert {line.split()[1] for line in refused if line.startswith("property ")} == newer


def test_the_offline_action_may_be_one_of_a_few_names() -> None:
    with emulated(quirks=Quirks(offline_actions=("MESSAGE_ALLOW", "HIDE"))) as api:
        channel = api.create()
        assert channel["offlineAction"] == "MESSAGE_ALLOW"
        url = f"{CHANNELS}/{channel['id']}"
        assert data(api.http.patch(url, json={"offlineAction": "HIDE"}))["offlineAction"] == "HIDE"
        for wrong in ("message", {"type": "message"}, None):
            refused = message(api.http.patch(url, json={"offlineAction": wrong}), 400)
            assert refused == ["offlineAction must be one of the following values: MESSAGE_ALLOW, HIDE"]


@pytest.mark.parametrize(
    ("orders", "quirks"),
    [
        ([], Quirks()),
        (["drop-nulls", "ids-at-any-depth"], Quirks(drop_nulls=True, ids_at_any_depth=True)),
        (["omit=theme, color"], Quirks(omit=frozenset({"theme", "color"}))),
        (["offline-actions=A,B"], Quirks(offline_actions=("A", "B"))),
        (["media-key=mediaId"], Quirks(media_key="mediaId")),
    ],
)
def test_quirks_are_read_from_the_command_line(orders: list[str], quirks: Quirks) -> None:
    assert read_quirks(orders) == quirks


def test_every_order_that_is_no_quirk_is_told() -> None:
    orders = ["nulls", "drop-nulls=yes", "omit", "omit=,", "media-key=id", "trim-texts"]
    with pytest.raises(InputError) as refused:
        read_quirks(orders)
    assert [problem.message for problem in refused.value.problems] == [
        'there\'s no quirk "nulls"',
        "the quirk drop-nulls doesn't take a value",
        "the quirk omit needs a value",
        "the quirk omit needs a value",
        'the quirk media-key can\'t be "id"',
    ]
    assert all(problem.hint for problem in refused.value.problems)
    assert "media-key=mediaAssetId|mediaId" in refused.value.problems[0].hint


def test_every_quirk_is_described() -> None:
    assert len(described()) == len(fields(Quirks))
    assert all(len(about) > 20 for about in described().values())
