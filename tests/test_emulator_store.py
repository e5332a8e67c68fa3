from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from emulator_client import CHANNELS, data, emulated, message
from webchat_sync.domain.catalogue import load_catalogue
from webchat_sync.emulator import Store
from webchat_sync.errors import InputError
from webchat_sync.model import Json


def stored_at(path: Path) -> Store:
    return Store(catalogue=load_catalogue(), path=path)


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "new" / "sandbox.json"
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
    file = tmp_path / "sandbox.json"
    store = stored_at(file)
    for _ in range(3):
        store.create("acme", {"name": "x"})
        assert file.stat().st_mode & 0o777 == 0o600
        assert list(tmp_path.iterdir()) == [file]


def test_a_change_that_cannot_be_written_is_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with emulated(stored_at(folder / "sandbox.json")) as api:
        api.create(name="before")
        written = (folder / "sandbox.json").read_text()
        (folder / "sandbox.json").unlink()
        (folder / "sandbox.json").mkdir()
        refused = message(api.http.post(CHANNELS, json={"name": "x"}), 500)
        assert refused.startswith("the emulator failed: ")
        assert [channel["name"] for channel in api.list()] == ["before"]
        assert [path.name for path in folder.iterdir()] == ["sandbox.json"]
        (folder / "sandbox.json").rmdir()
        api.create(name="after")
        assert len(written) < len((folder / "sandbox.json").read_text())


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (b'{"version": 1,\n  "organi', ":2:3", "Unterminated string"),
        (b"", ":1:1", "Expecting value"),
        (b"\xff", ":1:1", "codec can't decode"),
        (b"[]", ":1:1", r"\$: \[\] is not of type 'object'"),
        (b'{"version": 2, "organizations": {}, "identitySecrets": {}}', ":1:1", r"\$.version: 1 was expected"),
        (b'{"version": 1, "organizations": {"acme": [{}]}, "identitySecrets": {}}', ":1:1", "required property"),
    ],
)
def test_a_damaged_file_is_refused_with_its_place_and_left_as_it_is(
    tmp_path: Path, content: bytes, place: str, reason: str
) -> None:
    file = tmp_path / "sandbox.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        stored_at(file)
    (problem,) = caught.value.problems
    assert (str(problem.place), bool(problem.hint)) == (f"{file}{place}", True)
    assert file.read_bytes() == content


def test_a_half_written_file_of_a_killed_run_is_not_seen(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    created = stored_at(file).create("acme", {"name": "x"})
    (tmp_path / ".sandbox.json.k1lled").write_text('{"version": 1, "org')
    assert stored_at(file).channels("acme") == [created]


def test_channels_are_seeded_as_they_are_and_completed(tmp_path: Path) -> None:
    numbers = count(1)
    file = tmp_path / "sandbox.json"
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
    assert store.channels("acme") == json.loads(file.read_text())["organizations"]["acme"] == [first, second]
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
