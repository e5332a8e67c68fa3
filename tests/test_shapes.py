"""What live channels show of fields whose inside nobody has published: as text, JSON, and JSON Schema for editors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from commands import Emulated, Finished, emulated, invoke
from planning import catalogue, live
from sizes import examples
from webchat_sync.domain.catalogue import load_schema, whole_schema
from webchat_sync.model import Json
from webchat_sync.plan.shapes import MOST_KEYS, Example, observe, observe_field, observe_fields
from webchat_sync.plan.shapes_schema import DEEPEST, shapes_schema, with_learned

API_KEY = "mk_live_abcdefgh.ijklmnop1234"
SUPPORT: dict[str, Any] = {
    "name": "Support",
    "proactiveTriggers": [
        {
            "id": "t1",
            "message": "Do you need help to choose a plan that fits your team?",
            "urlPattern": "/pricing",
            "conditions": {"seconds": 5, "pages": ["/a", "/b"]},
        },
        {"id": "t2", "message": "Hi", "urlPattern": "/plans", "enabled": True, "conditions": {"seconds": 9.5}},
    ],
    "departments": [{"id": "d1", "name": "Sales", "apiToken": "Zx81Kqq02jjKd77aQpL0"}],
    "operatingHours": {"timezone": "Europe/Madrid", "days": {"mon": ["09:00-13:00"], "tue": []}},
    "offlineAction": "MESSAGE_ALLOW",
    "stickers": [1, 2],
}
SALES: dict[str, Any] = {
    "name": "Sales",
    "proactiveTriggers": [{"id": "t3", "message": API_KEY, "urlPattern": "/docs"}],
    "departments": None,
    "offlineAction": "HIDE",
}
TEXT = """\
operatingHours     a mapping or null  in 1 of 2 channels
  timezone         text               in 1 of 1           "Europe/Madrid"
  days             a mapping          in 1 of 1
    mon            a list             in 1 of 1
      (each item)  text               1 item              "09:00-13:00"
    tue            a list             in 1 of 1
      (each item)                     0 items

offlineAction  text  in 2 of 2 channels  "MESSAGE_ALLOW", "HIDE"

departments    a list or null  in 1 of 2 channels
  (each item)  a mapping       1 item
    id         text            in 1 of 1           "d1"
    name       text            in 1 of 1           "Sales"
    apiToken   text            in 1 of 1           "***"

proactiveTriggers    a list             in 2 of 2 channels
  (each item)        a mapping          3 items
    id               text               in 3 of 3           "t1", "t2", "t3"
    message          text               in 3 of 3           "Do you need help to choose a plan that …", "Hi", "***"
    urlPattern       text               in 3 of 3           "/pricing", "/plans", "/docs"
    conditions       a mapping          in 2 of 3
      seconds        a number           in 2 of 2           5, 9.5
      pages          a list             in 1 of 2
        (each item)  text               2 items             "/a", "/b"
    enabled          a yes-or-no value  in 1 of 3           true

stickers       a list    in 1 of 2 channels
  (each item)  a number  2 items             1, 2

