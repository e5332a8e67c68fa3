"""Fields of the vendor's that the server knows and this release does not."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from applying import NOW
from commands import Emulated, invoke
from manifest_files import HEAD, load, problems, short
from webchat_sync.domain.catalogue import Catalogue, load_catalogue, load_schema
from webchat_sync.emulator import Call, Store, build_app, serve

TEXT = """\
settings: {extraFields: [labels, tone]}
defaults: {tone: calm}
channels:
  - name: Support
    labels: [{text: a, rank: 1}, {text: b}]
  - name: Sales
    tone: {level: 3}
    sync: {ignore: [labels]}
"""


def newer() -> Catalogue:
    """The catalogue of a server that is ahead of this release."""
    schema = copy.deepcopy(load_schema("channel"))
    schema["properties"]["labels"] = {"type": ["array", "null"], "x-webchat-sync": {"emulated": None}}
    schema["properties"]["tone"] = {"x-webchat-sync": {"emulated": "neutral"}}
    return load_catalogue(schema)


@contextmanager
def server_of(fields: Catalogue, *channels: Mapping[str, Any]) -> Iterator[Emulated]:
    store = Store(catalogue=fields, now=lambda: NOW)
    store.seed("acme", channels)
    calls: list[Call] = []
    with serve(build_app(store, record=calls.append)) as url:
        yield Emulated(url, store, calls)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "channels.yaml").write_text(HEAD + TEXT, encoding="utf-8")
    return Path("channels.yaml")


def test_extra_fields_are_created_updated_compared_and_converge(file: Path) -> None:
    with server_of(newer(), {"name": "Sales", "tone": "loud"}) as api:
        plan = api.invoke("plan", file, "--format", "json", "--out", "plan.json").json()
        support, sales = plan["organizations"][0]["changes"]
        post, patch = support["operations"]
        assert post["body"] == {"name": "Support", "enabled": False}
        assert patch["body"] == {"labels": [{"text": "a", "rank": 1}, {"text": "b"}], "tone": "calm", "enabled": True}
        assert [each["body"] for each in sales["operations"]] == [{"tone": {"level": 3}}]
        assert sales["reviewed"]["tone"] == "loud"
        applied = api.invoke("apply", "plan.json", "--auto-approve")
        assert (applied.code, applied.last_line) == (
            0,
            "Apply complete! Channels: 1 added, 1 changed, 0 destroyed.",
        )
        assert api.invoke("plan", file, "--detailed-exitcode").code == 0
        file.write_text(HEAD + TEXT.replace("rank: 1", "rank: 2"), encoding="utf-8")
        changed = api.invoke("plan", file)
        assert "~ labels[0].rank: 1 -> 2" in changed.out
        assert api.invoke("apply", file, "--auto-approve").code == 0
        assert api.invoke("plan", file, "--detailed-exitcode").code == 0


def test_a_saved_plan_goes_stale_with_an_extra_field(file: Path) -> None:
    with server_of(newer(), {"name": "Sales", "tone": "loud"}, {"name": "Support", "tone": "calm"}) as api:
        assert api.invoke("plan", file, "--out", "plan.json").code == 0
        sales = next(each for each in api.store.channels("acme") if each["name"] == "Sales")
        api.store.update("acme", str(sales["id"]), {"tone": "whisper"})
        stale = api.invoke("apply", "plan.json", "--auto-approve")
        assert stale.code == 4
        assert 'tone: "loud" → "whisper"' in stale.err


def test_without_the_setting_a_field_is_not_known(tmp_path: Path) -> None:
    text = "channels: [{name: A, tone: x}]\n"
    assert [short(each) for each in problems(tmp_path, HEAD + text)] == ["1.yaml:3:22 channels[0].tone"]
    # The setting of one document is for all documents of the organisation, and for no other organisation.
    setting = HEAD + "settings: {extraFields: [tone]}\n"
    assert load(tmp_path, HEAD + text, setting).manifests[0].declarations[0].fields == {"name": "A", "tone": "x"}
    assert problems(tmp_path, HEAD.replace("acme", "b") + text, setting)


def test_a_field_that_this_release_knows_needs_no_mention(tmp_path: Path) -> None:
    text = HEAD + "settings: {extraFields: [tone, color, sync]}\nchannels: [{name: A, color: '#000'}]\n"
    assert [(short(each), each.severity) for each in load(tmp_path, text).problems] == [
        ("1.yaml:3:32 settings.extraFields[1]", "warning"),
        ("1.yaml:3:39 settings.extraFields[2]", "warning"),
    ]
    assert problems(tmp_path, text.replace("#000", "red"))
    (owned,) = problems(tmp_path, HEAD + "settings: {extraFields: [token]}\n")
    assert "`token` is set by the server" in owned.message
    assert [short(each) for each in problems(tmp_path, HEAD + "settings: {extraFields: [[], '']}\n")] == [
        "1.yaml:3:26 settings.extraFields[0]",
        "1.yaml:3:30 settings.extraFields[1]",
    ]


def test_extra_fields_take_any_value_without_a_heavy_look(tmp_path: Path) -> None:
    values = "[null, true, 1, 1.5, text, [a, [b]], {c: {d: null}}]"
    text = f"settings: {{extraFields: [x]}}\nchannels: [{{name: A, x: {values}}}, {{name: B, x: null}}]\n"
    first, second = load(tmp_path, HEAD + text).manifests[0].declarations
    assert first.fields["x"] == [None, True, 1, 1.5, "text", ["a", ["b"]], {"c": {"d": None}}]
    assert second.fields["x"] is None


def test_the_emulator_inside_refuses_what_it_does_not_know(file: Path) -> None:
    refused = invoke("apply", file, "--sandbox", "--auto-approve")
    assert refused.code == 3
    assert "property labels should not exist" in refused.out


ENTRIES = """\
settings:
  extraFields:
    labels:
      type: [array, "null"]
      items: {type: string}
      description: What reports group this channel by.
      x-webchat-sync:
        create: true
        listType: set
        emulated: []
        impact:
          - {when: itemsRemoved, level: danger, code: label-removed, text: "{items} leave the reports of {sites}, {x}"}
    panels:
      type: array
      items: {type: object, properties: {title: {type: string, maxLength: 20}}}
      x-webchat-sync: {listType: map, listMapKeys: [id, title], serverKeys: [id], emulated: []}
    motto: {type: string, x-webchat-sync: {compare: caseless, emulated: ""}}
    theme: {enum: [light, dark, auto, sepia]}
    loose: {}
