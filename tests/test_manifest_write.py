from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from planning import catalogue, live
from sizes import examples
from webchat_sync.domain.catalogue import load_catalogue, load_schema
from webchat_sync.manifest import load_manifests
from webchat_sync.manifest.write import write_manifest
from webchat_sync.model import Declaration, Json, LiveChannel, Manifest

pytestmark = pytest.mark.slow

COLOR_PATTERN = r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})"


def write(*channels: LiveChannel) -> str:
    return write_manifest("acme", channels, catalogue=catalogue())


def read(folder: Path, text: str) -> Manifest:
    file = folder / "imported.yaml"
    file.write_text(text, encoding="utf-8", newline="\n")
    (manifest,) = load_manifests([file], catalogue=catalogue(), environ={"X": "wrong"}).manifests
    return manifest


def again(folder: Path, *channels: LiveChannel) -> tuple[Declaration, ...]:
    return read(folder, write(*channels)).declarations


def test_a_manifest_is_written_as_people_would_write_it() -> None:
    support = live(
        "Support",
        "5f0c",
        theme="auto",
        color="#0f766e",
        enabled=True,
        welcomeMessage="Hi!\nWe answer within ${MINUTES} minutes.\n",
        allowedDomains=["www.example.com", "help.example.com"],
        operatingHours={"timezone": "America/Bogota", "days": {"mon": ["09:00-13:00", "14:00"], "no": []}},
        offlineMessage="18:00",
        offlineMessageLunch=None,
        prechatFields=[{"id": "1", "label": "Email", "required": True}],
        createdAt="2026-10-01",
    )
    text = write_manifest("${ORG}", [support, live("A", "c-2", color="red", newField=[1])], catalogue=catalogue())
    written, unmanaged = text.split("    # ", 1)
    assert (
        written
        == """\
version: 1
organization: $${ORG}
channels:
  - name: Support
    enabled: true
    color: "#0f766e"
    welcomeMessage: |
      Hi!
      We answer within $${MINUTES} minutes.
    allowedDomains: [www.example.com, help.example.com]
    operatingHours:
      timezone: America/Bogota
      days:
        mon: ["09:00-13:00", "14:00"]
        "no": []
    offlineMessage: "18:00"
    offlineMessageLunch: null
    prechatFields:
      - id: "1"
        label: Email
        required: true
    theme: auto
    sync: { id: 5f0c }
"""
    )
    assert unmanaged.startswith("precaptureEnabled (not managed: the server doesn't return it)\n")
    second = unmanaged.split("\n\n")[1].splitlines()
    assert second[:4] == [
        "  - name: A",
        "    sync: { id: c-2 }",
        "    # enabled (not managed: the server doesn't return it)",
        '    # color: "red" (not managed: it doesn\'t have the format that this field requires)',
    ]
    assert (
        second[-1]
        == "    # newField: [1] (not managed: this release doesn't know the field; list it in settings.extraFields to "
        "manage it)"
    )


@pytest.mark.parametrize(
    ("field", "value", "comment"),
    [
        ("color", None, "null (not managed: expected text, but there's no value (null))"),
        ("bubbleOffsetX", 401, "401 (not managed: it is out of range)"),
        ("theme", "sepia", '"sepia" (not managed: it isn\'t accepted; it can be `light`, `dark` or `auto`)'),
        ("allowedDomains", ["a", 5], '["a", 5] (not managed: expected text, but `5` is read as a number)'),
        (
            "welcomeMessage",
            "a\nb\u2028" + "x" * 600,
            '"a\\nb\\u2028' + "x" * 53 + "… (not managed: the text has 604 characters; the limit is 500)",
        ),
        ("offlineMessage", "half \ud83d", '"half \\ud83d" (not managed: YAML can\'t represent it)'),
        ("operatingHours", {"\ud83d": 1}, '{"\\ud83d": 1} (not managed: YAML can\'t represent it)'),
        ("offlineAction", {"x": float("inf")}, '{"x": Infinity} (not managed: YAML can\'t represent it)'),
        (
            "surprise\n",
            {"a": "\x1b[2J"},
            (
                '{"a": "\\u001b[2J"} (not managed: this release doesn\'t know the field; list it in '
                "settings.extraFields to manage it)"
            ),
        ),
    ],
)
def test_a_value_that_cannot_be_declared_is_left_as_a_comment(
    tmp_path: Path, field: str, value: Json, comment: str
) -> None:
    text = write(live("A", "c-1", **{field: value}))
    name = field.replace("\n", "\\n")
    assert f"    # {name}: {comment}\n" in text
    (declaration,) = read(tmp_path, text).declarations
    assert (dict(declaration.fields), declaration.id) == ({"name": "A"}, "c-1")


