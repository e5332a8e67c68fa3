from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from example_manifests import EXAMPLES
from manifest_files import HEAD, declared, load, problems, said, short, values
from planning import catalogue
from webchat_sync.check.quick import quick
from webchat_sync.check.schema import Check
from webchat_sync.domain.catalogue import whole_schema
from webchat_sync.model import Json

OFFSET = "is out of range | Use a number from 0 to 400."
ITEMS = "Start each item on its own line with `- `, or write `[first, second]`."
ENTRIES = "Write each entry on its own line as `key: value`."
FORM = (
    'doesn\'t have the format that this field requires | For example "#0f766e". The accent colour of the widget as'
    " `#rgb` or `#rrggbb`. Quote it in YAML: an unquoted `#` starts a comment."
)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("name: {a: b}", "7: expected text, but this is a mapping | "),
        ('name: ""', "7: the text is empty | Use at least 1 character."),
        (
            f"name: {'x' * 103}",
            "7: the text has 103 characters; the limit is 100 | Shorten it by 3 characters.",
        ),
        (
            "color: #fff",
            (
                "7: expected text, but there's no value (null) | "
                'An unquoted `#` starts a comment. Quote the value: `"#fff"`.'
            ),
        ),
        (
            "welcomeMessage:",
            '16: expected text, but there\'s no value (null) | Write `""` for an empty string, or remove the line.',
        ),
        ("color: # none", "7: expected text, but there's no value (null) | Write a value, or remove the line."),
        ("name:", "6: expected text, but there's no value (null) | Write a value, or remove the line."),
        ("color: red", f'8: "red" {FORM}'),
        ('color: "#fff\\n"', f'8: "#fff\\n" {FORM}'),
        (
            "enabled: yes",
            "10: expected `true` or `false`, but `yes` is read as text | Write `true`, without quotes.",
        ),
        (
            'enabled: "false"',
            '10: expected `true` or `false`, but `"false"` is read as text | Write `false`, without quotes.',
        ),
        ("enabled: 1", "10: expected `true` or `false`, but `1` is read as a number | "),
        (
            "enabled:",
            "9: expected `true` or `false`, but there's no value (null) | Write a value, or remove the line.",
        ),
        ("theme: drak", '8: "drak" isn\'t accepted; it can be `light`, `dark` or `auto` | Did you mean `dark`?'),
        ("bubblePosition: top", '17: "top" isn\'t accepted; it can be `left` or `right` | '),
        ("bubbleOffsetX: 400.5", f"16: 400.5 {OFFSET}"),
        ("bubbleOffsetX: -1", f"16: -1 {OFFSET}"),
        (
            'bubbleOffsetX: "12"',
            '16: expected a number or null, but `"12"` is read as text | Write `12`, without quotes.',
        ),
        ("bubbleOffsetX: 12px", "16: expected a number or null, but `12px` is read as text | "),
        ("allowedDomains: a.example", f"17: expected a list, but `a.example` is read as text | {ITEMS}"),
        (
            "allowedDomains:",
            "16: expected a list, but there's no value (null) | Write `[]` for an empty list, or remove the line.",
        ),
        ("departments: {name: x}", f"14: expected a list or null, but this is a mapping | {ITEMS}"),
        ("operatingHours: [mon]", f"17: expected a mapping or null, but this is a list | {ENTRIES}"),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_explained(tmp_path: Path, field: str, expected: str) -> None:
    name = field.split(":")[0]
    other = "" if name == "name" else "    name: A\n"
    found = said(tmp_path, f"channels:\n  - {field}\n{other}", WEBCHAT_N="0x1F")
    column, message = expected.split(":", 1)
    assert found == [f"2:{int(column) + 4} channels[0].{name}:{message}"]


def test_items_of_a_list_have_their_own_place_and_path(tmp_path: Path) -> None:
    text = "channels:\n  - name: A\n    allowedDomains: [a, ~, [b]]\n    departments: [{name: x}, y]\n"
    nothing = 'there\'s no value (null) | Write `""` for an empty string, or remove the line.'
    assert said(tmp_path, text) == [
        f"3:25 channels[0].allowedDomains[1]: expected text, but {nothing}",
        "3:28 channels[0].allowedDomains[2]: expected text, but this is a list | ",
        f"4:30 channels[0].departments[1]: expected a mapping, but `y` is read as text | {ENTRIES}",
    ]


