from __future__ import annotations

from emulator_client import CHANNELS, CONVERSATION, data, emulated
from webchat_sync.emulator import Quirks

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