In no live channel: prechatFields.
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server whose organisation has both channels, and a snapshot of it in the current folder."""
    monkeypatch.chdir(tmp_path)
    with emulated(SUPPORT, SALES) as api:
        assert api.invoke("snapshot", "--out", "live.json").code == 0
        api.calls.clear()
        yield api


def shapes(*arguments: object, environ: dict[str, str] | None = None) -> Finished:
    return invoke("shapes", *arguments, environ=environ)


def test_each_key_is_shown_with_its_types_how_often_it_is_there_and_some_values(acme: Emulated) -> None:
    done = acme.invoke("shapes")
    assert (done.code, done.out, done.err) == (0, TEXT, "")
    assert acme.taken_calls() == ["GET"]


def test_a_snapshot_shows_the_same_without_a_key_or_a_network(acme: Emulated) -> None:
    done = shapes("--live", "live.json")
    assert (done.code, done.out) == (0, TEXT)
    assert done.err.startswith("Learned from live.json, a snapshot that is less than a minute old")
    assert done.err.endswith("not from what is live.\n")
    assert acme.taken_calls() == []


@pytest.mark.parametrize("source", ["live", "snapshot"])
def test_json_is_as_its_schema_says_and_says_the_same(acme: Emulated, source: str) -> None:
    done = (
        shapes("--live", "live.json", "--format", "json")
        if source == "snapshot"
        else acme.invoke("shapes", "--format", "json")
    )
    document = done.json()
    Draft202012Validator(load_schema("shapes"), format_checker=FormatChecker()).validate(document)
    assert (document["live_created_at"] is None) is (source == "live")
    (organization,) = document["organizations"]
    assert (organization["organization"], organization["channels"]) == ("acme", 2)
    places = {place["path"]: place for field in organization["fields"] for place in field["places"]}
    assert places["departments"]["types"] == {"array": 1, "null": 1}
    assert places["proactiveTriggers[].conditions.seconds"] == {
        "path": "proactiveTriggers[].conditions.seconds",
        "types": {"number": 2},
        "count": 2,
        "of": 2,
        "examples": [5, 9.5],
    }


@pytest.mark.parametrize("form", ["text", "json", "schema"])
@pytest.mark.usefixtures("acme")
def test_no_format_shows_a_key_or_what_may_be_a_secret(form: str) -> None:
    shown = shapes("--live", "live.json", "--format", form).out
    assert "urlPattern" in shown
    assert "ijklmnop1234" not in shown
    assert "Zx81Kqq02jjKd77aQpL0" not in shown


@pytest.mark.usefixtures("acme")
def test_the_schema_offers_whole_values_and_no_id_of_the_server() -> None:
    items = shapes("--live", "live.json", "--format", "schema").json()["properties"]["proactiveTriggers"]["items"]
    assert items["properties"]["message"]["examples"] == ["Hi"]
    assert "examples" not in items["properties"]["id"]
    assert items["properties"]["id"]["description"].endswith("Set by the server.")
    nested = observe_fields([live("A", "c-1", departments=[{"agents": [{"id": "a-1", "name": "Ana"}]}])], catalogue())
    agents = shapes_schema(nested, catalogue())["properties"]["departments"]["items"]["properties"]["agents"]["items"]
    assert {key: "examples" in inner for key, inner in agents["properties"].items()} == {"id": False, "name": True}
    assert items["properties"]["enabled"] == {
        "type": "boolean",
        "description": "A yes-or-no value; in 1 of 3 live values.",
        "examples": [True],
    }


def test_what_manifests_bring_along_is_known_and_their_organisations_are_meant(acme: Emulated) -> None:
    entry = "stickers: {type: array, items: {type: number}}"
    Path("channels.yaml").write_text(f"version: 1\norganization: acme\nsettings: {{extraFields: {{{entry}}}}}\n")
    done = shapes("channels.yaml", "--live", "live.json")
    assert (done.code, "stickers" in done.out) == (0, False)
    Path("named.yaml").write_text("version: 1\norganization: acme\nsettings: {extraFields: [stickers]}\n")
    assert "stickers " in acme.invoke("shapes", "named.yaml").out


@pytest.mark.usefixtures("acme")
def test_organisations_are_shown_apart_and_learned_from_together() -> None:
    document = json.loads(Path("live.json").read_text())
    other = {
        **document["listings"][0],
        "organization": "other",
        "channels": [{"id": "x", "name": "X", "departments": ["a"]}],
    }
    empty = {**other, "organization": "empty", "channels": []}
    Path("all.json").write_text(json.dumps({**document, "listings": [*document["listings"], other, empty]}))
    text = shapes("--live", "all.json").out
    assert text.index("Organisation acme:") < text.index("Organisation other:") < text.index("Organisation empty:")
    assert re.search(r"^departments +a list +in 1 of 1 channel$", text, re.MULTILINE)
    assert text.endswith("Organisation empty:\n\nThere are no live channels.\n")
    learned = shapes("--live", "all.json", "--format", "schema").json()["properties"]
    assert learned["departments"]["items"]["type"] == ["object", "string"]
    assert "Organization" not in shapes("--live", "all.json", "--org", "other").out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            [],
            1,
            "no organisation is given\n  Use --org ID, set MOSEND_ORG_ID, or give the path of manifests that name it.",
        ),
        (["--live", "missing.json"], 1, "can't read missing.json"),
        (["--live", "live.json", "--org", "none"], 1, 'live.json contains no listing of organisation "none"'),
        (["--live", "live.json", "--base-url", "http://elsewhere"], 1, "not at http://elsewhere"),
        (["--live", "broken.json"], 1, "broken.json:1:2"),
        (["missing.yaml", "--live", "live.json"], 1, "missing.yaml"),
        (["--format", "yaml"], 64, '"yaml" isn\'t one of'),
    ],
)
@pytest.mark.usefixtures("acme")
def test_what_cannot_be_looked_at_is_said(arguments: list[str], code: int, said: str) -> None:
    Path("broken.json").write_text("{")
    done = shapes(*arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_many_keys_are_data_and_no_names() -> None:
    by_id: dict[str, Json] = {f"id-{index}": {"name": "x"} for index in range(MOST_KEYS + 1)}
    seen = observe([by_id])
    assert seen.keys == {}
    assert seen.members is not None
    assert {key: inner.count for key, inner in seen.members.keys.items()} == {"name": MOST_KEYS + 1}
    assert len(observe([dict(list(by_id.items())[1:])]).keys) == MOST_KEYS


def test_null_is_the_last_of_the_types() -> None:
    assert list(observe([None, "a", None, 1]).types) == ["string", "number", "null"]


def test_examples_are_the_first_scalars_without_repetition() -> None:
    values: list[Json] = [None, ["b"], {"c": "d"}, "x", "x", 2, True, "more"]
    assert [example.value for example in observe(values).examples] == ["x", 2, True]


@pytest.mark.parametrize(
    ("text", "example"), [("x" * 40, Example("x" * 40, whole=True)), ("x" * 41, Example("x" * 39 + "…", whole=False))]
)
def test_an_example_has_at_most_forty_characters(text: str, example: Example) -> None:
    assert observe([text]).examples == (example,)


SECRET = "Zx81Kqq02jjKd77aQpL0"
BY_ID: dict[str, Json] = {f"id-{index}": SECRET for index in range(MOST_KEYS + 1)}


@pytest.mark.parametrize("name", ["apiToken", "stickers"])
@pytest.mark.parametrize(
    "value",
    [SECRET, [SECRET], [[SECRET]], {"a": SECRET}, [{"a": [SECRET]}], BY_ID, [BY_ID], {"a": BY_ID}],
    ids=["text", "list", "lists", "mapping", "mappings", "data", "list of data", "mapping of data"],
)
def test_random_text_at_any_depth_below_the_name_of_a_secret_is_no_example(name: str, value: Json) -> None:
    stickers: Json = value if name == "apiToken" else {"apiToken": value}
    shown = repr(observe_fields([live("A", "c-1", **{name: stickers})], catalogue()))
    assert (SECRET in shown, "'***'" in shown) == (False, True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=25,
)


@settings(deadline=None, max_examples=examples(30, thorough=300))
@given(st.lists(JSON, min_size=1, max_size=5))
def test_whatever_was_learned_from_fits_the_schema_and_is_counted(values: list[Json]) -> None:
    channels = [live(str(index), f"c-{index}", stickers=value) for index, value in enumerate(values)]
    schema = shapes_schema(observe_fields(channels, catalogue()), catalogue())
    Draft202012Validator.check_schema(schema)
    for channel in channels:
        Draft202012Validator(schema).validate(channel.fields)
    assert observe(values).count == len(values)


def test_the_schema_of_what_was_observed() -> None:
    entry = {
        "type": "array",
        "items": {"type": "object", "properties": {"owner": {"x-webchat-sync": {"serverKeys": ["hash"]}}}},
    }
    channels = [
        live(
            "A",
            "c-1",
            departments=[{"id": "d1", "name": "Sales", "open": True}, {"name": None}, "all"],
            colours={f"id-{index}": {"red": index} for index in range(MOST_KEYS + 1)},
            stickers=[{"owner": {"hash": "h1", "team": "T"}}],
        ),
        live("B", "c-2", departments=None),
    ]
    names = ("departments", "colours", "stickers", "offlineAction")
    observed = {name: observe_field(name, channels) for name in names}
    assert shapes_schema(observed, catalogue().extended({"stickers": entry})) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What live channels have in fields whose structure isn't documented",
        "type": "object",
        "properties": {
            "departments": {
                "type": ["array", "null"],
                "items": {
                    "type": ["object", "string"],
                    "properties": {
                        "id": {
                            "type": "string",
                            "description": "Text; in 1 of 2 live values. Set by the server.",
                        },
                        "name": {
                            "type": ["string", "null"],
                            "description": "Text or null; in 2 of 2 live values.",
                            "examples": ["Sales"],
                        },
                        "open": {
                            "type": "boolean",
                            "description": "A yes-or-no value; in 1 of 2 live values.",
                            "examples": [True],
                        },
                    },
                    "examples": ["all"],
                },
            },
            "colours": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "red": {
                            "type": "number",
                            "description": f"A number; in {MOST_KEYS + 1} of {MOST_KEYS + 1} live values.",
                            "examples": [0, 1, 2],
                        }
                    },
                },
            },
            "stickers": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "owner": {
                            "type": "object",
                            "description": "A mapping; in 1 of 1 live value.",
                            "properties": {
                                "hash": {
                                    "type": "string",
                                    "description": "Text; in 1 of 1 live value. Set by the server.",
                                },
                                "team": {
                                    "type": "string",
                                    "description": "Text; in 1 of 1 live value.",
                                    "examples": ["T"],
                                },
                            },
                        }
                    },
                },
            },
        },
    }


@pytest.mark.parametrize("keyword", ["properties", "additionalProperties", "items"])
def test_a_schema_has_at_most_forty_levels(keyword: str) -> None:
    others: dict[str, Json] = {f"id-{index}": 1 for index in range(MOST_KEYS)}
    value: Json = 1
    for _ in range(DEEPEST + 5):
        match keyword:
            case "properties":
                value = {"a": value}
            case "additionalProperties":
                value = {"a": value, **others}
            case _:
                value = [value]
    schema = shapes_schema({"stickers": observe([value])}, catalogue())["properties"]["stickers"]
    levels = 0
    while keyword in schema:
        schema = schema["properties"]["a"] if keyword == "properties" else schema[keyword]
        levels += 1
    assert levels == DEEPEST


def test_learned_fields_are_offered_where_manifests_declare_or_define_them() -> None:
    plain = whole_schema("manifest")
    items = {"properties": {"b": {"description": "Inside."}}}
    offered = {
        "description": "Learned.",
        "additionalProperties": {"examples": [False, True]},
        "properties": {"a": {"examples": [1]}},
        "items": items,
    }
    learned = {
        "type": "object",
        "description": "Learned.",
        "required": ["a"],
        "additionalProperties": {"type": "boolean", "examples": [True]},
        "properties": {"a": {"type": "number", "examples": [1]}},
        "items": {"type": "object", "properties": {"b": {"type": "string", "description": "Inside."}}},
    }
    names = ["stickers", "departments", "id"]
    taught = with_learned(plain, {"properties": dict.fromkeys(names, learned)}, catalogue())
    fields, channel = "fields.schema.json", "channel.schema.json"
    entry = plain["$defs"][channel]["properties"]["departments"]
    expected = json.loads(json.dumps(plain))
    expected["$defs"][fields]["$defs"]["spelled"]["properties"] = {"stickers": offered}
    expected["$defs"][channel]["properties"]["departments"] = {
        **offered,
        **entry,
        "items": {**items, **entry["items"]},
    }
    assert taught == expected
    Draft202012Validator.check_schema(taught)


@pytest.mark.parametrize(("own", "joined"), [(None, ["a", "b"]), (["a"], ["a", "b"]), (["b", "c"], ["b", "c", "a"])])
def test_learned_examples_follow_those_of_the_catalogue(own: list[Json] | None, joined: list[Json]) -> None:
    plain = whole_schema("manifest")
    entries = plain["$defs"]["channel.schema.json"]["properties"]
    entries["departments"].pop("examples", None)
    if own is not None:
        entries["departments"]["examples"] = own
    learned = {"properties": {"departments": {"examples": ["a", "b"]}}}
    taught = with_learned(plain, learned, catalogue())["$defs"]["channel.schema.json"]["properties"]
    assert taught["departments"]["examples"] == joined


@settings(deadline=None, max_examples=examples(30, thorough=300))
@given(JSON, JSON)
def test_what_is_folded_in_refuses_nothing(learned_from: Json, declared: Json) -> None:
    channels = [live("A", "c-1", departments=[learned_from], offlineAction=learned_from, stickers=learned_from)]
    schema = shapes_schema(observe_fields(channels, catalogue()), catalogue())
    plain = whole_schema("manifest")
    taught = with_learned(plain, schema, catalogue())
    Draft202012Validator.check_schema(taught)
    manifest = {
        "version": 1,
        "settings": {"extraFields": ["stickers"]},
        "channels": [{"name": "A", "departments": [declared], "offlineAction": declared, "stickers": declared}],
    }
    before, after = (
        sorted(str(error.message) for error in Draft202012Validator(one).iter_errors(manifest))
        for one in (plain, taught)
    )
    assert before == after


@pytest.mark.usefixtures("acme")
def test_the_schema_of_manifests_takes_in_what_was_learned() -> None:
    Path("learned.json").write_text(shapes("--live", "live.json", "--format", "schema").out)
    taught = invoke("schema", "manifest", "--learned", "learned.json").json()
    Draft202012Validator.check_schema(taught)
    triggers = taught["$defs"]["channel.schema.json"]["properties"]["proactiveTriggers"]["items"]["properties"]
    assert triggers["conditions"]["properties"]["seconds"]["examples"] == [5, 9.5]
    manifest = {"version": 1, "channels": [{"name": "A", "proactiveTriggers": [{"conditions": "${X}", "more": 1}]}]}
    Draft202012Validator(taught).validate(manifest)


def test_a_schema_of_very_deep_values_can_be_read_again(tmp_path: Path) -> None:
    value: Json = 1
    for _ in range(45):
        value = [{"a": value}]
    with emulated({"name": "Deep", "departments": value}) as api:
        learned = api.invoke("shapes", "--format", "schema")
        assert api.invoke("shapes").out.count("(each item)") == 45
    (tmp_path / "learned.json").write_text(learned.out)
    assert invoke("schema", "manifest", "--learned", tmp_path / "learned.json").code == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "learned.json:1:2"),
        ("[]", "this isn't a JSON Schema with `properties`"),
        ('{"properties": []}', "this isn't a JSON Schema with `properties`"),
        ('{"properties": {}, "properties": {}}', "learned.json:1"),
    ],
)
def test_what_is_no_learned_schema_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("learned.json").write_text(content)
    done = invoke("schema", "manifest", "--learned", "learned.json")
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert "webchat-sync shapes --format schema" in done.err


@pytest.mark.parametrize(
    "inner", ["null", "1", '{"items": 1, "properties": [], "description": 2, "type": {}}', '{"properties": {"a": 1}}']
)
def test_a_schema_of_somebodys_own_is_taken_as_far_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inner: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("learned.json").write_text(f'{{"properties": {{"departments": {inner}, "new": {inner}, "id": {inner}}}}}')
    done = invoke("schema", "manifest", "--learned", "learned.json")
    assert (done.code, done.err) == (0, "")
    Draft202012Validator.check_schema(done.json())


def test_only_the_schema_of_manifests_can_learn(tmp_path: Path) -> None:
    assert invoke("schema", "plan", "--learned", tmp_path / "learned.json").code == 64


MANIFEST = """\
version: 1
organization: acme
settings: {learn: %s}
channels:
  - name: Support
    proactiveTriggers:
      - {message: Hello, urlPatern: /x}
