"""What is offered while the chat is closed: the vendor writes a name in one place and an object in another."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from commands import emulated, invoke
from foreign_server import foreign_server
from planning import catalogue
from webchat_sync.domain.catalogue import whole_schema
from webchat_sync.model import Json

VALUES: list[Json] = ["MESSAGE_ALLOW", "HIDE", {"type": "message"}, {"action": "form", "steps": [{"a": "${1}"}]}]


def manifest(folder: Path, value: Json) -> Path:
    file = folder / "channels.yaml"
    text = json.dumps(value).replace("${", "$${")
    file.write_text(
        f"version: 1\norganization: acme\nchannels:\n  - name: Support\n    offlineAction: {text}\n", encoding="utf-8"
    )
    return file


@pytest.mark.slow
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_name_and_an_object_are_created_imported_and_accepted_by_editors(tmp_path: Path, value: Json) -> None:
    file = manifest(tmp_path, value)
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert not list(Draft202012Validator(whole_schema("manifest")).iter_errors(document))
    with emulated() as api:
        assert api.invoke("apply", file, "--auto-approve").code == 0
        assert api.store.channels("acme")[0]["offlineAction"] == value
        assert api.invoke("plan", file, "--detailed-exitcode").code == 0
        imported = tmp_path / "imported.yaml"
        assert api.invoke("import", "--out", imported).code == 0
        assert "not managed" not in imported.read_text(encoding="utf-8")
        assert api.invoke("plan", imported, "--detailed-exitcode").code == 0


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), list(permutations(VALUES, 2)), ids=str)
def test_one_becomes_the_other_by_apply_and_by_adopt(tmp_path: Path, before: Json, after: Json) -> None:
    with emulated({"name": "Support", "id": "c-1", "offlineAction": before}) as api:
        file = manifest(tmp_path, after)
        for output in ("text", "markdown", "json"):
            assert api.invoke("plan", file, "--format", output, "--detailed-exitcode").code == 2
        assert api.invoke("apply", file, "--auto-approve").code == 0
        assert api.store.channels("acme")[0]["offlineAction"] == after
        assert api.invoke("plan", file, "--detailed-exitcode").code == 0
        api.store.update("acme", "c-1", {"offlineAction": before})
        assert api.invoke("adopt", file, "--auto-approve").code == 0
        assert api.invoke("plan", file, "--detailed-exitcode").code == 0
        assert api.store.channels("acme")[0]["offlineAction"] == before


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_another_server_converges_too(tmp_path: Path, value: Json) -> None:
    with foreign_server({"acme": [{"name": "Support"}]}) as server:
        environ = {"MOSEND_BASE_URL": server.url, "MOSEND_API_KEY": "mk_test_a.b"}
        file = manifest(tmp_path, value)
        assert invoke("apply", file, "--auto-approve", environ=environ).code == 0
        assert invoke("plan", file, "--detailed-exitcode", environ=environ).code == 0


@pytest.mark.parametrize("written", ["[a]", "null"])
def test_anything_else_is_refused_with_both_kinds_named(tmp_path: Path, written: str) -> None:
    file = manifest(tmp_path, "x")
    file.write_text(file.read_text(encoding="utf-8").replace('"x"', written), encoding="utf-8")
    refused = invoke("validate", file)
    assert refused.code == 1
    assert "channels.yaml:5" in refused.err + refused.out
    assert "text or a mapping" in refused.err + refused.out


def test_no_example_is_one_that_a_server_with_names_refuses() -> None:
    assert catalogue().fields["offlineAction"].schema["examples"] == ["MESSAGE_ALLOW"]