def test_unknown_keys_are_refused_at_every_level_with_the_nearest_known_one(tmp_path: Path) -> None:
    text = """\
organisation: x
theme: dark
protect: true
x-mine: 1
settings: {prun: 1, color: red, zzz: 1}
defaults: {Color: "#fff", name: A, sync: {}, token: x}
channels:
  - name: A
    welcome_message: Hi
    renamedFrom: B
    createdAt: 2026
    zzz: 1
    sync: {stat: absent, zzz: 1, theme: dark, ignore: [departmens, zzz, name]}
"""
    *first, last = [f"`{name}`" for name in catalogue().declarable]
    *settings, end = [f"`{name}`" for name in whole_schema("manifest")["properties"]["settings"]["properties"]]
    known = ", ".join(first)
    assert said(tmp_path, text) == [
        "1:1 organisation: `organisation` isn't a known key here | Did you mean `organization`?",
        "2:1 theme: `theme` isn't a known key here | It belongs in a channel or under `defaults:`.",
        "3:1 protect: `protect` isn't a known key here | It belongs under `sync:` in a channel.",
        "5:12 settings.prun: `prun` isn't a known key here | Did you mean `prune`?",
        "5:21 settings.color: `color` isn't a known key here | It belongs in a channel or under `defaults:`.",
        f"5:33 settings.zzz: `zzz` isn't a known key here | Known keys: {', '.join(settings)} and {end}.",
        "6:12 defaults.Color: `Color` isn't a known key here | Did you mean `color`?",
        "6:27 defaults.name: `name` belongs to one channel and can't be a default | Write it in the channel.",
        "6:36 defaults.sync: `sync` belongs to one channel and can't be a default | Write it in the channel.",
        ("6:46 defaults.token: `token` is set by the server and can't be declared | Remove it."),
        "9:5 channels[0].welcome_message: `welcome_message` isn't a known key here | Did you mean `welcomeMessage`?",
        "10:5 channels[0].renamedFrom: `renamedFrom` isn't a known key here | It belongs under `sync:`.",
        ("11:5 channels[0].createdAt: `createdAt` is set by the server and can't be declared | Remove it."),
        (
            f"12:5 channels[0].zzz: `zzz` isn't a known key here | Known keys: {known}, {last} and `sync`."
            " If Mosend added the field after this release, list it in `settings.extraFields`."
        ),
        "13:12 channels[0].sync.stat: `stat` isn't a known key here | Did you mean `state`?",
        (
            "13:26 channels[0].sync.zzz: `zzz` isn't a known key here |"
            " Known keys: `id`, `renamedFrom`, `state`, `protect`, `ignore` and `identitySecret`."
        ),
        "13:34 channels[0].sync.theme: `theme` isn't a known key here | It belongs in the channel, outside `sync:`.",
        '13:56 channels[0].sync.ignore[0]: "departmens" isn\'t accepted | Did you mean `departments`?',
        f'13:68 channels[0].sync.ignore[1]: "zzz" isn\'t accepted | It can be {known} or {last}.',
    ]


