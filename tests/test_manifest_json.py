"""Manifests in JSON: whatever is JSON is read, also where YAML's parsers would refuse it, and edited in place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import emulated, invoke
from manifest_files import values
from webchat_sync.errors import Path as Steps
from webchat_sync.model import Json
from webchat_sync.yaml12.composer import compose
from webchat_sync.yaml12.document import Document, Source

HEAD = '"version": 1, "organization": "acme"'

# Without "$", since `${` starts a variable.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="$"), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


def composed(text: str, name: str) -> Document:
    reading = compose(Source.of(name, text.encode()))
    assert not reading.problems
    (document,) = reading.documents
    return document


@given(
    json_values,
    st.sampled_from([None, 0, 2, "\t"]),
    st.sampled_from([(",", ":"), (", ", "\n  : "), ("\r\n,\r\n", "\r\n:\r\n"), (" , ", "\t:\t")]),
    st.booleans(),
)
def test_whatever_is_json_is_read(
    value: Json, indent: int | str | None, separators: tuple[str, str], ensure_ascii: bool
) -> None:
    text = json.dumps({"value": value}, indent=indent, separators=separators, ensure_ascii=ensure_ascii)
    (read,) = values(text, name="x.json")
    assert json.dumps(read) == json.dumps({"value": value})


plain = st.recursive(
    st.sampled_from([1, True, None, "a", "ä😀"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


@given(plain)
def test_every_value_stands_where_it_does_in_yaml(value: Json) -> None:
    text = json.dumps({"value": [value]}, indent=1, ensure_ascii=False)
    in_json, in_yaml = composed(text, "x.json"), composed(text, "x.yaml")

    def walk(inner: Json, path: Steps) -> None:
        for key in (False, True):
            one, other = in_json.place(path, key=key), in_yaml.place(path, key=key)
            assert (one.line, one.column) == (other.line, other.column)
        entries = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        for step, below in entries:
            walk(below, (*path, step))

    walk(in_json.value, ())


LONG = "k" * 1100
ODD = {
    "a line break before a colon": f'{{{HEAD}, "channels"\n: [{{"name"\r\n:"Support"}}]}}',
    "U+007F": f'{{{HEAD}, "channels": [{{"name": "Support", "offlineMessage": "a\x7fb"}}]}}',
    "U+0080 and U+FFFF": f'{{{HEAD}, "channels": [{{"name": "Support", "offlineMessage": "a\x80\uffffb"}}]}}',
    "a key of 2,000 characters": f'{{{HEAD}, "x-{"k" * 2000}": 1, "channels": [{{"name": "Support"}}]}}',
    "a key of 1,100 characters": f'{{{HEAD}, "channels": [{{"name": "Support", "offlineAction": {{"{LONG}": 1}}}}]}}',
    "tabs": f'{{\n\t{HEAD},\n\t"channels"\t:\t[\n\t\t{{"name":\t"Support"}}\n\t]\n}}',
    "a byte order mark": f'\ufeff{{{HEAD}, "channels": [{{"name": "Support"}}]}}',
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_json_that_yaml_would_refuse_is_planned_and_edited_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a.json"
    file.write_bytes(text.encode())
    with emulated({"name": "Support", "offlineMessage": "other", "offlineAction": {}}) as api:
        assert api.invoke("validate", file).code == 0
        assert api.invoke("plan", file).code == 0
        adopted = api.invoke("adopt", file, "--auto-approve")
        assert (adopted.code, "cannot be edited" in adopted.err) == (0, False)
        after = json.loads(file.read_bytes().decode("utf-8-sig"))
        assert after["channels"][0]["sync"]["id"] == api.store.channels("acme")[0]["id"]
        assert api.invoke("plan", file, "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'{{{HEAD}, "channels": [{{"name": "A", "name": "B"}}]}}', "this key appears twice"),
        (f'{{{HEAD}, "channels": [{{"name": "\\ud800"}}]}}', "isn't a valid escape sequence"),
        (f'{{{HEAD}, "channels": [{{"name": "A", "bubbleOffsetX": NaN}}]}}', "expected a number"),
        (f'{{{HEAD}, "channels": [{{"name": "A"}}]', "this mapping isn't closed"),
        (f'{{{HEAD}, "x-a": {"[" * 101}{"]" * 101}}}', "are nested here"),
        (f'{{{HEAD}, "channels": [{{"name": "A", "bubbleOffsetX": 1e999}}]}}', "too large"),
        (f'{{{HEAD}, "channels": [{{"name": "A", "colour": "x"}}]}}', "Did you mean `color`?"),
    ],
)
def test_what_is_wrong_in_json_has_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(text, encoding="utf-8")
    checked = invoke("validate", file)
    assert checked.code == 1
    assert said in checked.err
    assert "a.json:1:" in checked.err


def test_comments_and_other_yaml_in_a_json_file_are_read_as_before(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(f'{{{HEAD}, "channels": [{{"name": "A"}},]}} # all\n', encoding="utf-8")
    assert invoke("validate", file).code == 0


def test_a_manifest_can_name_its_schema_and_keeps_it_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "channels.json"
    file.write_text(f'{{{HEAD}, "$schema": "manifest.schema.json", "channels": [{{"name": "A"}}]}}', encoding="utf-8")
    assert invoke("validate", file).code == 0
    assert invoke("fmt", file).code == 0
    assert list(json.loads(file.read_text(encoding="utf-8"))) == ["$schema", "version", "organization", "channels"]
    with emulated({"id": "a", "name": "A", "color": "#000000"}) as api:
        assert api.invoke("adopt", file, "--auto-approve").code == 0
    assert file.read_text(encoding="utf-8").startswith('{\n  "$schema"')
    file.write_text(f'{{{HEAD}, "channels": [{{"name": "A", "$schema": "x"}}]}}', encoding="utf-8")
    assert "`$schema` isn't a known key here" in invoke("validate", file).err
