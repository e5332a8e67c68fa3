"""The memory in a file: what it remembers, of whom, and what of it older and newer versions read."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from filelock import FileLock as SystemLock
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgers import read_ledger, record
from remembering import SCOPE, Clock, entry, in_time_of, remembering, run
from sizes import examples
from webchat_sync.errors import InputError, LockedError, MemoryUnavailableError
from webchat_sync.flat import visible
from webchat_sync.memory.document import Document, parse_document
from webchat_sync.memory.file import FileLock, FileMemory
from webchat_sync.memory.opened import hold_lock
from webchat_sync.memory.ports import Holder, Note
from webchat_sync.model import ChannelKey, DoubtfulCreate, KnownChannel, OrganizationKey, moment_text
from work import calls_of

NOTE = Note("rotate")
AT = datetime(2026, 7, 1, 12, tzinfo=UTC)
OTHER = OrganizationKey(SCOPE.base_url, "org-2")


def lock(folder: Path, name: str, clock: Clock) -> FileLock:
    return FileLock(folder=folder, run=run(name), environment=in_time_of(clock))


def test_everything_is_remembered_by_organisation_and_the_rotations_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "a" / "ledger.json"
    memory = FileMemory(path)
    create = DoubtfulCreate("Support", AT, "https://ci.example.com/1")
    channel = KnownChannel("Support", AT, owner="example.com/acme", protected=True)
    memory.write({SCOPE: remembering("a")}, NOTE)
    memory.write({OTHER: remembering("b")}, NOTE)
    memory.write({SCOPE: lambda document: document.with_creates({"1": create}).with_channels({"a": channel})}, NOTE)
    remembered = memory.read()[SCOPE]
    assert (remembered.rotations, remembered.creates, remembered.channels) == (
        {"a": entry()},
        {"1": create},
        {"a": channel},
    )
    assert memory.read()[OTHER].rotations == {"b": entry()}
    assert memory.read()[OTHER].channels == {}
    assert set(read_ledger(path)) == {ChannelKey(*SCOPE, "a"), ChannelKey(*OTHER, "b")}
    memory.write({SCOPE: lambda document: document.with_creates({"1": None}).with_rotation("a", None)}, NOTE)
    assert (memory.read()[SCOPE].creates, memory.read()[SCOPE].rotations) == ({}, {})
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_edit_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    memory = FileMemory(tmp_path / "ledger.json")
    memory.write({SCOPE: lambda document: document}, NOTE)
    assert list(tmp_path.iterdir()) == []


def test_what_the_older_version_wrote_is_read_and_unknown_keys_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    record(path, ChannelKey(*SCOPE, "a"), entry())
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["tomorrow"] = 1
    stored["entries"][0]["tomorrow"] = 2
    stored["organizations"] = [{**SCOPE._asdict(), "tomorrow": 3}]
    path.write_text(json.dumps(stored), encoding="utf-8")
    memory = FileMemory(path)
    assert memory.read()[SCOPE].rotations == {"a": entry()}
    memory.write({SCOPE: remembering("a", "2")}, NOTE)
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert (stored["tomorrow"], stored["entries"][0]["tomorrow"], stored["organizations"][0]["tomorrow"]) == (1, 2, 3)
    assert stored["entries"][0]["attempt"] == "2"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ours", "another run's"]),
        st.sampled_from([SCOPE, OTHER]),
        st.sampled_from(["rotation", "channel", "create"]),
        st.sampled_from(["\u202e#x[", "b", "é"]),
        st.sampled_from(["intended", "delivered", None]),
    ),
    max_size=12,
)


@settings(max_examples=examples(60, thorough=600), deadline=None)
@given(STEPS)
def test_what_is_written_part_by_part_is_what_a_whole_write_would_be(
    steps: list[tuple[str, OrganizationKey, str, str, str | None]],
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.json"
        ours = FileMemory(path)
        expected: dict[OrganizationKey, Document] = {}
        for who, scope, kind, name, state in steps:

            def edit(document: Document, kind: str = kind, name: str = name, state: str | None = state) -> Document:
                if kind == "rotation":
                    return document.with_rotation(name, entry(state) if state else None)
                if kind == "channel":
                    return document.with_channels({name: KnownChannel(name, AT, owner=state) if state else None})
                return document.with_creates({name: DoubtfulCreate(name, AT, state) if state else None})

            (ours if who == "ours" else FileMemory(path)).write({scope: edit}, NOTE)
            expected[scope] = edit(expected.get(scope, Document()))
            if not path.exists():
                continue
            stored = path.read_text(encoding="utf-8")
            assert stored == visible(json.dumps(json.loads(stored), ensure_ascii=False, indent=2)) + "\n"
            remembered = {scope: document for scope, document in expected.items() if document.sections}
            for memory in (ours, FileMemory(path)):
                documents = {scope: document for scope, document in memory.read().items() if document.sections}
                assert documents == remembered
                for key, document in documents.items():
                    assert document.rotations == parse_document(remembered[key].as_json()).rotations
                    assert document.channels == parse_document(remembered[key].as_json()).channels


def test_a_write_of_one_rotation_does_no_more_work_if_there_are_a_thousand(tmp_path: Path) -> None:
    def work(count: int) -> int:
        memory = FileMemory(tmp_path / f"{count}.json")
        channels = {f"c-{number}": KnownChannel("Support", AT) for number in range(count)}
        for edit in (lambda document: document.with_channels(channels), *map(remembering, channels)):
            memory.write({SCOPE: edit}, NOTE)
        assert memory.read()[SCOPE].rotations.keys() == channels.keys()
        return calls_of(lambda: memory.write({SCOPE: remembering("c-5", "2")}, NOTE)[SCOPE].rotations)

    assert work(200) < work(10) * 1.2


KNOWN = {"name": "Support", "seen": "2026-07-01T12:00:00+00:00"}


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", '{"version": 0}', '{"version": 1, "entries": [1]}', '{"version": 1, "entries": [{}]}'),
        '{"version": 1, "entries": 5}',
        json.dumps({"version": 1, "organizations": [{**SCOPE._asdict(), "channels": 1}]}),
        *(
            json.dumps({"version": 1, "entries": [], "organizations": [{**SCOPE._asdict(), "channels": {"c": known}}]})
            for known in ({**KNOWN, "others": [["a", "b"]]}, {**KNOWN, "others": {"a": 1}}, {**KNOWN, "file": 1})
        ),
    ],
)
def test_a_damaged_file_is_an_error_with_a_way_out(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ledger.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="damaged") as damaged:
        FileMemory(path).read()
    assert damaged.value.problems[0].hint


def test_a_file_of_a_newer_version_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_text('{"version": 2}', encoding="utf-8")
    with pytest.raises(InputError, match="can't be read: its version is 2") as raised:
        FileMemory(path).read()
    hint = raised.value.problems[0].hint
    assert ("newer version of webchat-sync" in hint, "backup" in hint) == (True, False)


def test_a_file_that_cannot_be_written_or_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="can't read"):
        FileMemory(tmp_path / "file" / "ledger.json").write({SCOPE: remembering("a")}, NOTE)
    with pytest.raises(InputError, match="can't read"):
        FileMemory(tmp_path).read()


def test_the_lock_of_a_folder(tmp_path: Path) -> None:
    clock = Clock()
    told: list[Holder] = []
    one, two = lock(tmp_path / "state", "one", clock), lock(tmp_path / "state", "two", clock)
    assert one.holders() == ()
    with hold_lock(one, timeout=0, every=60):
        assert one.still_held()
        assert one.renew()
        (holder,) = two.holders()
        assert (holder.run.id, holder.since) == ("one", AT)
        with pytest.raises(LockedError, match="on machine of one"):
            two.acquire(3, told.append)
        assert told == [holder]
        assert clock.seconds == pytest.approx(3, abs=0.3)
        with pytest.raises(LockedError) as unbroken:
            two.break_open(holder)
        assert unbroken.value.hint == "Stop that process. It releases the lock when it ends."
        assert not two.still_held()
    assert not one.still_held()
    assert not two.break_open(holder)
    with hold_lock(two, timeout=0, every=60):
        assert two.still_held()


def test_a_lock_whose_holder_says_nothing(tmp_path: Path) -> None:
    with SystemLock(tmp_path / "lock"), pytest.raises(LockedError, match="an unknown process"):
        lock(tmp_path, "one", Clock()).acquire(0)


@pytest.mark.parametrize("since", ["yesterday", "\x1b[2J", "", 7, None, "2026-07-01T12:00:00"])
def test_a_holder_since_no_moment_is_one_since_an_unknown_time(tmp_path: Path, since: object) -> None:
    known = since == "2026-07-01T12:00:00"
    (tmp_path / "lock.holder").write_text(
        json.dumps({"run": {"id": "1", "host": "a machine"}, "since": since}), encoding="utf-8"
    )
    with SystemLock(tmp_path / "lock"), pytest.raises(LockedError) as refused:
        lock(tmp_path, "one", Clock()).acquire(0)
    assert f"a machine (since {moment_text(AT) if known else 'an unknown time'})" in str(refused.value)


@pytest.mark.skipif(os.name == "nt", reason="a folder below a file")
def test_a_lock_that_cannot_be_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(MemoryUnavailableError) as refused:
        lock(tmp_path / "file", "one", Clock()).acquire(0)
    assert "--memory" in refused.value.hint


def test_the_file_of_an_owner_that_a_version_without_other_owners_wrote_is_the_one_that_counts() -> None:
    stored = {**KNOWN, "owner": "site", "file": "new.yaml", "others": {"site": "old.yaml", "shop": "a.yaml"}}
    known = KnownChannel.from_json(stored)
    assert list(known.owners.items()) == [("site", "new.yaml"), ("shop", "a.yaml")]
    assert known.owned_by(known.owners).others == {"shop": "a.yaml"}