"""


def test_a_plan_warns_of_a_key_that_nothing_live_has_without_another_call(acme: Emulated) -> None:
    Path("channels.yaml").write_text(MANIFEST % "true")
    planned = acme.invoke("plan", "channels.yaml", "--strict", "--detailed-exitcode")
    assert planned.code == 2
    assert '! warning: "urlPatern" is in none of the 3 live triggers; did you mean\n      "urlPattern"?' in planned.out
    assert acme.taken_calls() == ["GET"]
    against = invoke("plan", "channels.yaml", "--live", "live.json", "--format", "markdown")
    assert '**warning**: `"urlPatern"` is in none of the 3 live triggers; did you mean `"urlPattern"`?' in against.out
    document = invoke("plan", "channels.yaml", "--live", "live.json", "--format", "json").json()
    (change,) = document["organizations"][0]["changes"]
    assert change["impact"][0]["code"] == "key-not-live"
    applied = acme.invoke("apply", "channels.yaml", "--auto-approve", "--strict")
    assert applied.code == 0


def test_a_plan_is_silent_where_the_settings_say_so(acme: Emulated) -> None:
    Path("channels.yaml").write_text(MANIFEST % "false")
    assert 'urlPatern" is in' not in acme.invoke("plan", "channels.yaml").out
    Path("more.yaml").write_text("version: 1\norganization: acme\nsettings: {learn: true}\n")
    refused = acme.invoke("plan", ".")
    assert (refused.code, "this contradicts `false` at channels.yaml:3" in refused.err) == (1, True)
    Path("more.yaml").write_text("version: 1\norganization: acme\nsettings: {learn: maybe}\n")
    assert "more.yaml:3:19" in acme.invoke("validate", "more.yaml").err