def test_the_frame_of_a_manifest_is_checked(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        "channels: []\norganization: acme\n",
        "version: '1'\norganization: []\nsettings: true\ndefaults: []\nchannels: {}\n",
        "[]",
        "text",
        "null",
        HEAD + "channels: [x, {}, {name: A, sync: x}, {name: B, sync: {id: [], state: gone, protect: 'on'}}]\n",
    )
    assert [(short(each), each.message) for each in found] == [
        ("1.yaml:1:1 ", "`version` is missing"),
        ("2.yaml:1:10 version", "expected a whole number, but `'1'` is read as text"),
        ("2.yaml:2:15 organization", "expected text, but this is a list"),
        ("2.yaml:3:11 settings", "expected a mapping, but `true` is read as a yes-or-no value"),
        ("2.yaml:4:11 defaults", "expected a mapping, but this is a list"),
        ("2.yaml:5:11 channels", "expected a list, but this is a mapping"),
        ("3.yaml:1:1 ", "expected a mapping that begins with `version: 1`, but this is a list"),
        ("4.yaml:1:1 ", "expected a mapping that begins with `version: 1`, but this is text"),
        ("5.yaml:1:1 ", "expected a mapping that begins with `version: 1`, but this is null"),
        ("6.yaml:3:12 channels[0]", "expected a mapping, but `x` is read as text"),
        ("6.yaml:3:15 channels[1]", "`name` is missing"),
        ("6.yaml:3:35 channels[2].sync", "expected a mapping, but `x` is read as text"),
        ("6.yaml:3:60 channels[3].sync.id", "expected text, but this is a list"),
        ("6.yaml:3:71 channels[3].sync.state", '"gone" isn\'t accepted; it can be `present` or `absent`'),
        ("6.yaml:3:86 channels[3].sync.protect", "expected `true` or `false`, but `'on'` is read as text"),
    ]
    assert found[1].hint == "Write `1`, without quotes."


def test_a_version_of_the_future_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "version: 2\norganization: acme\n")
    assert problem.message == "2 isn't accepted; it must be `1`"


def test_a_name_can_be_missing_only_where_an_id_says_which_channel_goes(tmp_path: Path) -> None:
    text = "channels: [{sync: {state: absent}}, {sync: {id: x}}, {sync: {id: y, state: absent}}]\n"
    assert [line.split(" | ")[0] for line in said(tmp_path, text)] == [
        "1:12 channels[0]: `name` is missing",
        "1:37 channels[1]: `name` is missing",
    ]


def test_a_protected_channel_cannot_be_absent(tmp_path: Path) -> None:
    text = "channels: [{name: A, sync: {protect: true, state: absent}}]\n"
    assert said(tmp_path, text) == [
        (
            "1:38 channels[0].sync.protect: a protected channel can't be absent |"
            " To delete the channel, remove `protect`. To keep it, remove `state: absent`."
        )
    ]


def test_one_mistake_behind_an_alias_is_one_problem(tmp_path: Path) -> None:
    text = """\
x-base: &base {color: red, theme: &theme drak}
channels:
  - {name: A, <<: *base}
  - {name: B, <<: *base}
  - {name: C, theme: *theme}
"""
    assert [line.split(": ")[0] for line in said(tmp_path, text)] == [
        "1:23 channels[0].color",
        "1:35 channels[0].theme",
    ]


def test_inner_shapes_are_never_refused(tmp_path: Path) -> None:
    text = """\
channels:
  - name: A
    operatingHours: {always: [1, {x: null}], days: yes, timezone: 7}
    offlineAction: {}
    prechatFields: [{}, {id: [], label: {}}]
    proactiveTriggers: [{if: {a: [[[]]]}}]
"""
    (channel,) = declared(tmp_path, text)
    assert channel.fields["operatingHours"] == {"always": [1, {"x": None}], "days": "yes", "timezone": 7}


def editor() -> Draft202012Validator:
    """What an editor sees."""
    return Draft202012Validator(whole_schema("manifest"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name + "/" + path.name)
def test_an_editor_finds_nothing_wrong_with_the_examples(example: Path) -> None:
    (value,) = values(example.read_bytes())
    editor().validate(value)


@pytest.mark.parametrize(
    "text",
    [
        "channels: [{name: A, colour: x}]",
        "channels: [{name: A, color: red}]",
        "channels: [{color: '#fff'}]",
        "channels: [{name: A, sync: {stat: absent}}]",
        "channels: [{name: A, sync: {state: gone}}]",
        "defaults: {name: A}",
        "settings: {prun: true}",
        "extra: 1",
    ],
)
def test_an_editor_sees_the_mistakes_that_the_program_sees(tmp_path: Path, text: str) -> None:
    (value,) = values(HEAD + text)
    assert not editor().is_valid(value)
    assert problems(tmp_path, HEAD + text)


@pytest.mark.parametrize(
    "text",
    [
        "x-mine: [1]",
        "defaults: {color: '#fff', theme: dark}\nsettings: {prune: true}",
        "channels: [{sync: {id: x, state: absent}}, {name: A, color: '#fff', sync: {id: y, ignore: [color]}}]",
    ],
)
def test_an_editor_accepts_what_the_program_accepts(tmp_path: Path, text: str) -> None:
    (value,) = values(HEAD + text)
    editor().validate(value)
    assert load(tmp_path, HEAD + text).manifests


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab"), inner, max_size=2)
)
SCHEMAS: list[Mapping[str, Any]] = [
    *(field.schema for field in catalogue().declarable.values()),
    {"type": ["integer", "null"], "enum": [1, None, 2.0]},
    {"type": ["boolean", "string"], "const": True},
    {"type": "string", "minLength": 2, "pattern": "a"},
    {"type": ["number", "string", "array"], "minimum": 0, "maxLength": 1, "items": {"type": "integer", "maximum": 2}},
    {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False, "required": ["a"]},
    {"type": "object", "patternProperties": {"^b": True}, "additionalProperties": False},
    {"type": "object", "patternProperties": {"^b": {"type": "null"}}},
    {"type": "object", "additionalProperties": {"type": "null"}},
    {"type": "object", "minProperties": 1},
    {"type": "array", "items": {"type": "string", "format": "date"}},
    {"enum": ["a"]},
]


