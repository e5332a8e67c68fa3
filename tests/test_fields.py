from __future__ import annotations

import copy
import json
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import anyio
import pytest
from jsonschema import Draft202012Validator

from applying import plan_and_apply
from planning import catalogue
from webchat_sync.domain.catalogue import ANNOTATION, load_catalogue, load_schema, schema_path
from webchat_sync.emulator import Store, build_app, serve
from webchat_sync.manifest import load_manifests

ROOT = Path(__file__).parents[1]
SCHEMAS = [path.name.removesuffix(".schema.json") for path in (ROOT / "schemas").glob("*.schema.json")]


def test_every_field_is_described_in_a_sentence_for_the_editors_hover() -> None:
    assert all(len(field.description) > 30 for field in catalogue().fields.values())


def test_the_schemas_are_valid_and_every_annotation_is_a_documented_one() -> None:
    for name in SCHEMAS:
        Draft202012Validator.check_schema(load_schema(name))
    schema = load_schema("channel")
    validator = Draft202012Validator(schema["$defs"]["annotation"])
    for entry in schema["properties"].values():
        validator.validate(entry[ANNOTATION])
        validator.validate(entry.get("items", {}).get(ANNOTATION, {}))


def test_a_new_field_of_the_vendors_is_one_entry_in_the_catalogue(tmp_path: Path) -> None:
    schema = copy.deepcopy(load_schema("channel"))
    schema["properties"]["tags"] = {
        "type": ["array", "null"],
        "items": {"type": "string"},
        "description": "Labels for reports.",
        ANNOTATION: {"create": True, "listType": "set", "emulated": []},
    }
    extended = load_catalogue(schema)
    file = tmp_path / "channels.yaml"
    file.write_text("version: 1\norganization: acme\nchannels: [{name: Support, tags: [b, a]}]\n", encoding="utf-8")
    (manifest,) = load_manifests([file], catalogue=extended, environ={}).manifests
    store = Store(catalogue=extended)
    store.seed("acme", [{"name": "Other", "tags": ["x"]}])

    with serve(build_app(store)) as url:
        plan, report = anyio.run(partial(plan_and_apply, url, manifest, fields=extended))
        store.update("acme", str(store.channels("acme")[1]["id"]), {"tags": ["a", "c"]})
        drifted, _ = anyio.run(partial(plan_and_apply, url, manifest, fields=extended))
    assert [each.body for each in plan.organizations[0].active_changes[0].operations] == [
        {"name": "Support", "tags": ["b", "a"]}
    ]
    assert report is not None
    assert report.outcome == "converged"
    assert [each.path for each in drifted.organizations[0].active_changes[0].fields] == ['tags["b"]', 'tags["c"]']


def test_the_schemas_are_those_beside_these_tests() -> None:
    for name in SCHEMAS:
        assert schema_path(name).read_bytes() == (ROOT / "schemas" / f"{name}.schema.json").read_bytes()


@pytest.mark.filterwarnings("default")
def test_the_schemas_are_found_in_an_installed_wheel(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    script = (
        "import json, webchat_sync.domain.catalogue as fields\n"
        "print(json.dumps([str(fields.schema_path('channel')), list(fields.load_catalogue().fields)]))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(tmp_path / "installed")},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    path, fields = json.loads(found.stdout)
    assert Path(path).is_relative_to(tmp_path / "installed" / "webchat_sync")
    assert fields == list(catalogue().fields)
