"""What an editor says of manifests: the real yaml-language-server, led by nothing but their first line."""

from __future__ import annotations

import json
import re
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from commands import emulated, invoke
from example_manifests import EXAMPLES
from language_server import LanguageServer, find_server, language_server
from webchat_sync.domain.catalogue import load_schema, whole_schema

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PLANTED = ROOT / "tests" / "data" / "editor" / "planted.yaml"
UNFINISHED = PLANTED.with_name("unfinished.yaml")
SCRIPT = ROOT / "scripts" / "update_schemas.py"


@pytest.fixture(scope="module")
def editor() -> Iterator[LanguageServer]:
    program, missing = find_server()
    if not program:
        pytest.skip(missing)
    with language_server(program) as server:
        yield server


@pytest.fixture(scope="module")
def unfinished(editor: LanguageServer) -> LanguageServer:
    editor.open(UNFINISHED)
    return editor


def planted_mistakes() -> list[tuple[int, str]]:
    lines = enumerate(PLANTED.read_text(encoding="utf-8").splitlines(), 1)
    return [(number, found[1]) for number, line in lines if (found := re.search(r" # <- (.+)$", line))]


def under_schema(schema: Path, file: Path) -> str:
    return re.sub(r"(?<=\$schema=)\S+", str(schema), file.read_text(encoding="utf-8"), count=1)


def test_every_planted_mistake_is_underlined_and_nothing_else(editor: LanguageServer) -> None:
    assert editor.open(PLANTED) == planted_mistakes()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_has_no_squiggle(editor: LanguageServer, example: Path) -> None:
    assert editor.open(example) == []


def test_with_extra_fields_a_field_may_be_unknown(editor: LanguageServer, tmp_path: Path) -> None:
    channels = "channels: [{name: A, newField: 1, sync: {ignore: [newField], ignored: 1}}]\n"
    modeline = f"# yaml-language-server: $schema={ROOT}/schemas/manifest.schema.json\nversion: 1\n"
    text = f"{modeline}settings: {{extraFields: [newField]}}\ndefaults: {{newField: 2}}\n{channels}"
    assert editor.open(tmp_path / "extra.yaml", text) == [(5, "ignored")]


def test_naming_a_field_keeps_the_check_of_all_others(editor: LanguageServer, tmp_path: Path) -> None:
    modeline = f"# yaml-language-server: $schema={ROOT}/schemas/manifest.schema.json\nversion: 1\n"
    extra = "settings:\n  extraFields:\n    labels: {type: [array, 'null'], x-webchat-sync: {listType: bag}}\n"
    channels = "channels:\n  - name: A\n    labels: [a]\n    colour: '#fff'\n    theme: neon\n"
    marked = editor.open(tmp_path / "entries.yaml", f"{modeline}{extra}{channels}")
    assert marked == [(5, "bag"), (9, "colour"), (10, "neon")]


def test_the_printed_schema_does_the_same_without_its_neighbours(editor: LanguageServer, tmp_path: Path) -> None:
    schema = tmp_path / "manifest.schema.json"
    schema.write_text(invoke("schema", "manifest").out, encoding="utf-8")
    assert editor.open(tmp_path / "planted.yaml", under_schema(schema, PLANTED)) == planted_mistakes()


LEARNED_FROM = {
    "proactiveTriggers": [
        {"id": "t1", "message": "Hi", "urlPattern": "/pricing", "enabled": True, "rules": {"seconds": 5}},
        {"id": "t2", "message": "Ho", "urlPattern": "/plans"},
    ],
    "operatingHours": {"timezone": "Europe/Madrid", "days": {"mon": ["09:00-13:00"]}},
    "offlineAction": "HIDE",
    "stickers": [{"sound": "ping"}],
}
DECLARED = """\
version: 1
settings: {extraFields: [stickers]}
channels:
  - name: A
    offlineAction: ${ACTION}
    proactiveTriggers:
      - urlPattern: ${PAGE}
        rules: {}
        unheardOf: 1
      - {}
    operatingHours: {days: none, timezone: 5}
    stickers:
      - {}
"""