@settings(derandomize=True, max_examples=300)
@given(st.sampled_from(SCHEMAS), VALUES)
def test_what_the_quick_look_lets_pass_is_valid(schema: Mapping[str, Any], value: Json) -> None:
    if quick(schema)(value):
        Draft202012Validator(schema).validate(value)


def test_the_quick_look_lets_good_values_of_every_field_pass() -> None:
    for field in catalogue().declarable.values():
        good = field.schema.get("examples", [field.emulated_default if field.name != "name" else "A"])
        assert all(map(quick(field.schema), good)), field.name


@pytest.mark.parametrize(
    ("schema", "value", "message", "hint"),
    [
        ({"type": "number", "minimum": 2}, 1, "1 is out of range", "Use a number of at least 2."),
        ({"type": "number", "maximum": 2}, 3, "3 is out of range", "Use a number of at most 2."),
        ({"minLength": 2}, "x", "the text is too short", "Use at least 2 characters."),
        ({"minItems": 1}, [], "the list is empty", "Write at least 1 item."),
        ({"minItems": 2}, ["x"], "the list is too short", "Write at least 2 items."),
        ({"maxItems": 1}, ["x", "y"], "the list has 2 items; the limit is 1", "Remove 1 item."),
        ({"multipleOf": 2, "description": "Some."}, 3, "3 is not a multiple of 2", "Some."),
        ({"type": "string", "pattern": "^a$"}, "b", '"b" doesn\'t have the format that this field requires', ""),
        (
            {"enum": [None, "light"]},
            "lihgt",
            '"lihgt" isn\'t accepted; it can be `null` or `light`',
            "Did you mean `light`?",
        ),
    ],
)
def test_keywords_that_the_catalogue_may_use_one_day_are_explained_too(
    schema: Mapping[str, Any], value: Json, message: str, hint: str
) -> None:
    (problem,) = Check(schema).problems(value)
    assert (problem.steps, problem.message, problem.hint) == ((), message, hint)


def test_long_and_invisible_values_are_shown_in_one_short_line(tmp_path: Path) -> None:
    long = json.dumps("é\u202e" + "x" * 500)
    text = f"channels:\n  - name: A\n    theme: {long}\n    {'k' * 500}: 1\n"
    theme, key = said(tmp_path, text)
    assert theme.startswith('3:12 channels[0].theme: "é\\u202exxx')
    assert "xxx… isn't accepted; it can be" in theme
    assert max(len(theme), len(key)) < 900


@pytest.mark.parametrize("setting", ['policy: "a\\0b"', 'policy: ["a\\0b"]', 'ledger: "a\\0b"'])
def test_a_path_with_a_character_that_no_path_can_have_is_refused(tmp_path: Path, setting: str) -> None:
    (problem,) = problems(tmp_path, f"version: 1\norganization: acme\nsettings: {{{setting}}}\nchannels: []\n")
    assert problem.message == '"a\\u0000b" doesn\'t have the format that this field requires'
    assert problem.hint
