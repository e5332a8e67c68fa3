"""A sink can only hold the secret of one channel of one organisation on one server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from commands import Emulated, emulated
from webchat_sync.model import Sink
from webchat_sync.secrets.sinks import Address
from webchat_sync.secrets.sinks.file import FileSink
from webchat_sync.secrets.sinks.kind import SinkKind
from webchat_sync.secrets.sinks.registry import KINDS

PATH = {"PATH": os.environ["PATH"]}
FILE, OTHER_FILE = "{file: a.secret}", "{file: sub/../a.secret}"
KEY, OTHER_KEY = "{dotenv: .env, key: A}", "{dotenv: .env, key: B}"


class WithOldFile(FileSink):
    """A kind as somebody could add it, which also writes a second file."""

    def addresses(self, sink: Sink) -> tuple[Address, ...]:
        (whole,) = super().addresses(sink)
        return (whole, Address(f"{whole.path}.old", ""))


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
    assert ("the secret of another channel goes here too (see all.yaml:5" in checked.out + checked.err) == shared


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        (FILE, "{file: a.secret.old}", True),
        ("{file: a.secret.old}", FILE, True),
        (FILE, "{dotenv: a.secret.old, key: A}", True),
        ("{dotenv: a.secret.old, key: A}", FILE, True),
        (FILE, "{file: b.secret}", False),
    ],
)
def test_a_kind_that_writes_two_files_shares_neither(
    api: Emulated, monkeypatch: pytest.MonkeyPatch, first: str, second: str, shared: bool
) -> None:
    monkeypatch.setitem(cast("dict[str, SinkKind]", KINDS), "file", WithOldFile())
    both = api.invoke("validate", manifest("all.yaml", {"One": first, "Two": second}))
    assert (both.code, "the secret of another channel goes here too" in both.out + both.err) == (int(shared), shared)
    assert api.invoke("apply", manifest("all.yaml", {"One": first}), "--auto-approve").code == 0
    later = api.invoke("apply", manifest("all.yaml", {"Two": second}), "--auto-approve")
    assert (later.code, 'holds the secret of "One"' in later.err) == (int(shared), shared)


def test_a_kind_that_writes_two_files_can_be_declared_twice_for_a_channel(
    api: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cast("dict[str, SinkKind]", KINDS), "file", WithOldFile())
    assert api.invoke("validate", manifest("all.yaml", {"One": f"{FILE}, {OTHER_FILE}"})).code == 0
    assert api.invoke("validate", manifest("all.yaml", {"One": f"{FILE}, {{file: a.secret.old}}"})).code == 1


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
    checked = api.invoke("validate", manifest("all.yaml", {"One": f"{command}, {command}"}))
    assert (checked.code, checked.err) == (0, "")


def test_a_later_run_does_not_replace_the_secret_of_another_channel(api: Emulated) -> None:
    assert api.invoke("apply", manifest("one.yaml", {"One": FILE}), "--auto-approve").code == 0
    before = Path("a.secret").read_text(encoding="utf-8")
    second = manifest("two.yaml", {"Two": FILE})
    api.calls.clear()
    refused = api.invoke("apply", second, "--auto-approve")
    assert (refused.code, Path("a.secret").read_text(encoding="utf-8")) == (1, before)
    assert 'holds the secret of "One" of organisation "acme"' in refused.err
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


CONTENTS = {"a word": "1.2.3\n", "a token": "ghp_something\n", "a word with a carriage return": "abc\r\n"}
NO_DOTENV = {
    "JSON": '{"a": 1}\n',
    "YAML": "# c\nversion: 1\n",
    "Python": "import os\nA=1\n",
    "HTML": "<!doctype html>\n",
    "INI": "[a]\nb=1\n",
}
OUTPUTS = ("--report=target", "--events=target", "--debug-http=target", "--render=html=target")


def refused(api: Emulated, sink: str, *arguments: str) -> str:
    """What an apply says that delivers to ``sink``, and that has to be refused before anything is written."""
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file() and not path.is_symlink()}
    api.calls.clear()
    ended = api.invoke("apply", manifest("one.yaml", {"One": sink}), "--auto-approve", *arguments)
    assert ended.code == 1, ended.out + ended.err
    assert {call.method for call in api.calls} == {"GET"}
    assert all(path.read_bytes() == content for path, content in before.items())
    assert "one.yaml:4" in ended.err
    return ended.err


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_file_that_it_did_not_write_is_not_replaced(api: Emulated, content: str) -> None:
    Path("target").write_text(content, encoding="utf-8", newline="")
    said = refused(api, "{file: target}")
    assert "holds something that isn't in any ledger" in said
    assert "--take-over-sink" in said
    assert api.invoke("apply", "one.yaml", "--auto-approve", "--take-over-sink").code == 0
    # What it wrote itself is its own from then on.
    assert api.invoke("apply", "one.yaml", "--auto-approve", "--rotate", "One").code == 0
    assert Path("target").read_text(encoding="utf-8").strip() == api.store.identity_secret("c-1")


@pytest.mark.parametrize("content", NO_DOTENV.values(), ids=NO_DOTENV)
def test_a_key_is_not_put_into_a_file_of_something_else(api: Emulated, content: str) -> None:
    Path("target").write_text(content, encoding="utf-8")
    assert "something other than KEY=value lines" in refused(api, "{dotenv: target, key: KEY}")


@pytest.mark.parametrize("content", ["", "# only a comment\n", "export A=1\n", "\n\nA = 'x\ny'\n", "[a]\nKEY=old\n"])
def test_a_key_is_put_into_a_dotenv_file(api: Emulated, content: str) -> None:
    Path("target").write_text(content, encoding="utf-8")
    ended = api.invoke("apply", manifest("one.yaml", {"One": "{dotenv: target, key: KEY}"}), "--auto-approve")
    assert ended.code == 0, ended.err
    assert f"KEY={api.store.identity_secret('c-1')}" in Path("target").read_text(encoding="utf-8")


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("sink", ["{file: sub/../target}", "{dotenv: target, key: A}"])
def test_a_place_that_the_run_writes_takes_no_secret(api: Emulated, output: str, sink: str) -> None:
    ended = api.invoke("apply", manifest("one.yaml", {"One": sink}), "--auto-approve", output)
    assert ended.code == 1
    assert f"target ({output.split('=')[0]}" in ended.err
    assert not api.store.identity_secret("c-1")


@pytest.mark.parametrize(
    "sink", ["{file: one.yaml}", "{dotenv: one.yaml, key: A}", "{file: .webchat-sync/ledger.json}"]
)
def test_the_manifest_and_the_ledger_take_no_secret(api: Emulated, sink: str) -> None:
    refused(api, sink)


def test_a_declared_ledger_and_the_file_of_the_key_take_no_secret(api: Emulated) -> None:
    Path("key").write_text(api.environ["MOSEND_API_KEY"], encoding="utf-8")
    assert "--api-key-file" in refused(api, "{dotenv: key, key: A}", "--api-key-file", "key")
    text = manifest("one.yaml", {"One": "{file: own.json}"}).read_text(encoding="utf-8")
    Path("one.yaml").write_text(text.replace("channels:", "settings: {ledger: own.json}\nchannels:"), encoding="utf-8")
    assert "settings.ledger" in api.invoke("apply", "one.yaml", "--auto-approve").err
    assert not Path("own.json").exists()


def test_links_in_a_circle_take_no_secret(api: Emulated) -> None:
    Path("target").symlink_to("target")
    assert "Too many levels of symbolic links" in refused(api, "{file: target}")


@pytest.mark.parametrize("name", ["one.yaml", ".webchat-sync/ledger.json", "taken.secret"])
def test_neither_do_they_by_hand(api: Emulated, name: str) -> None:
    manifest("two.yaml", {"Two": "{file: taken.secret}"})
    assert api.invoke("apply", "two.yaml", "--auto-approve").code == 0
    failing = manifest("one.yaml", {"One": '{command: ["false"]}'})
    assert api.invoke("apply", failing, "--auto-approve", environ=PATH).code == 3
    before = Path(name).read_bytes()
    delivered = api.invoke("secret", "deliver", "One", "--manifest", "one.yaml", "--to", name)
    rotated = api.invoke("secret", "rotate", "One", "--manifest", "one.yaml", "--to", name)
    assert (delivered.code, rotated.code, Path(name).read_bytes()) == (3, 1, before)
    assert api.invoke("secret", "deliver", "Ｏne", "--to", "x").code == 1
    assert api.invoke("secret", "deliver", "One ", "--manifest", "one.yaml", "--to", "free.secret").code == 0


@pytest.mark.parametrize("action", ["rotate", "deliver"])
def test_a_secret_is_not_shown_where_nobody_can_read_it(api: Emulated, action: str) -> None:
    if action == "deliver":
        failing = manifest("one.yaml", {"One": '{command: ["false"]}'})
        assert api.invoke("apply", failing, "--auto-approve", environ=PATH).code == 3
    before = api.store.identity_secret("c-1")
    line = f'"{sys.executable}" -m webchat_sync secret {action} One --show >&-'
    environ = {**os.environ, **api.environ}
    done = subprocess.run(["/bin/sh", "-c", line], env=environ, check=False, capture_output=True, text=True)
    assert (done.returncode, api.store.identity_secret("c-1")) == (1, before)
    assert "--show: stdout is closed" in done.stderr