"""
DECLARED = """\
channels:
  - name: Support
    labels: [b, a]
    panels: [{title: News}, {title: Help}]
    motto: Hello
    theme: sepia
"""


def with_entries() -> Catalogue:
    """The catalogue of a server that has those fields."""
    return load_catalogue().extended(yaml.safe_load(ENTRIES)["settings"]["extraFields"])


@pytest.fixture
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "channels.yaml").write_text(HEAD + ENTRIES + DECLARED, encoding="utf-8")
    return Path("channels.yaml")


def test_an_entry_says_how_a_field_is_created_compared_and_sent(entries: Path) -> None:
    with server_of(with_entries()) as api:
        plan = api.invoke("plan", entries, "--format", "json", "--out", "plan.json").json()
        (change,) = plan["organizations"][0]["changes"]
        post, patch = change["operations"]
        assert post["body"] == {"name": "Support", "labels": ["b", "a"], "enabled": False}
        assert patch["body"].keys() == {"panels", "motto", "theme", "enabled"}
        assert api.invoke("apply", "plan.json", "--auto-approve").code == 0
        assert api.invoke("plan", entries, "--detailed-exitcode").code == 0
        (channel,) = api.store.channels("acme")
        ids = [panel["id"] for panel in channel["panels"]]  # type: ignore[index,union-attr,call-overload]
        api.store.update("acme", str(channel["id"]), {"labels": ["a", "b"], "motto": "HELLO"})
        assert api.invoke("plan", entries, "--detailed-exitcode").code == 0
        text = entries.read_text(encoding="utf-8")
        entries.write_text(text.replace("[b, a]", "[b]").replace("{title: News}", "{title: News, open: true}"))
        changed = api.invoke("plan", entries)
        assert '- labels["a"]' in changed.out
        assert 'danger: "a" leave the reports of every site that embeds the widget, {x}' in " ".join(
            changed.out.split()
        )
        assert api.invoke("apply", entries, "--auto-approve").code == 0
        panels = api.store.channels("acme")[0]["panels"]
        assert panels == [{"id": ids[0], "title": "News", "open": True}, {"id": ids[1], "title": "Help"}]


def test_a_saved_plan_goes_by_its_entries(entries: Path) -> None:
    live = {"name": "Support", "id": "c-1", "labels": ["a"], "motto": "hello", "theme": "sepia"}
    with server_of(with_entries(), live) as api:
        assert api.invoke("plan", entries, "--out", "plan.json").code == 0
        api.store.update("acme", "c-1", {"motto": "HELLO"})
        assert api.invoke("apply", "plan.json", "--auto-approve").code == 0
        assert api.invoke("apply", "plan.json", entries, "--auto-approve").code == 4
        assert api.invoke("plan", entries, "--out", "empty.json").code == 0
        assert api.invoke("apply", "empty.json", entries, "--auto-approve").code == 0
        entries.write_text(entries.read_text(encoding="utf-8").replace("caseless", "exact"), encoding="utf-8")
        assert api.invoke("apply", "empty.json", entries, "--auto-approve").code == 4


def test_adopt_takes_what_the_entry_accepts(entries: Path) -> None:
    live = {"name": "Support", "id": "c-1", "labels": ["c"], "motto": "Hi", "theme": "dark"}
    panels = [{"id": "p-1", "title": "News"}, {"id": "p-2", "title": "A title that is too long for it"}]
    with server_of(with_entries(), {**live, "panels": panels}) as api:
        adopted = api.invoke("adopt", entries, "--auto-approve")
        assert adopted.code == 0
        text = entries.read_text(encoding="utf-8")
        assert "labels: [c]" in text
        assert "theme: dark" in text
        assert '`panels` of "Support" isn\'t changed' in " ".join((adopted.out + adopted.err).split())


def test_the_sandbox_knows_the_fields_that_the_manifest_brings(entries: Path) -> None:
    assert invoke("apply", entries, "--sandbox", "--auto-approve").code == 0
    assert invoke("plan", entries, "--sandbox", "--detailed-exitcode").code == 0
    assert invoke("plan", entries, "--sandbox", "--out", "plan.json").code == 0
    assert invoke("drift", entries, "--sandbox", "--detailed-exitcode").code == 0


def test_a_list_to_which_the_server_adds_ids_converges(entries: Path) -> None:
    text = HEAD + "settings: {extraFields: {panels: {x-webchat-sync: {listType: map, serverKeys: [id]}}}}\n"
    entries.write_text(text + "channels: [{name: A, panels: [{title: x}, {title: y}]}]\n", encoding="utf-8")
    with server_of(with_entries()) as api:
        assert api.invoke("apply", entries, "--auto-approve").code == 0
        assert api.invoke("plan", entries, "--detailed-exitcode").code == 0


def test_values_are_checked_by_the_entry_and_known_fields_by_what_it_corrects(tmp_path: Path) -> None:
    text = (
        HEAD
        + ENTRIES
        + "channels: [{name: A, labels: x, theme: neon, motto: 1, panels: [{title: "
        + "x" * 21
        + "}]}]\n"
    )
    assert [(each.path, each.code) for each in problems(tmp_path, text)] == [
        ("channels[0].labels", "type"),
        ("channels[0].theme", "choice"),
        ("channels[0].motto", "type"),
        ("channels[0].panels[0].title", "length"),
    ]
    assert not load(tmp_path, HEAD + ENTRIES + "channels: [{name: A, loose: {a: [1]}, labels: null}]\n").problems
    # Another organisation goes by its own.
    other = HEAD.replace("acme", "b") + "channels: [{name: A, theme: sepia}]\n"
    assert [each.path for each in problems(tmp_path, HEAD + ENTRIES, other)] == ["channels[0].theme"]


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ("{type: txt}", ".type"),
        ("{type: [text]}", ".type[0]"),
        ("{type: []}", ".type"),
        ("{item: {}}", ".item"),
        ("{$ref: 'https://example.com'}", ".$ref"),
        ("{pattern: '('}", ".pattern"),
        ("{items: {pattern: '['}}", ".items.pattern"),
        ("{properties: {a: {pattern: '*'}}}", ".properties.a.pattern"),
        ("{pattern: '[a-z'}", ".pattern"),
        ("{pattern: 'a{" + "9" * 500 + "}'}", ".pattern"),
        ("{maxLength: -1}", ".maxLength"),
        ("{enum: []}", ".enum"),
        ("{x-webchat-sync: {listType: bag}}", ".x-webchat-sync.listType"),
        (
            "{x-webchat-sync: {impact: [{when: never, level: info, code: a, text: b}]}}",
            ".x-webchat-sync.impact[0].when",
        ),
        ("{x-webchat-sync: {impact: [{when: changed}]}}", ".x-webchat-sync.impact[0]"),
        ("7", ""),
        ("null", ""),
    ],
)
def test_an_entry_that_is_none_is_an_error_with_its_place(tmp_path: Path, entry: str, path: str) -> None:
    text = f"{HEAD}settings: {{extraFields: {{f: {entry}}}}}\nchannels: [{{name: A, f: 1}}]\n"
    found = problems(tmp_path, text)
    assert {each.path for each in found} == {f"settings.extraFields.f{path}"}
    assert all(each.place and each.message for each in found)


def test_a_type_that_does_not_exist_is_told_with_those_that_do(tmp_path: Path) -> None:
    (wrong,) = problems(tmp_path, f"{HEAD}settings: {{extraFields: {{f: {{type: txt}}}}}}\nchannels: []\n")
    kinds = "`string`, `number`, `integer`, `boolean`, `array`, `object` or `null`, or a list of these"
    assert wrong.hint.startswith(f"The type of the values: {kinds}.")


PATTERNS: Final = [
    *("", "^#[0-9a-fA-F]{6}$", "^[a-z]+$", "^(?:left|right)$", "^(red|green|blue)[0-9]*$", r"^\+?[0-9 ()-]{5,20}\Z"),
    *(r"^\(?[0-9]{3}\)?", "x", "^[^]]*]$", r"^\d{4}-\d{2}-\d{2}$", "^a{2,}$", "^(ab)*$", "^{}$", "^a{,3}b{,3}$"),
    *(r"^\$", r"a\$"),
]
BOUNDED: Final = ["^.+@.+$", "^https?://[^/]+/.*$", r"\w+", "a*$", "^a|b*c"]
"""Those that are as quick as that where `maxLength` says how long a text is."""

SLOW: Final = [
    *("^(a+)+$", "^(a|a)*$", "^(a?){50}$", "^([a-z]+[,;]?)*$", "^(.*)*$", "(x+x+)+y", "^((a*)*)*$"),
    *("^(?:a*){9}$", "^.*.*.*.*.*x$", "^(a*)++$", "^(a*){5}+$", "^(a+){,}$", "(?=(a+)+$)", r"^(a+)\1+\1+$"),
    *("^(?P<x>a+)+$", "a" * 2_000, "^(?#(a+)", "^(a{1,9}){1,9}$", "^(" + "a?" * 40 + ")$"),
    *("^(.*.*){100}$", "^(?:){4294967294}$", "^(?:(?:){60000}){60000}$"),
    *("(?i)[Ā-𐀀]", "^(a|ab|abc){40}$", "(" * 90 + "a*" + ")*" * 90),
]


@pytest.mark.parametrize("pattern", [*PATTERNS, *BOUNDED])
def test_a_pattern_that_is_tried_in_few_ways_is_one(tmp_path: Path, pattern: str) -> None:
    beside = ', "maxLength": 200' if pattern in BOUNDED else ""
    entry = f'{{"pattern": {json.dumps(pattern)}{beside}}}'
    text = f"{HEAD}settings: {{extraFields: {{f: {entry}}}}}\nchannels: [{{name: A}}]\n"
    assert load(tmp_path, text).problems == ()


@pytest.mark.parametrize("pattern", [*SLOW, *BOUNDED])
def test_a_pattern_that_may_take_very_long_is_refused_before_it_is_tried(tmp_path: Path, pattern: str) -> None:
    entry = f'{{"pattern": {json.dumps(pattern, ensure_ascii=False)}}}'
    for inside in (entry, f"{{items: {entry}}}", f"{{properties: {{a: {entry}}}}}"):
        text = f"{HEAD}settings: {{extraFields: {{f: {inside}}}}}\nchannels: [{{name: A, f: {'a' * 200}!}}]\n"
        (problem,) = problems(tmp_path, text)
        assert problem.message.startswith("this pattern can take too long: "), problem.message


@pytest.mark.parametrize("text", ["aaaa", "a" * 500_000])
def test_a_text_that_is_too_long_is_told_so_and_its_pattern_is_not_tried(tmp_path: Path, text: str) -> None:
    head = f"{HEAD}settings: {{extraFields: {{f: {{maxLength: 3, pattern: '^.*.*b$'}}}}}}\n"
    (problem,) = problems(tmp_path, f"{head}channels: [{{name: A, f: {text}}}]\n")
    assert problem.code == "length"


def test_two_documents_must_not_contradict_each_other_about_an_entry(tmp_path: Path) -> None:
    first = HEAD + "settings: {extraFields: {a: {type: string}}}\n"
    assert load(tmp_path, first, first, HEAD + "settings: {extraFields: [a]}\n")
    (contradiction,) = problems(tmp_path, first, first.replace("string", "number"))
    assert (contradiction.path, contradiction.code) == ("settings.extraFields.a", "contradiction")


def test_a_field_that_nobody_may_declare_is_told_at_its_name(tmp_path: Path) -> None:
    text = HEAD + "settings: {extraFields: {token: {readOnly: false}, sync: {type: string}, color: {}}}\n"
    assert [(each.path, each.severity) for each in problems(tmp_path, text)] == [
        ("settings.extraFields.token", "error"),
        ("settings.extraFields.sync", "warning"),
        ("settings.extraFields.color", "warning"),
    ]
    assert problems(tmp_path, text)[2].hint.endswith("Remove it from `settings.extraFields`.")


def test_the_way_out_is_named_where_a_field_is_not_known(tmp_path: Path) -> None:
    (unknown,) = problems(tmp_path, HEAD + "channels: [{name: A, stickers: 1}]\n")
    assert "`settings.extraFields`" in unknown.hint
    (alike,) = problems(tmp_path, HEAD + "channels: [{name: A, bubbleOffsetY: 1}]\n")
    assert alike.hint.startswith("Did you mean `bubbleOffsetX`? If Mosend added the field after this release")
    (misspelt,) = problems(tmp_path, HEAD + "channels: [{name: A, Color: 1}]\n")
    assert misspelt.hint == "Did you mean `color`?"


@pytest.mark.parametrize("out", ["imported.yaml", "imported/"])
@pytest.mark.usefixtures("entries")
def test_import_takes_unknown_fields_along_when_asked(out: str) -> None:
    live = {
        "name": "Support",
        "labels": ["a"],
        "motto": None,
        "widget_version": {"a": [1, "x"]},
        "odd\nname": "\x1b[2J",
    }
    with server_of(with_entries(), live, {"name": "Sales"}) as api:
        assert api.invoke("import", "--out", "plain.yaml").code == 0
        assert "(not managed: this release doesn't know the field" in Path("plain.yaml").read_text(encoding="utf-8")
        assert api.invoke("import", "--extra-fields", "--out", out).code == 0
        files = sorted(Path(out).iterdir()) if out.endswith("/") else [Path(out)]
        text = "".join(file.read_text(encoding="utf-8") for file in files)
        assert "extraFields" in text
        assert "  widget_version:" in text
        assert api.invoke("plan", out.rstrip("/"), "--detailed-exitcode").code == 0
        (api_channel, _) = api.store.channels("acme")
        api.store.update("acme", str(api_channel["id"]), {"widget_version": {"a": [1, "y"]}})
        assert '~ widget_version.a[1]: "y" -> "x"' in api.invoke("plan", out.rstrip("/")).out