@pytest.fixture
def learned(tmp_path: Path) -> str:
    """The first line of a manifest under a schema that has learned from a live channel."""
    with emulated({"name": "Support", **LEARNED_FROM}) as api:
        (tmp_path / "learned.json").write_text(api.invoke("shapes", "--format", "schema").out, encoding="utf-8")
    schema = tmp_path / "manifest.schema.json"
    schema.write_text(invoke("schema", "manifest", "--learned", tmp_path / "learned.json").out, encoding="utf-8")
    return f"# yaml-language-server: $schema={schema}\n"


def test_what_was_learned_from_live_channels_is_offered_and_explained(
    editor: LanguageServer, learned: str, tmp_path: Path
) -> None:
    file = tmp_path / "learned.yaml"
    assert editor.open(file, learned + DECLARED) == []
    hovered = editor.hover(file, 8, "urlPattern")
    assert "Text; in 2 of 2 live values." in hovered
    assert "/pricing" in hovered
    unwritten = re.sub(r"[$][{]\w+}|[{]}", "", DECLARED.replace("rules", "enabled"))
    begun = tmp_path / "begun.yaml"
    editor.open(begun, learned + unwritten)
    offered = {
        (6, 20): ["HIDE", "MESSAGE_ALLOW"],
        (8, 21): ["/plans", "/pricing"],
        (9, 18): ["false", "true"],
        (11, 9): ["enabled", "id", "message", "rules", "urlPattern"],
        (14, 9): ["sound"],
    }
    assert {place: editor.complete(begun, *place) for place in offered} == offered


def test_a_schema_that_has_learned_marks_the_same_mistakes(
    editor: LanguageServer, learned: str, tmp_path: Path
) -> None:
    file = tmp_path / "planted.yaml"
    assert editor.open(file, learned + PLANTED.read_text(encoding="utf-8").split("\n", 1)[1]) == planted_mistakes()
    unnamed = DECLARED.replace("settings: {extraFields: [stickers]}\n", "settings: {}\n")
    assert editor.open(tmp_path / "unnamed.yaml", learned + unnamed) == [(13, "stickers")]


def test_a_field_added_to_the_catalogue_is_known_to_the_editor(editor: LanguageServer, tmp_path: Path) -> None:
    schemas = shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    catalogue = load_schema("channel")
    catalogue["properties"]["confetti"] = {"type": "boolean", "description": "Rains on every answer."}
    (schemas / "channel.schema.json").write_text(json.dumps(catalogue), encoding="utf-8")
    updated = runpy.run_path(str(SCRIPT))["update"](load_schema("fields"), catalogue)
    (schemas / "fields.schema.json").write_text(json.dumps(updated), encoding="utf-8")
    file = tmp_path / "channels.yaml"
    modeline = "# yaml-language-server: $schema=schemas/manifest.schema.json\nversion: 1\n"
    entries = "channels:\n  - name: A\n    confetti: lots\n  - name: B\n    confetti: ${CONFETTI}\n"
    assert editor.open(file, modeline + entries) == [(5, "lots")]
    assert "Rains on every answer." in editor.hover(file, 7, "confetti")


@pytest.mark.parametrize(
    ("line", "key", "said"),
    [
        (4, "prune", load_schema("manifest")["properties"]["settings"]["properties"]["prune"]["description"]),
        (6, "name", load_schema("channel")["properties"]["name"]["description"]),
        (7, "enabled", load_schema("channel")["properties"]["enabled"]["description"]),
        (10, "operatingHours", load_schema("channel")["properties"]["operatingHours"]["description"]),
        (16, "protect", load_schema("manifest")["$defs"]["sync"]["properties"]["protect"]["description"]),
    ],
)
def test_hovering_over_a_key_explains_it(unfinished: LanguageServer, line: int, key: str, said: str) -> None:
    assert said in unfinished.hover(UNFINISHED, line, key)


