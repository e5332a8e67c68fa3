"""A sink can only hold the secret of one channel of one organisation on one server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import Emulated, emulated

PATH = {"PATH": os.environ["PATH"]}
FILE, OTHER_FILE = "{file: a.secret}", "{file: sub/../a.secret}"
KEY, OTHER_KEY = "{dotenv: .env, key: A}", "{dotenv: .env, key: B}"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulated]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with emulated({"name": "One", "id": "c-1"}, {"name": "Two", "id": "c-2"}) as running:
        yield running


def manifest(name: str, channels: dict[str, str], organization: str = "acme") -> Path:
    lines = ["version: 1", f"organization: {organization}", "channels:"]
    for channel, sink in channels.items():
        lines += [f"  - name: {channel}", f"    sync: {{identitySecret: {{deliver: [{sink}]}}}}"]
    path = Path(name)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        (FILE, FILE, True),
        (FILE, OTHER_FILE, True),
        (KEY, KEY, True),
        ("{file: .env}", KEY, True),
        (KEY, "{file: .env}", True),
        (KEY, OTHER_KEY, False),
        (FILE, "{file: b.secret}", False),
    ],
)
def test_two_channels_of_a_run_do_not_share_a_place(api: Emulated, first: str, second: str, shared: bool) -> None:
    checked = api.invoke("validate", manifest("all.yaml", {"One": first, "Two": second}))
    assert checked.code == (1 if shared else 0)
    assert ("another channel's secret goes here too, at all.yaml:5" in checked.out + checked.err) == shared


def test_links_to_one_file_are_one_place(api: Emulated) -> None:
    Path("link").symlink_to("a.secret")
    assert api.invoke("validate", manifest("all.yaml", {"One": FILE, "Two": "{file: link}"})).code == 1


def test_two_organisations_do_not_share_a_place(api: Emulated) -> None:
    manifest("a.yaml", {"One": FILE})
    manifest("b.yaml", {"Else": FILE}, "other")
    assert api.invoke("validate", ".").code == 1


def test_two_equal_commands_are_warned_about(api: Emulated) -> None:
    command = "{command: [gh, secret, set, X]}"
    checked = api.invoke("validate", manifest("all.yaml", {"One": command, "Two": command}))
    assert checked.code == 0
    assert "the same command gets another channel's secret" in checked.out + checked.err


def test_a_later_run_does_not_replace_the_secret_of_another_channel(api: Emulated) -> None:
    assert api.invoke("apply", manifest("one.yaml", {"One": FILE}), "--auto-approve").code == 0
    before = Path("a.secret").read_text(encoding="utf-8")
    second = manifest("two.yaml", {"Two": FILE})
    api.calls.clear()
    refused = api.invoke("apply", second, "--auto-approve")
    assert (refused.code, Path("a.secret").read_text(encoding="utf-8")) == (1, before)
    assert 'holds the secret of "One" of the organisation acme' in refused.err
    assert "--take-over-sink" in refused.err
    assert {call.method for call in api.calls} == {"GET"}
    assert api.invoke("apply", second, "--auto-approve", "--take-over-sink").code == 0
    assert Path("a.secret").read_text(encoding="utf-8") != before


def test_the_same_manifest_for_another_organisation_does_not_replace_its_secret(api: Emulated) -> None:
    shared = manifest("all.yaml", {"One": FILE}, "${MOSEND_ORG_ID}")
    assert api.invoke("apply", shared, "--auto-approve").code == 0
    before = Path("a.secret").read_text(encoding="utf-8")
    refused = api.invoke("apply", shared, "--auto-approve", environ={"MOSEND_ORG_ID": "staging"})
    assert (refused.code, Path("a.secret").read_text(encoding="utf-8")) == (1, before)


def test_a_place_is_free_once_its_channel_is_gone_or_its_secret_revoked(api: Emulated) -> None:
    assert api.invoke("apply", manifest("one.yaml", {"One": FILE}), "--auto-approve").code == 0
    assert api.invoke("secret", "revoke", "One", "--auto-approve").code == 0
    assert api.invoke("apply", manifest("two.yaml", {"Two": FILE}), "--auto-approve").code == 0
    api.store.delete("acme", "c-2")
    assert api.invoke("apply", manifest("three.yaml", {"One": FILE}), "--auto-approve").code == 0


def test_what_the_sandbox_made_is_worth_nothing(api: Emulated) -> None:
    file = manifest("one.yaml", {"One": FILE})
    assert api.invoke("apply", file, "--sandbox", "--auto-approve", environ={"MOSEND_BASE_URL": ""}).code == 0
    assert api.invoke("apply", file, "--auto-approve").code == 0
    before = Path("a.secret").read_text(encoding="utf-8")
    again = api.invoke("apply", file, "--sandbox", "--auto-approve", "--rotate", "One", environ={"MOSEND_BASE_URL": ""})
    assert (again.code, Path("a.secret").read_text(encoding="utf-8")) == (1, before)


def test_secret_commands_take_organisation_key_and_ledger_from_the_manifests(api: Emulated) -> None:
    text = manifest("one.yaml", {"One": FILE}).read_text(encoding="utf-8")
    settings = "settings: {apiKeyEnv: MOSEND_API_KEY_ONE, ledger: own.json}\n"
    Path("one.yaml").write_text(text.replace("channels:", settings + "channels:"), encoding="utf-8")
    key = {"MOSEND_API_KEY_ONE": api.environ["MOSEND_API_KEY"], "MOSEND_API_KEY": "", "MOSEND_ORG_ID": ""}
    assert api.invoke("apply", "one.yaml", "--auto-approve", environ=key).code == 0
    status = api.invoke("secret", "status", "One", environ=key)
    assert (status.code, "delivered at" in status.out) == (0, True), status.err
    assert api.invoke("secret", "status", "One", "--manifest", "one.yaml", environ=key).code == 0
    assert api.invoke("adopt", "one.yaml", "--check", environ=key).code in {0, 2}


def test_revoke_asks(api: Emulated) -> None:
    assert api.invoke("apply", manifest("one.yaml", {"One": FILE}), "--auto-approve").code == 0
    assert api.invoke("secret", "revoke", "One").code == 64
    assert api.invoke("secret", "revoke", "One", interactive=True, stdin="no\n").code == 1
    assert api.store.identity_secret("c-1")
    assert api.invoke("secret", "revoke", "One", interactive=True, stdin="yes\n").code == 0
    assert not api.store.identity_secret("c-1")
