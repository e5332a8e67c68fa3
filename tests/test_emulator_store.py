from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import loopback
from emulator_client import CHANNELS, KEY, data, emulated, message
from webchat_sync.domain.catalogue import load_catalogue
from webchat_sync.emulator import Store
from webchat_sync.emulator.store import UnknownChannelError
from webchat_sync.errors import InputError
from webchat_sync.model import Json


def stored_at(path: Path, **options: Any) -> Store:
    return Store(catalogue=load_catalogue(), path=path, **options)


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "new" / "sandbox.db"
    with emulated(stored_at(file)) as api:
        kept, gone = api.create(name="Ñandú"), api.create()
        secret = data(api.http.post(f"{CHANNELS}/{kept['id']}/identity-secret"), 201)["secret"]
        api.http.delete(f"{CHANNELS}/{gone['id']}")
        before = api.list()
    again = stored_at(file)
    assert again.identity_secret(kept["id"]) == secret
    with emulated(again) as api:
        assert api.list() == before
        assert [channel["name"] for channel in before] == ["Ñandú"]


def test_the_file_is_for_its_owner_only_and_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    before = os.umask(0)
    try:
        store = stored_at(file)
        for _ in range(3):
            store.create("acme", {"name": "x"})
            assert file.stat().st_mode & 0o777 == 0o600
            assert list(tmp_path.iterdir()) == [file]
    finally:
        os.umask(before)


def test_a_store_that_is_only_read_makes_no_file(tmp_path: Path) -> None:
    store = stored_at(tmp_path / "folder" / "sandbox.db")
    assert store.channels("acme") == []
    assert store.identity_secret("c-1") is None
    with pytest.raises(UnknownChannelError):
        store.channel_of_token("tok")
    assert list(tmp_path.iterdir()) == []


def test_a_change_that_cannot_be_written_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    with emulated(stored_at(file, patience=0.05)) as api:
        first = api.create(name="before")
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            refused = message(api.http.post(CHANNELS, json={"name": "x"}), 500)
            assert "database is locked" in refused
            other.execute("ROLLBACK")
        assert [channel["name"] for channel in api.list()] == ["before"]
        store = api.store
        with pytest.raises(UnknownChannelError):
            store.rotate_identity_secret("acme", "nobody")
        assert store.identity_secret("nobody") is None
        store.rotate_identity_secret("acme", first["id"])
        api.create(name="after")
        assert [channel["name"] for channel in stored_at(file).channels("acme")] == ["before", "after"]


def test_a_file_that_is_taken_away_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    store = stored_at(file)
    store.create("acme", {"name": "lost"})
    file.unlink()
    assert store.channels("acme") == []
    store.create("acme", {"name": "kept"})
    assert [channel["name"] for channel in stored_at(file).channels("acme")] == ["kept"]


def other_program(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE mine (a)")


def newer_release(file: Path) -> None:
    stored_at(file).create("acme", {"name": "x"})
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")


def cut_short(file: Path) -> None:
    stored_at(file).create("acme", {"name": "x"})
    file.write_bytes(file.read_bytes()[:700])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda file: file.write_bytes(b'{"version": 1}'), "file is not a database"),
        (lambda file: file.write_bytes(b"\xff" * 5000), "file is not a database"),
        (lambda file: file.mkdir(), "it isn't a file"),
        (os.mkfifo, "it isn't a file"),
        (other_program, "database of another program"),
        (newer_release, "or of a newer release"),
        (cut_short, "malformed|not a database"),
    ],
)
def test_a_file_that_is_no_store_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    file = tmp_path / "sandbox.db"
    make(file)
    before = file.read_bytes() if file.is_file() else b""
    with pytest.raises(InputError, match=reason) as caught:
        stored_at(file).channels("acme")
    (problem,) = caught.value.problems
    assert (str(problem.place), bool(problem.hint)) == (f"{file}:1:1", True)
    assert (file.read_bytes() if file.is_file() else b"") == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("UPDATE channels SET body = 'x'", "a channel in it is damaged: it isn't valid JSON"),
        ("UPDATE channels SET body = '[]'", "a channel in it is damaged: it isn't an object with an id"),
        ("UPDATE channels SET body = 'null'", "a channel in it is damaged: it isn't an object with an id"),
        ("UPDATE channels SET body = '{\"id\": 1}'", "a channel in it is damaged: it isn't an object with an id"),
        ("UPDATE channels SET body = x'ff'", "a channel in it is damaged"),
        ("DROP TABLE channels", "no such table: channels"),
    ],
)
def test_damage_inside_a_store_is_told_with_its_file_and_a_way_out(tmp_path: Path, damage: str, reason: str) -> None:
    file = tmp_path / "sandbox.db"
    with emulated(stored_at(file)) as api:
        created = api.create(name="x")
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(damage)
        for method, path in (("GET", CHANNELS), ("PATCH", f"{CHANNELS}/{created['id']}")):
            (told,) = message(api.http.request(method, path), 500)
            assert told.startswith(f"{file}:1:1: can't use the emulator's data: {reason}")
            assert told.endswith("Restore the file, or move it elsewhere to start without it.")


