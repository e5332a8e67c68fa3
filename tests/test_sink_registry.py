"""Every kind of sink that a manifest may declare goes the whole way: manifest, saved plan, apply, and its schemas."""

from __future__ import annotations

import json
import os
import re
import runpy
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import anyio
import pytest
from jsonschema import Draft202012Validator

from commands import Emulated, emulated
from sink_kinds import FILE_KINDS
from webchat_sync.domain.catalogue import load_schema, whole_schema
from webchat_sync.errors import Diagnostic
from webchat_sync.model import Json, Secret, Sink
from webchat_sync.secrets.sinks import SinkError, Sinks
from webchat_sync.secrets.sinks import registry as sinks
from webchat_sync.secrets.sinks.kind import Address, Occasion, SinkSettings

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES: Mapping[str, Mapping[str, Json]] = {
    "file": {"file": "support.secret"},
    "dotenv": {"dotenv": "support.env", "key": "K"},
    "command": {"command": [sys.executable, "-c", "import sys; open('taken', 'w').write(sys.stdin.read())"]},
}
"""A sink of each kind in a manifest, relative to an empty folder."""


def example(kind: str) -> Mapping[str, Json]:
    assert kind in EXAMPLES, f"add a sink of the kind `{kind}` to EXAMPLES in this file"
    return EXAMPLES[kind]


class BrokenSink:
    """A kind as somebody could add it, which fails in a way that nobody foresaw."""

    schema: Mapping[str, Json] = {"broken": {"type": "string"}}

    def parse(self, value: Mapping[str, Json], folder: str) -> Sink:
        return Sink("broken", str(value["broken"]), folder=folder)

    def flaws(self, value: Mapping[str, Json]) -> Iterator[Diagnostic]:
        yield from ()

    def addresses(self, sink: Sink) -> tuple[Address, ...]:
        return ()

    async def probe(self, sink: Sink, occasion: Occasion, settings: SinkSettings) -> str:
        return ""

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret, settings: SinkSettings) -> None:
        raise KeyError(secret.reveal())

    def read(self, sink: Sink) -> Secret | None:
        return None


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulated]:
    monkeypatch.chdir(tmp_path)
    with emulated({"name": "Support", "id": "c-1", "token": "tok"}) as running:
        yield running


def apply(api: Emulated, sink: Mapping[str, Json]) -> tuple[int, str]:
    document = {
        "version": 1,
        "organization": "acme",
        "channels": [{"name": "Support", "sync": {"identitySecret": {"deliver": [sink]}}}],
    }
    Path("all.json").write_text(json.dumps(document), encoding="utf-8")
    planned = api.invoke("plan", "all.json", "--out", "plan.json")
    if planned.code:
        return planned.code, planned.err
    applied = api.invoke("apply", "plan.json", "--auto-approve", environ={"PATH": os.environ["PATH"]})
    return applied.code, applied.out + applied.err


@pytest.mark.parametrize("kind", sinks.DECLARABLE)
def test_a_kind_goes_from_the_manifest_through_a_saved_plan_to_its_place(api: Emulated, kind: str) -> None:
    code, said = apply(api, example(kind))
    assert code == 0, said
    stored = json.loads(Path(".webchat-sync/ledger.json").read_text(encoding="utf-8"))["entries"][0]
    sink = Sink.from_json(stored["sinks"][0])
    assert (sink.kind, stored["state"]) == (kind, "delivered")
    secret = api.store.identity_secret("c-1")
    assert secret
    assert not any(secret in text for text in (said, json.dumps(stored), Path("plan.json").read_text(encoding="utf-8")))
    held = sinks.KINDS[kind].read(sink)
    assert (held.reveal() if held else Path("taken").read_text(encoding="utf-8")) == secret


def test_whatever_a_sink_raises_is_a_sink_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast("dict[str, object]", sinks.KINDS), "broken", BrokenSink())
    secret = Secret("c4n4ry-Zk9vB2mW4tLp0sNd8x")
    with pytest.raises(SinkError) as raised:
        anyio.run(Sinks({}).deliver, Sink("broken", "anything"), Occasion("Support", "c-1", "acme", None), secret)
    assert raised.value.message == "it failed with KeyError"
    assert raised.value.__cause__ is None
    assert secret.reveal() not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("path", ["a\x00b", "a\ud800", "a" * 300, "a/" * 3000, "~nobody-of-that-name/x", ""])
@pytest.mark.parametrize("kind", FILE_KINDS)
def test_a_path_that_no_system_has_is_an_error_in_words(api: Emulated, kind: str, path: str) -> None:
    code, said = apply(api, {**example(kind), kind: path})
    assert code == 1, said
    assert not api.store.identity_secret("c-1")


def test_the_schemas_follow_the_registry() -> None:
    update_schemas = SimpleNamespace(**runpy.run_path(str(ROOT / "scripts" / "update_schemas.py")))
    run = "run: python scripts/update_schemas.py, and python docs/generate.py"
    assert load_schema("manifest")["$defs"]["sink"] == update_schemas.manifest_sink(), run
    assert load_schema("plan")["$defs"]["sink"] == update_schemas.plan_sink(), run
    check = Draft202012Validator({**load_schema("plan")["$defs"]["sink"], "additionalProperties": False})
    for kind in sinks.DECLARABLE:
        check.validate(sinks.KINDS[kind].parse(example(kind), "folder").as_json())


def test_no_two_kinds_have_a_key_of_the_same_name() -> None:
    keys = [key for kind in sinks.DECLARABLE.values() for key in kind.schema]
    assert sorted(keys) == sorted({*keys} - {"probe", "folder"})


@pytest.mark.parametrize("kind", sinks.DECLARABLE)
def test_an_editor_takes_a_variable_for_every_text(kind: str) -> None:
    sink = {key: "${NAME}" if isinstance(value, str) else value for key, value in example(kind).items()}
    document = {"version": 1, "channels": [{"name": "Support", "sync": {"identitySecret": {"deliver": [sink]}}}]}
    assert not list(Draft202012Validator(whole_schema("manifest")).iter_errors(document))


@pytest.mark.parametrize("kind", sinks.DECLARABLE)
def test_a_sink_is_what_is_declared_and_no_more(kind: str) -> None:
    parse, example = sinks.KINDS[kind].parse, EXAMPLES[kind]
    plain = parse(example, "folder")
    assert plain == Sink.from_json({**example, "folder": "folder"})
    assert parse({**example, "probe": ["check", "it"]}, "folder") == replace(plain, probe=("check", "it"))
    assert parse({kind: example[kind]}, "folder") == replace(plain, key="")


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_a_file_that_is_not_there_has_no_secret_but_an_address(tmp_path: Path, kind: str) -> None:
    sink = sinks.KINDS[kind].parse(example(kind), str(tmp_path))
    assert sinks.KINDS[kind].read(sink) is None
    assert sinks.KINDS[kind].addresses(sink)[0] == Address(str(tmp_path.resolve() / sink.path), sink.key)


@pytest.mark.parametrize("kind", sinks.DECLARABLE)
def test_every_kind_is_in_the_guide(kind: str) -> None:
    guide = Path("docs/how-to/secrets.md")
    rows = re.findall(r"^\| `(\w+): ", (ROOT / guide).read_text(encoding="utf-8"), re.MULTILINE)
    assert kind in rows, f"add a row for the kind `{kind}` to the table of sinks in {guide}"
