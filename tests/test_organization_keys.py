"""``settings.apiKeyEnv``: organisations with API keys of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from applying import KEY, NOW
from commands import Emulated, emulated, invoke
from manifest_files import HEAD
from planning import catalogue
from webchat_sync.emulator import Store, build_app, serve

TWO = """\
version: 1
organization: one
settings: {apiKeyEnv: MOSEND_API_KEY_ONE}
channels: [{name: A}]
---
version: 1
organization: two
channels: [{name: B}]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("channels.yaml")


@contextmanager
def listening() -> Iterator[tuple[Emulated, Callable[[], dict[str, set[str]]]]]:
    """An emulator, and what gives the API keys that each organisation's calls came with since it was last asked."""
    store = Store(catalogue=catalogue(), now=lambda: NOW)
    app = build_app(store)
    used: list[tuple[str, str]] = []

    async def listener(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            used.append((scope["path"].split("/")[2], dict(scope["headers"])[b"x-api-key"].decode()))
        await app(scope, receive, send)

    def taken() -> dict[str, set[str]]:
        found = {organization: {key for each, key in used if each == organization} for organization, _ in used}
        used.clear()
        return found

    with serve(listener) as url:
        yield Emulated(url, store), taken


def test_the_key_of_one_organisation_is_hidden_in_what_is_said_of_another(file: Path) -> None:
    own = "mk_test_one.0wn5ecretofone"

    async def telling(scope: Any, receive: Any, send: Any) -> None:
        body = {"statusCode": 403, "error": "Forbidden", "message": [f"not {own}", "nor 0wn5ecretofone"]}
        await JSONResponse(body, 403)(scope, receive, send)

    file.write_text(TWO, encoding="utf-8")
    with serve(telling) as url:
        failed = invoke(
            "plan", file, environ={"MOSEND_BASE_URL": url, "MOSEND_API_KEY": KEY, "MOSEND_API_KEY_ONE": own}
        )
    assert failed.code == 6
    assert failed.err.count("not ***; nor ***") == 2
    assert "0wn5ecret" not in failed.err


def test_each_organisation_is_called_with_its_own_key(file: Path) -> None:
    own = "mk_test_one.0wn5ecret"
    file.write_text(TWO, encoding="utf-8")
    with listening() as (api, keys_used):
        expected = {"one": {own}, "two": {KEY}}
        assert api.invoke("plan", file, "--out", "plan.json", environ={"MOSEND_API_KEY_ONE": own}).code == 0
        assert keys_used() == expected
        assert api.invoke("apply", "plan.json", "--auto-approve", environ={"MOSEND_API_KEY_ONE": f"{own}\n"}).code == 0
        assert keys_used() == expected
        assert api.invoke("apply", file, "--auto-approve", environ={"MOSEND_API_KEY_ONE": own}).code == 0
        assert keys_used() == expected
        assert api.invoke("snapshot", file, "--out", "live.json", environ={"MOSEND_API_KEY_ONE": own}).code == 0
        assert keys_used() == expected
        assert own not in Path("plan.json").read_text(encoding="utf-8")


def test_a_key_that_is_missing_is_told_with_its_variable_and_where_that_is_named(file: Path) -> None:
    file.write_text(TWO, encoding="utf-8")
    with emulated() as api:
        refused = api.invoke("plan", file, environ={"MOSEND_API_KEY": ""})
        assert refused.code == 1
        assert (
            "channels.yaml:3:23: error: settings.apiKeyEnv: the environment variable MOSEND_API_KEY_ONE, which"
            " `apiKeyEnv` names, isn't set\n"
        ) in refused.err
        assert "Error: no API key is given\n" in refused.err
        empty = api.invoke("plan", file, environ={"MOSEND_API_KEY": "", "MOSEND_API_KEY_ONE": " "})
        assert "MOSEND_API_KEY_ONE, which `apiKeyEnv` names, is empty\n" in empty.err
        file.write_text(TWO.partition("---")[0], encoding="utf-8")
        alone = api.invoke("plan", file, environ={"MOSEND_API_KEY": "", "MOSEND_API_KEY_ONE": KEY})
        assert alone.code == 0
        assert api.invoke("plan", file, "--out", "plan.json", environ={"MOSEND_API_KEY_ONE": KEY}).code == 0
        later = api.invoke("apply", "plan.json", "--auto-approve")
        assert later.code == 1
        assert "Error: the environment variable MOSEND_API_KEY_ONE" in later.err
    assert invoke("plan", file, "--sandbox").code == 0
    assert invoke("validate", file).code == 0


def test_documents_of_an_organisation_must_agree_on_the_key(file: Path) -> None:
    file.write_text(f"{TWO.replace('two', 'one')}settings: {{apiKeyEnv: MOSEND_API_KEY_OTHER}}\n", encoding="utf-8")
    refused = invoke("validate", file)
    assert 'settings.apiKeyEnv: this contradicts "MOSEND_API_KEY_ONE" at channels.yaml:3:23' in refused.err


@pytest.mark.parametrize("name", ["my key", "1KEY", "", "a-b"])
def test_the_name_of_a_variable_has_a_form(file: Path, name: str) -> None:
    file.write_text(HEAD + f"settings: {{apiKeyEnv: '{name}'}}\n", encoding="utf-8")
    assert "channels.yaml:3:23: error: settings.apiKeyEnv:" in invoke("validate", file).err


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_a_shard_whose_organisations_all_lack_their_keys_has_a_plan_that_says_so(file: Path, command: str) -> None:
    """It stopped without a plan, so that the shards could no longer be shown, applied or commented on together."""
    file.write_text(TWO, encoding="utf-8")
    with emulated() as api:
        shards = [api.invoke(command, file, "--shard", f"{index}/3", "--out", f"{index}.json") for index in (1, 2, 3)]
        assert [shard.code for shard in shards] == [1, 0, 0], shards
        assert 'Error: organisation "one": the environment variable MOSEND_API_KEY_ONE' in shards[0].err
        files = ["1.json", "2.json", "3.json"]
        shown = api.invoke("show", *files, "--format", "json").json()
        assert [part["organization"] for part in shown["failed"]] == ["one"]
        assert [part["organization"] for part in shown["organizations"]] == ["two"]
        assert api.invoke("apply", *files, "--auto-approve").code == 1
        assert (len(api.store.channels("one")), len(api.store.channels("two"))) == (0, 1)
        alone = api.invoke("apply", file, "--shard", "1/3", "--auto-approve", "--report", "report.json")
        assert (alone.code, alone.last_line) == (1, "Nothing was compared: the only organisation failed.")
        report = json.loads(Path("report.json").read_text(encoding="utf-8"))
        assert [part["organization"] for part in report["failed"]] == ["one"]


def test_a_shard_without_any_key_says_so_once(file: Path) -> None:
    without = TWO.replace("settings: {apiKeyEnv: MOSEND_API_KEY_ONE}\n", "")
    file.write_text(
        without + "---\n" + without.replace(": one", ": three").replace(": two", ": four"), encoding="utf-8"
    )
    refused = invoke("plan", file, "--shard", "1/3", "--out", "plan.json")
    assert (refused.code, refused.err.count("no API key is given"), Path("plan.json").exists()) == (1, 1, False)