def test_a_value_nested_without_end_is_left_as_a_comment(tmp_path: Path) -> None:
    deep: Json = []
    for _ in range(10_000):
        deep = [deep]
    shallow: Json = {}
    for _ in range(90):
        shallow = {"a": shallow}
    deeper: Json = {}
    for _ in range(400):
        deeper = {"a": deeper}
    text = write(live("A", "c-1", prechatFields=[{"a": deep}], offlineAction=deeper, operatingHours=shallow))
    assert "# prechatFields (not managed: it is too deeply nested or too large)" in text
    assert re.search(r"# offlineAction: \S.*… \(not managed: YAML can't represent it\)", text)
    (declaration,) = read(tmp_path, text).declarations
    assert declaration.fields == {"name": "A", "operatingHours": shallow}


@pytest.mark.parametrize("field", ["welcomeMessage", "operatingHours", "unknown", "mk_live_ab12.s3cr3t"])
def test_an_api_key_is_neither_declared_nor_printed(tmp_path: Path, field: str) -> None:
    key = "mk_live_ab12.s3cr3t"
    value: Json = {"x": f"{'x' * 50}{key}"} if field == "operatingHours" else key
    text = write(live("A", "c-1", **{field: value}))
    assert "s3cr" not in text
    assert read(tmp_path, text).declarations[0].fields == {"name": "A"}


@pytest.mark.parametrize(
    ("name", "comment"),
    [
        ("", '# name: "" (not managed: the text is empty)'),
        ("x" * 101, "the text has 101 characters; the limit is 100)"),
        ("mk_test_ab12.s3cr3t", "# name (not managed: it looks like an API key, which doesn't belong in a manifest)"),
        ("\ud83d", '# name: "\\ud83d" (not managed: YAML can\'t represent it)'),
    ],
)
def test_a_channel_whose_name_cannot_be_declared_is_left_out_with_the_reason(
    tmp_path: Path, name: str, comment: str
) -> None:
    text = write(live(name, "c-1", theme="auto"))
    assert '  # The channel "c-1" is left out. With `prune: true`, it would be deleted.\n' in text
    assert comment in text
    assert "s3cr" not in text
    assert again(tmp_path, live(name, "c-1", theme="auto")) == ()
    assert [each.id for each in again(tmp_path, live("A", "c-2"), live(name, "c-1"), live("B", "c-3"))] == [
        "c-2",
        "c-3",
    ]


def test_an_organisation_without_channels_gives_an_empty_manifest(tmp_path: Path) -> None:
    assert write() == "version: 1\norganization: acme\nchannels: []\n"
    assert read(tmp_path, write()).declarations == ()


def test_channels_that_share_a_name_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    declarations = again(tmp_path, live("A", "c-1", theme="dark"), live("A", "c-2"), live("A ", "c-3"))
    assert [(each.name, each.id) for each in declarations] == [("A", "c-1"), ("A", "c-2"), ("A ", "c-3")]


def test_a_new_field_of_the_catalogue_is_written() -> None:
    schema = copy.deepcopy(load_schema("channel"))
    schema["properties"] = {"tags": {"type": "array"}, **schema["properties"]}
    text = write_manifest("acme", [live("A", "c-1", tags=["x"])], catalogue=load_catalogue(schema))
    assert "  - tags: [x]\n    name: A\n" in text