def test_a_store_that_cannot_be_created_says_why_in_the_words_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as caught:
        stored_at(tmp_path / "file" / "sandbox.db").create("acme", {"name": "x"})
    assert [problem.message for problem in caught.value.problems] == ["can't use the emulator's data: File exists"]


def test_an_empty_file_is_a_new_store(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    file.touch()
    stored_at(file).create("acme", {"name": "x"})
    assert len(stored_at(file).channels("acme")) == 1


MANY = """
import sys
from pathlib import Path
from webchat_sync.domain.catalogue import load_catalogue
from webchat_sync.emulator import Store
store = Store(catalogue=load_catalogue(), path=Path(sys.argv[1]))
for number in range(25):
    channel = store.create("acme", {"name": f"{sys.argv[2]}-{number}"})
    store.update("acme", str(channel["id"]), {"theme": "dark"})
"""


@pytest.mark.slow
def test_several_processes_share_one_file(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "sandbox.db"
    processes = [subprocess.Popen([sys.executable, "-c", MANY, str(file), str(number)]) for number in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    channels = stored_at(file).channels("acme")
    assert {channel["name"] for channel in channels} == {f"{a}-{b}" for a in range(3) for b in range(25)}
    assert {channel["theme"] for channel in channels} == {"dark"}
    assert len({channel["id"] for channel in channels}) == 75


@pytest.mark.slow
def test_a_killed_server_loses_nothing_that_it_answered(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    command = [sys.executable, "-m", "webchat_sync", "emulator", "--port=0", f"--data={file}"]
    answered: list[str] = []
    for _ in range(3):
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            url = server.stderr.readline().split()[-1]
            with loopback.client(base_url=url, headers=KEY) as http:
                for number in range(10):
                    answered.append(data(http.post(CHANNELS, json={"name": f"n{number}"}), 201)["id"])
                server.kill()
        assert [channel["id"] for channel in stored_at(file).channels("acme")] == answered


def test_a_call_costs_the_same_at_any_size(tmp_path: Path) -> None:
    """Loosely: the file was once written anew with each call, which made a call a thousand times as dear."""
    seconds: list[float] = []
    for size in (5, 3000):
        store = stored_at(tmp_path / f"{size}.db")
        store.seed("acme", [{"name": "x", "id": f"c-{number}", "token": f"t-{number}"} for number in range(size)])
        began = time.process_time()
        for _ in range(100):
            store.create("acme", {"name": "y"})
            store.update("acme", "c-1", {"theme": "dark"})
            store.channel_of_token("t-4")
            store.rotate_identity_secret("acme", "c-2")
        seconds.append(time.process_time() - began)
    assert seconds[1] < 4 * seconds[0]


def test_a_store_begins_with_what_it_is_given_only_where_it_is_new(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    start: dict[str, list[dict[str, Json]]] = {"acme": [{"name": "A", "id": "c-1"}], "other": [{"name": "B"}]}
    store = stored_at(file, start=start)
    assert [store.channel("acme", "c-1")["name"], store.channels("other")[0]["name"]] == ["A", "B"]
    store.delete("acme", "c-1")
    again = stored_at(file, start=start)
    assert (again.channels("acme"), len(again.channels("other"))) == ([], 1)


def test_channels_are_seeded_as_they_are_and_completed(tmp_path: Path) -> None:
    numbers = count(1)
    file = tmp_path / "sandbox.db"
    store = Store(
        catalogue=load_catalogue(),
        path=file,
        now=lambda: datetime(2026, 10, 1, 12, 0, tzinfo=UTC),
        new_id=lambda: f"id-{next(numbers)}",
    )
    first, second = store.seed("acme", [{"name": 7, "id": "mine", "createdAt": "then", "future": [1]}, {"name": "x"}])
    assert (first["name"], first["id"], first["createdAt"], first["future"]) == (7, "mine", "then", [1])
    assert (first["updatedAt"], second["createdAt"]) == ("2026-10-01T12:00:00.000Z", "2026-10-01T12:00:00.000Z")
    assert str(second["id"]).startswith("id-")
    assert store.channels("acme") == stored_at(file).channels("acme") == [first, second]
    with emulated(store) as api:
        assert api.list() == [first, second]


def test_what_a_store_gives_out_can_be_changed_without_harm() -> None:
    store = Store(catalogue=load_catalogue())
    domains: list[Json] = ["a.example"]
    created = store.create("acme", {"name": "x", "allowedDomains": domains})
    domains.append("b.example")
    created["name"] = "changed"
    store.channels("acme")[0]["allowedDomains"] = []
    (kept,) = store.channels("acme")
    assert (kept["name"], kept["allowedDomains"]) == ("x", ["a.example"])
    offline = store.create("acme", {"name": "y"})["offlineAction"]
    assert isinstance(offline, dict)
    offline["type"] = "changed"
    assert store.create("acme", {"name": "z"})["offlineAction"] == {}
