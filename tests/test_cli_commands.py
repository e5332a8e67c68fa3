from __future__ import annotations

import hashlib
import hmac
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import loopback
from commands import Emulated, emulated, invoke, manifest_in
from planning import catalogue
from webchat_sync.emulator import Store

CONVERSATION = "2b1fa6a4-6f0e-4a5e-9a52-4ad0a5f9f001"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulated]:
    monkeypatch.chdir(tmp_path)
    twins = [{"name": "Twin", "id": "t-1"}, {"name": "Twin", "id": "t-2"}]
    with emulated({"name": "Support", "id": "c-1", "token": "tok"}, *twins) as running:
        yield running


def test_a_snippet_is_printed_by_name_or_id(api: Emulated) -> None:
    by_name, by_id = api.invoke("snippet", "Support"), api.invoke("snippet", "c-1")
    assert (by_name.code, by_name.err) == (0, "")
    assert "<script" in by_name.out
    assert "tok" in by_name.out
    assert by_name.out == by_id.out


@pytest.mark.parametrize(
    ("name", "said"), [("Twin", '2 live channels have the name "Twin": t-1, t-2'), ("support", "Live channels:")]
)
@pytest.mark.parametrize("command", [["snippet"], ["secret", "revoke", "--auto-approve"], ["avatar", "remove"]])
def test_a_name_that_means_no_channel_or_several_is_an_error(
    api: Emulated, command: list[str], name: str, said: str
) -> None:
    refused = api.invoke(*command, name)
    assert refused.code == 1
    assert said in refused.err


def test_a_rotated_secret_goes_to_a_file_or_is_shown_and_signs_visitors(api: Emulated, tmp_path: Path) -> None:
    target = tmp_path / "support.secret"
    written = api.invoke("secret", "rotate", "Support", "--to", target)
    secret = target.read_text(encoding="utf-8").strip()
    assert (written.code, written.out) == (0, "")
    assert secret not in written.err
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert signs(api, secret)

    shown = api.invoke("secret", "rotate", "c-1", "--show")
    assert shown.code == 0
    assert shown.out.strip() not in shown.err
    assert signs(api, shown.out.strip())
    assert not signs(api, secret)

    revoked = [api.invoke("secret", "revoke", "Support", "--auto-approve") for _ in range(2)]
    assert [said.err for said in revoked] == [
        'Revoked the identity secret of "Support".\n',
        '"Support" had no identity secret.\n',
    ]
    assert not signs(api, shown.out.strip())


def signs(api: Emulated, secret: str) -> bool:
    """Whether the server verifies a visitor signed with this secret."""
    digest = hmac.new(secret.encode(), b"user-1", hashlib.sha256).hexdigest()
    body = {"mode": "host-identified", "userId": "user-1", "hash": digest, "visitorId": "v-1"}
    return loopback.post(f"{api.url}/web-chat/tok/sessions", json=body).status_code == 201


def test_a_secret_is_not_rotated_when_it_would_be_lost(api: Emulated, tmp_path: Path) -> None:
    assert api.invoke("secret", "rotate", "Support").code == 64
    assert api.invoke("secret", "rotate", "Support", "--to", tmp_path / "no" / "file").code == 1
    assert api.taken_calls() == []


def test_an_avatar_is_set_and_removed(api: Emulated, tmp_path: Path) -> None:
    image = tmp_path / "logo.png"
    image.write_bytes(PNG)
    assert api.invoke("avatar", "set", "Support", image).code == 0
    assert api.store.channels("acme")[0]["avatarUrl"]
    assert api.invoke("avatar", "remove", "Support").err == 'Removed the avatar of "Support".\n'
    assert api.store.channels("acme")[0]["avatarUrl"] is None
    assert api.invoke("avatar", "remove", "Support").err == '"Support" had no avatar.\n'


def test_a_file_that_is_no_image_or_cannot_be_read_is_not_sent(api: Emulated, tmp_path: Path) -> None:
    text = tmp_path / "logo.png"
    text.write_text("not an image", encoding="utf-8")
    assert "isn't a PNG" in api.invoke("avatar", "set", "Support", text).err
    missing = api.invoke("media", "upload", CONVERSATION, tmp_path / "missing")
    assert (missing.code, "can't read" in missing.err) == (1, True)
    assert api.taken_calls() == []


def test_uploaded_media_is_sent_as_a_message(api: Emulated, tmp_path: Path) -> None:
    image = tmp_path / "hours.png"
    image.write_bytes(PNG)
    uploaded = api.invoke("media", "upload", CONVERSATION, image)
    assert uploaded.code == 0
    arguments = ["--type", "image", "--media", uploaded.out.strip(), "--body", "Hours"]
    sent = api.invoke("message", "send", CONVERSATION, *arguments)
    assert sent.code == 0
    assert sent.json()["payload"]["id"] == uploaded.out.strip()


