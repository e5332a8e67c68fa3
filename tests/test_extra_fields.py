"""Fields of the vendor's that the server knows and this release does not."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

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
def newer_server(*channels: Mapping[str, Any]) -> Iterator[Emulated]:
    store = Store(catalogue=newer(), now=lambda: NOW)
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
    with newer_server({"name": "Sales", "tone": "loud"}) as api:
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
    with newer_server({"name": "Sales", "tone": "loud"}, {"name": "Support", "tone": "calm"}) as api:
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
    assert [short(each) for each in problems(tmp_path, HEAD + "settings: {extraFields: [7, '']}\n")] == [
        "1.yaml:3:26 settings.extraFields[0]",
        "1.yaml:3:29 settings.extraFields[1]",
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
