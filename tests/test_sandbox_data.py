"""A copy of one's own organisation as the sandbox: a snapshot is where the emulator and `--sandbox` may start."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import loopback
from commands import emulated, invoke
from emulator_client import KEY

MANIFEST = """\
version: 1
organization: acme
channels:
  - {name: Support, theme: dark, offlineAction: MESSAGE_ALLOW}
  - {name: Sales, theme: light}
"""
CHANNELS = "/organizations/acme/web-chat/channels"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a manifest, and a snapshot of the organisation that it is about."""
    monkeypatch.chdir(tmp_path)
    Path("channels.yaml").write_text(MANIFEST, encoding="utf-8")
    support = {"name": "Support", "id": "c-1", "theme": "dark", "offlineAction": "MESSAGE_ALLOW", "future": [{"a": 1}]}
    with emulated(support, {"name": "Sales", "id": "c-2", "theme": "auto"}) as api:
        assert api.invoke("snapshot", "--out", "live.json").code == 0
    return tmp_path


def test_the_sandbox_starts_from_a_snapshot_and_goes_on_from_there(folder: Path) -> None:
    (folder / ".webchat-sync").mkdir()
    copy = folder / ".webchat-sync" / "sandbox.json"
    copy.write_bytes((folder / "live.json").read_bytes())
    planned = invoke("plan", "channels.yaml", "--sandbox", "--detailed-exitcode")
    assert (planned.code, planned.last_line) == (2, "Plan: 0 to add, 1 to change, 0 to destroy.")
    assert '~ theme: "auto" -> "light"' in planned.out
    assert invoke("apply", "channels.yaml", "--sandbox", "--auto-approve").code == 0
    assert invoke("plan", "channels.yaml", "--sandbox", "--detailed-exitcode").code == 0
    assert copy.read_bytes() == (folder / "live.json").read_bytes()
    (folder / ".webchat-sync" / "sandbox.db").unlink()
    assert invoke("plan", "channels.yaml", "--sandbox", "--detailed-exitcode").code == 2


def test_a_plan_against_the_sandbox_without_data_leaves_nothing_behind(folder: Path) -> None:
    assert invoke("plan", "channels.yaml", "--sandbox").code == 0
    assert not (folder / ".webchat-sync" / "sandbox.db").exists()


def test_the_emulator_serves_a_snapshot_and_leaves_it_as_it_is(folder: Path) -> None:
    before = (folder / "live.json").read_bytes()
    command = [sys.executable, "-m", "webchat_sync", "emulator", "--port=0", "--data=live.json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        assert server.stderr.readline() == "Starting from the snapshot live.json; changes won't be saved.\n"
        url = server.stderr.readline().split()[-1]
        with loopback.client(base_url=url, headers=KEY) as http:
            listed = http.get(CHANNELS).json()["data"]
            assert [(channel["id"], channel["theme"]) for channel in listed] == [("c-1", "dark"), ("c-2", "auto")]
            assert listed[0]["future"] == [{"a": 1}]
            assert http.patch(f"{CHANNELS}/c-2", json={"theme": "light"}).status_code == 200
        environ = {"MOSEND_BASE_URL": url, "MOSEND_API_KEY": "mk_test_a.b"}
        assert invoke("plan", "channels.yaml", "--detailed-exitcode", environ=environ).code == 0
        server.terminate()
    assert (folder / "live.json").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["channels.yaml", "live.json"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"version": 1, "organizations": {}}', "it has no `listings` list"),
        (b'{"format_version": "9.0", "listings": []}', 'its format_version is "9.0"'),
        (b'{"listings": []}', "it has no `format_version`"),
        (b"{", "it isn't valid JSON"),
        (b"\xff\xfe", "isn't a snapshot"),
        (b"version: 1\n", "it isn't valid JSON"),
    ],
)
def test_what_is_no_snapshot_is_refused(folder: Path, content: bytes, said: str) -> None:
    (folder / ".webchat-sync").mkdir()
    copy = folder / ".webchat-sync" / "sandbox.json"
    copy.write_bytes(content)
    for refused in (
        invoke("plan", "channels.yaml", "--sandbox"),
        invoke("emulator", "--port", "0", "--data", copy),
    ):
        assert (refused.code, refused.out) == (1, "")
        assert said in refused.err
    assert not (folder / ".webchat-sync" / "sandbox.db").exists()


def test_data_that_is_no_file_is_refused(folder: Path) -> None:
    import os

    os.mkfifo(folder / "pipe")
    refused = invoke("emulator", "--port", "0", "--data", "pipe")
    assert (refused.code, "it isn't a file" in refused.err) == (1, True)


@pytest.mark.parametrize("path", ["y" * 300, "loop", "loop/x"])
def test_data_at_a_path_that_nobody_can_look_at_is_refused(folder: Path, path: str) -> None:
    (folder / "loop").symlink_to("loop")
    refused = invoke("emulator", "--port", "0", "--data", path)
    assert (refused.code, f"{path}:1:1: error: can't use the emulator's data" in refused.err) == (1, True), refused.err


def test_faults_in_a_pipe_are_refused(folder: Path) -> None:
    import os

    os.mkfifo(folder / "pipe")
    refused = invoke("emulator", "--port", "0", "--faults", "pipe")
    assert (refused.code, "can't read pipe: it's a FIFO" in refused.err) == (1, True), refused.err


def test_what_is_said_about_damaged_data_names_its_file(folder: Path) -> None:
    assert invoke("apply", "channels.yaml", "--sandbox", "--auto-approve").code == 0
    file = folder / ".webchat-sync" / "sandbox.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE channels SET body = '[]'")
    refused = invoke("plan", "channels.yaml", "--sandbox")
    assert refused.code == 6
    assert f"{Path('.webchat-sync', 'sandbox.db')}:1:1: can't use the emulator's data: a channel in it" in refused.err
