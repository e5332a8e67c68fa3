"""Which memory is meant, how long its lock is waited for, and a lock that is renewed while it is held."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from remembering import SCOPE, bare, entry, remembering, run
from repositories import ENVIRON, git, repository
from variations import variation
from webchat_sync.environment import Environment
from webchat_sync.errors import InputError, LockedError
from webchat_sync.memory.clone import owner_of
from webchat_sync.memory.lease import FastClock
from webchat_sync.memory.opened import chosen_remote, lock_expiry, lock_timeout, open_memory
from webchat_sync.memory.place import Remote
from webchat_sync.memory.ports import Note
from webchat_sync.model import NO_REPOSITORY, GitMemory

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    clone = repository(tmp_path / "clone")
    git(clone, "remote", "add", "origin", str(bare(tmp_path / "remote.git")))
    git(clone, "remote", "add", "memory", str(bare(tmp_path / "memory.git")))
    return clone


@pytest.mark.parametrize(
    ("given", "variable", "declared", "name"),
    [
        (None, "", None, None),
        (None, "", GitMemory(), "remote.git"),
        (None, "", GitMemory(remote="memory"), "memory.git"),
        ("git", "", None, "remote.git"),
        ("git", "", GitMemory(remote="memory"), "memory.git"),
        (None, "git", None, "remote.git"),
        ("file", "git", GitMemory(), None),
        (None, "file", GitMemory(), None),
        ("/elsewhere/x.git", "git", GitMemory(), "x.git"),
        (None, "https://example.com/y.git", GitMemory(), "y.git"),
    ],
)
def test_the_operator_comes_before_the_manifest(
    clone: Path, given: str | None, variable: str, declared: GitMemory | None, name: str | None
) -> None:
    remote = chosen_remote(given, declared, clone, {**ENVIRON, "WEBCHAT_SYNC_MEMORY": variable})
    assert (Path(remote.url).name if remote else None) == name


@pytest.mark.parametrize(
    ("given", "declared", "name"),
    [
        ("/elsewhere/x.git#refs/team/memory", None, "x.git"),
        ("git#refs/team/memory", None, "remote.git"),
        ("git#refs/team/memory", GitMemory(remote="memory", ref="refs/other/memory"), "memory.git"),
    ],
)
def test_an_operator_may_name_another_ref(clone: Path, given: str, declared: GitMemory | None, name: str) -> None:
    for choice, variable in [(given, ""), (None, given)]:
        remote = chosen_remote(choice, declared, clone, {**ENVIRON, "WEBCHAT_SYNC_MEMORY": variable})
        assert remote is not None
        assert (Path(remote.url).name, remote.ref) == (name, "refs/team/memory")


@pytest.mark.parametrize("given", ["gti", "origin", "upstream#refs/team/memory", "file#refs/a/b", "#refs/a/b", "Git"])
def test_a_word_that_is_no_place_is_an_error_that_lists_the_places(
    clone: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(clone)
    with pytest.raises(InputError, match="memory can't be kept in") as raised:
        chosen_remote(given, None, clone, ENVIRON)
    (problem,) = raised.value.problems
    for form in ("file", "git", "git#REF", "URL", "path"):
        assert form in problem.hint


def test_a_folder_here_is_a_place_for_the_memory(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bare(clone / "here").parent)
    remote = chosen_remote("here", None, clone, ENVIRON)
    assert remote is not None
    assert remote.url == str(clone / "here")


def test_outside_of_a_clone_git_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't find a Git remote here"):
        chosen_remote("git", None, tmp_path, ENVIRON)


def test_how_long_the_lock_is_waited_for_and_lasts() -> None:
    assert (lock_timeout(None, interactive=True), lock_timeout(None, interactive=False)) == (0, 120)
    assert lock_timeout(5, interactive=False) == 5
    assert (lock_expiry({}), lock_expiry({"WEBCHAT_SYNC_LOCK_EXPIRY": "2.5"})) == (60, 2.5)
    for wrong in ("0", "-1", "x", "nan", "inf", "100000"):
        with pytest.raises(InputError, match="WEBCHAT_SYNC_LOCK_EXPIRY"):
            lock_expiry({"WEBCHAT_SYNC_LOCK_EXPIRY": wrong})


@pytest.mark.parametrize("kept", ["git", variation("file", id="file")])  # files need no renewal
def test_a_held_lock_is_renewed_and_given_back(clone: Path, tmp_path: Path, kept: str) -> None:
    environ = {**ENVIRON, "WEBCHAT_SYNC_LOCK_EXPIRY": "4"}
    remote = chosen_remote(kept, None, clone, environ)

    def opened(name: str, found: Remote | None = remote):  # type: ignore[no-untyped-def]  # noqa: ANN202
        return open_memory(
            found,
            run(name),
            ledgers={SCOPE.organization: tmp_path / "state" / "ledger.json"},
            folder=tmp_path / "state",
            environment=Environment(environ),
        )

    with opened("one") as one, opened("two") as two:
        with one.hold(0):
            with pytest.raises(LockedError, match="machine of one"):
                two.lock.acquire(5)
            assert one.lock.still_held()
            one.memory.write({SCOPE: remembering("a")}, Note("rotate"))
        with two.hold(0):
            assert two.memory.read()[SCOPE].rotations == {"a": entry()}


def test_the_clock_of_a_holder_is_the_fastest_of_the_machine() -> None:
    readings = [0.0, 100.0]
    clock = FastClock(lambda: readings[0], lambda: readings[1])
    readings[:] = [1.0, 100.0]
    assert clock() == 1
    readings[:] = [2.0, 160.0]
    assert clock() == 61
    readings[:] = [3.0, 90.0]
    assert clock() == 62
    real = FastClock()
    before = real()
    time.sleep(0.01)
    assert real() - before >= 0.01


def test_all_clones_of_a_local_remote_have_the_same_owner_and_others_do_not(clone: Path, tmp_path: Path) -> None:
    urls = {"a": "../remote.git", "deep/b": "../../remote.git", "c": f"{tmp_path}/deep/../remote.git"}
    urls |= {"d": f"file://{tmp_path}/remote.git", "deep/elsewhere": "../remote.git"}
    owners = {}
    for name, url in urls.items():
        folder = repository(tmp_path / name)
        git(folder, "remote", "add", "origin", url)
        owners[name] = owner_of(folder, ENVIRON)
    elsewhere = owners.pop("deep/elsewhere")
    assert set(owners.values()) == {owner_of(clone, ENVIRON)}
    assert elsewhere not in owners.values()


def test_the_only_remote_names_the_owner_whatever_it_is_called(clone: Path, tmp_path: Path) -> None:
    other = repository(tmp_path / "other")
    assert owner_of(other, ENVIRON) == NO_REPOSITORY
    git(other, "remote", "add", "upstream", str(tmp_path / "remote.git"))
    assert owner_of(other, ENVIRON) == owner_of(clone, ENVIRON)
    git(other, "remote", "add", "fork", str(tmp_path / "memory.git"))
    assert owner_of(other, ENVIRON) == NO_REPOSITORY