def test_every_problem_of_a_message_is_told_before_it_is_sent(api: Emulated) -> None:
    refused = api.invoke("message", "send", CONVERSATION, "--type", "image", "--body", "x" * 4097)
    assert refused.code == 1
    assert "4,096" in refused.err
    assert "media asset id\n  Use --media ID, with an id that `webchat-sync media upload` printed." in refused.err
    assert api.taken_calls() == []


@pytest.mark.parametrize("command", [["history"], ["unlock", "--auto-approve"]])
def test_manifests_that_cannot_be_read_and_name_a_memory_are_not_ignored(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local memory isn't theirs, so what it says would be wrong."""
    manifest_in(tmp_path, monkeypatch, "version: 1\norganization: ${TEAM}\nsettings: {memory: git}\nchannels: []\n")
    refused = invoke(*command, environ={"TEAM": "acme"})
    assert (refused.code, "the environment variable `TEAM`" in refused.err) == (1, True), refused.err
    allowed = invoke(*command, "--allow-env", "TEAM", environ={"TEAM": "acme"})
    assert (allowed.code, "find a Git remote here" in allowed.err) == (1, True), allowed.err
    named = invoke("unlock", "--auto-approve", "--memory", "file", environ={"TEAM": "acme"})
    assert (named.code, "Nobody holds the lock" in named.err) == (0, True), named.err


def test_looking_for_a_lock_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    unlocked = invoke("unlock", "--auto-approve")
    assert (unlocked.code, "Nobody holds the lock" in unlocked.err) == (0, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "reason"), [(Path.mkdir, "Is a directory"), (lambda lock: lock.symlink_to("lock"), "Too many levels")]
)
def test_a_lock_that_nobody_can_look_at_is_not_called_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    lock = Path(".webchat-sync") / "lock"
    lock.parent.mkdir()
    make(lock)
    refused = invoke("unlock", "--auto-approve")
    assert (refused.code, "holds the lock in .webchat-sync: " + reason in refused.err) == (7, True), refused.err


def test_a_command_for_one_organization_asks_for_it(api: Emulated) -> None:
    refused = api.invoke("snippet", "Support", environ={"MOSEND_ORG_ID": ""})
    assert refused.code == 1
    assert "--org" in refused.err


def test_what_is_imported_plans_empty(api: Emulated, tmp_path: Path) -> None:
    target = tmp_path / "channels" / "all.yaml"
    imported = api.invoke("import", "--out", target)
    assert (imported.code, imported.out) == (0, "")
    assert api.invoke("plan", target, "--detailed-exitcode").code == 0
    assert api.invoke("import").out == target.read_text(encoding="utf-8")
    again = api.invoke("import", "--out", target)
    assert (again.code, "already exists" in again.err) == (1, True)
    assert "can't write" in api.invoke("import", "--out", target / "below" / "a.yaml").err


def test_validate_needs_neither_network_nor_key(tmp_path: Path) -> None:
    manifest = tmp_path / "channels.yaml"
    manifest.write_text("version: 1\nchannels: [{name: A}, {name: B}]\n", encoding="utf-8")
    valid = invoke("validate", manifest)
    assert (valid.code, valid.out) == (0, "Valid: 2 channels declared.\n")
    manifest.write_text("version: 2\nchannels: [{nam: A}]\n", encoding="utf-8")
    invalid = invoke("validate", manifest)
    assert (invalid.code, invalid.out) == (1, "")
    assert len([line for line in invalid.err.splitlines() if ": error: " in line]) >= 2


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_emulator_serves_until_it_is_told_to_stop(tmp_path: Path, ending: signal.Signals) -> None:
    data, faults = tmp_path / "data.db", tmp_path / "faults.yaml"
    faults.write_text("- {method: GET, nth: 2, kind: status, status: 503}\n", encoding="utf-8")
    command = [sys.executable, "-m", "webchat_sync", "emulator", "--port=0", f"--data={data}", f"--faults={faults}"]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as server:
        assert server.stderr is not None
        url = server.stderr.readline().split()[-1]
        channels, headers = f"{url}/organizations/acme/web-chat/channels", {"X-Api-Key": "mk_test_a.b"}
        assert loopback.post(channels, json={"name": "Support"}, headers=headers).status_code == 201
        assert [loopback.get(channels, headers=headers).status_code for _ in range(2)] == [200, 503]
        server.send_signal(ending)
        assert server.wait(timeout=100) == 0
    assert [each["name"] for each in Store(catalogue=catalogue(), path=data).channels("acme")] == ["Support"]


def test_an_emulator_that_cannot_start_says_why(tmp_path: Path) -> None:
    with emulated() as api:
        taken = invoke("emulator", "--port", api.url.rsplit(":", 1)[1])
        assert taken.code == 1
        assert "can't listen" in taken.err
    missing = invoke("emulator", "--faults", tmp_path / "missing.yaml")
    assert missing.code == 1