@pytest.mark.parametrize(
    ("line", "column", "offered"),
    [
        (8, 17, ["false", "true"]),
        (9, 12, ["auto", "dark", "light"]),
        (13, 7, ["id", "identitySecret", "ignore", "protect", "renamedFrom", "state"]),
        (17, 14, ["absent", "present"]),
    ],
)
def test_what_fits_is_offered(unfinished: LanguageServer, line: int, column: int, offered: list[str]) -> None:
    assert unfinished.complete(UNFINISHED, line, column) == offered


def test_the_fields_that_are_not_there_yet_are_offered(unfinished: LanguageServer) -> None:
    declarable = {name for name, each in load_schema("channel")["properties"].items() if not each.get("readOnly")}
    there = {"name", "enabled", "botEnabled", "theme", "operatingHours"}
    assert unfinished.complete(UNFINISHED, 11, 5) == sorted(declarable - there)
    assert unfinished.complete(UNFINISHED, 18, 16) == sorted(declarable)


def test_the_schema_for_editors_has_every_field_of_the_catalogue() -> None:
    update = runpy.run_path(str(SCRIPT))["update"]
    assert load_schema("fields") == update(load_schema("fields"), load_schema("channel")), f"run python {SCRIPT}"


@pytest.mark.parametrize("name", ["manifest", "channel", "plan", "report", "events", "drift", "shapes"])
def test_each_schema_is_printed_whole(name: str) -> None:
    printed = invoke("schema", name)
    assert printed.code == 0
    Draft202012Validator.check_schema(printed.json())
    assert ".schema.json" not in "".join(re.findall(r'"\$ref": "([^#"]*)#', printed.out))


def test_a_schema_that_refers_to_no_other_is_printed_as_it_is() -> None:
    assert whole_schema("plan") == load_schema("plan")


def test_an_unknown_schema_is_wrong_usage() -> None:
    assert invoke("schema", "channels").code == 64


def invalid(document: Any) -> list[str]:
    errors = Draft202012Validator(whole_schema("manifest")).iter_errors(document)
    return sorted({".".join(map(str, error.absolute_path)) for error in errors})


@pytest.mark.parametrize(
    ("field", "accepted"),
    [
        ("newField", True),
        ("labels", True),
        ("colour", False),
        ("colr", False),
        ("kolor", False),
        ("Color", False),
        ("welcome_message", False),
        ("alowedDomains", False),
        ("allowedDomainss", False),
        ("color", True),
    ],
)
@pytest.mark.parametrize("extra", [["newField"], {"newField": {}}])
def test_with_extra_fields_what_is_nearly_a_known_one_is_still_refused(extra: Any, field: str, accepted: bool) -> None:
    value = "#abcdef" if field == "color" else 1
    document = {"version": 1, "settings": {"extraFields": extra}, "channels": [{"name": "A", field: value}]}
    assert (invalid(document) == []) is accepted
    assert (invalid({**document, "channels": [], "defaults": {field: value}}) == []) is accepted


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_any_validator_accepts_the_examples(example: Path) -> None:
    assert invalid(yaml.safe_load(example.read_text(encoding="utf-8"))) == []


def test_any_validator_finds_the_planted_mistakes() -> None:
    assert invalid(yaml.safe_load(PLANTED.read_text(encoding="utf-8"))) == sorted([
        "", "channels.1", "channels.2.allowedDomains", "channels.2.botEnabled", "channels.2.bubbleOffsetX",
        "channels.2.color", "channels.2.enabled", "channels.2.operatingHours", "channels.2.prechatFields",
        "channels.2.theme", "channels.2.welcomeMessage", "channels.3", "channels.5.sync", "channels.5.sync.ignore.1",
        "channels.5.sync.protect", "channels.5.sync.renamedFrom", "channels.5.sync.state", "defaults",
        "settings", "settings.apiKeyEnv", "settings.prune", "version",
    ])  # fmt: skip