WORDS = """no Yes on y N null ~ true TRUE 18:00 1:2:3 2026-10-01 1_000 010 08 0o17 0x1F 0b1 1e3 1. .5 +1 -0 .inf
.nan = << - ? : #fff @x `x %x *x &x !x | > ' " {a [a , ... --- mk_live_ mk_live_ab.cd ${X} $${X} $$${ ${ ${X:-y}"""
TRICKY = st.sampled_from(
    [
        *WORDS.split(),
        *("", " ", "- a", "a: b", "a #b", " a", "a ", "\ta", "a\t", "a\r\nb", "a\u2028b\nc", "\u0085", "\ufeffa"),
        *("\n", "a\n", "\na", "a\n\nb\n\n", " a\nb", "a \nb", "a\n b", "a\tb\nc", "#a\nb", "---\na", "...\nb\n"),
        *("\x00", "\x7f", "\x9f", "\ud800", "\uffff", "\U0010ffff", "😀", "\\n"),
    ]
)
TEXT = TRICKY | st.text(max_size=30) | st.text(alphabet=" \n\t#:-a", max_size=12)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.booleans() | st.none(),
        "color": st.from_regex(COLOR_PATTERN, fullmatch=True) | TEXT,
        "welcomeMessage": TEXT,
        "allowedDomains": st.lists(TEXT, max_size=4),
        "operatingHours": st.none() | st.dictionaries(TEXT, JSON, max_size=3),
        "offlineAction": st.dictionaries(TEXT, JSON, max_size=2),
        "offlineMessage": st.none() | TEXT,
        "prechatFields": st.none() | st.lists(st.dictionaries(TEXT, JSON, max_size=3), max_size=2),
        "bubbleOffsetX": st.none() | st.integers(-1, 401) | st.floats(0, 400),
        "theme": st.sampled_from(["light", "dark", "auto", "sepia"]),
        "newField": JSON,
    },
)
CHANNELS = st.lists(
    st.tuples(st.uuids().map(str) | st.sampled_from(["no", "1e3", "5f0c", "#1", "${X}"]), TEXT, FIELDS),
    max_size=2,
    unique_by=lambda channel: channel[0],
)


def can_be_declared(name: str, value: Json) -> bool:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False).encode().decode()
    except ValueError:
        return False
    field = catalogue().declarable.get(name)
    return field is not None and "mk_" not in text and Draft202012Validator(field.schema).is_valid(value)


@settings(
    derandomize=True,
    max_examples=examples(60, thorough=600),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(CHANNELS)
@example([("no", "A", {"offlineAction": {"18:00": "no", "${X}": "${X}", "a": {"b": [[], {}, ""]}}})])
def test_what_is_imported_is_read_as_what_is_live(
    tmp_path: Path, drawn: list[tuple[str, str, dict[str, Json]]]
) -> None:
    channels = {id_: live(name, id_, **fields) for id_, name, fields in drawn}
    text = write(*channels.values())
    accounted = re.findall(r"^    # (\w+)", text, re.MULTILINE)
    expected: list[str] = []
    declarations = read(tmp_path, text).declarations
    for declaration in declarations:
        fields = channels[declaration.id or ""].fields
        assert declaration.fields == {name: fields[name] for name in declaration.fields}
        assert all(name in declaration.fields for name, value in fields.items() if can_be_declared(name, value))
        accounted += declaration.fields
        expected += {*catalogue().declarable, *fields} - {"id"}
    assert sorted(accounted) == sorted(expected)
    assert text.count("  # The channel ") == len(channels) - len(declarations)


def test_what_may_be_a_secret_is_left_out_of_an_import() -> None:
    hidden = "q7Rk2mZx9LbT4vWs8Yd1"
    fields: dict[str, Json] = {"offlineAction": {"clientSecret": hidden}, "webhookToken": hidden}
    text = write_manifest("acme", [live("Support", "c-1", **fields)], catalogue=catalogue())
    assert hidden not in text
    assert "# offlineAction (not managed: it may contain a secret)" in text
    assert (
        "# webhookToken (not managed: this release doesn't know the field; list it in "
        "settings.extraFields to manage it)" in text
    )
