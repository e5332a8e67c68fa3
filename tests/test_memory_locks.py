"""A lock for each organisation: runs over different ones do not wait for each other, and those over the same one do."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import emulated
from programs import recording_git, write_program
from remembering import SCOPE, Clock, SimulatedRefs, SimulatedRemote, bare, remembering, remote_runner, runner
from repositories import ENVIRON, commit, git, repository
from sizes import examples, size
from webchat_sync.errors import LockedError, LockLostError, MemoryUnavailableError
from webchat_sync.memory.lease import LOCKS, lock_refs
from webchat_sync.memory.opened import hold_lock
from webchat_sync.memory.place import REF, Remote
from webchat_sync.memory.ports import Holder, Note, Swap
from webchat_sync.model import OrganizationKey, Shard

pytestmark = pytest.mark.slow

FORK = multiprocessing.get_context("fork")
ORGANIZATIONS: Final = tuple(f"org-{number}" for number in range(8))
ids = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=40, unique=True)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(str(bare(tmp_path / "remote.git")), REF)


def locks_of(remote: Remote) -> list[str]:
    return git(Path(remote.url), "for-each-ref", "--format=%(refname)", f"{REF}-locks").splitlines()


@settings(max_examples=examples(80, thorough=400))
@given(ids, st.sampled_from([total for total in range(2, LOCKS + 1) if LOCKS % total == 0]))
def test_the_shares_of_a_fleet_have_no_lock_in_common(organizations: list[str], total: int) -> None:
    locks = [
        set(lock_refs(REF, share))
        for index in range(1, total + 1)
        if (share := [id_ for id_ in map(str.casefold, organizations) if Shard(index, total).has(id_)])
    ]
    assert sum(map(len, locks)) == len(set().union(*locks))


@given(ids)
def test_a_run_has_the_lock_of_each_of_its_organisations_and_one_that_names_none_has_all(
    organizations: list[str],
) -> None:
    locks = lock_refs(REF, organizations)
    assert set(locks) == {lock_refs(REF, [organization])[0] for organization in organizations}
    assert list(locks) == sorted(set(locks))
    assert set(lock_refs(REF, ["Acme"])) == set(lock_refs(REF, ["acme"]))
    for of_all in (lock_refs(REF, []), lock_refs(REF, [*organizations, ""])):
        assert len(of_all) == LOCKS
        assert set(locks) <= set(of_all)


def test_runs_over_different_organisations_write_at_the_same_time(remote: Remote) -> None:
    with (
        remote_runner("one", remote, organizations=("org-1", "org-3")) as one,
        remote_runner("two", remote, organizations=("org-2",)) as two,
    ):
        assert (one.lock.acquire(0), two.lock.acquire(0)) == ((), ())
        for number in range(3):
            one.write(f"one-{number}", scope=OrganizationKey(SCOPE.base_url, "org-1"))
            two.write(f"two-{number}", scope=OrganizationKey(SCOPE.base_url, "org-2"))
            assert one.lock.renew()
        known = two.memory.read()
        assert [sorted(known[OrganizationKey(SCOPE.base_url, org)].rotations) for org in ("org-1", "org-2")] == [
            ["one-0", "one-1", "one-2"],
            ["two-0", "two-1", "two-2"],
        ]
        assert len(locks_of(remote)) == 3
        one.lock.release()
        assert two.lock.still_held()
        assert locks_of(remote) == list(two.lock.locks)
        two.lock.release()
    assert locks_of(remote) == []


def test_a_run_that_needs_one_organisation_of_another_run_waits_and_takes_none(remote: Remote) -> None:
    clock, told = Clock(), list[Holder]()
    with (
        remote_runner("one", remote, clock, organizations=("org-2",)) as one,
        remote_runner("two", remote, clock, organizations=("org-1", "org-2", "org-3")) as two,
    ):
        one.lock.acquire(0)
        with pytest.raises(LockedError, match="machine of one"):
            two.lock.acquire(30, told.append)
        assert [(holder.run.id, holder.organizations) for holder in told] == [("one", ("org-2",))]
        assert locks_of(remote) == list(one.lock.locks)
        one.lock.release()
        assert two.lock.acquire(0) == ()
        with pytest.raises(LockedError, match="machine of two"):
            one.lock.acquire(0)


def test_who_takes_over_one_lock_of_several_ends_the_whole_run_that_had_them(remote: Remote) -> None:
    clock = Clock()
    with (
        remote_runner("one", remote, clock, lease=12, organizations=("org-1", "org-2")) as one,
        remote_runner("two", remote, clock, lease=12, organizations=("org-2",)) as two,
    ):
        one.lock.acquire(0)
        assert [former.run.id for former in two.lock.acquire(24)] == ["one"]
        assert not one.lock.renew()
        with pytest.raises(LockLostError):
            one.write("a")
        one.lock.release()
        assert locks_of(remote) == list(two.lock.locks)


def test_what_is_left_of_a_lock_that_was_broken_open_is_given_back(remote: Remote) -> None:
    with remote_runner("one", remote, organizations=("org-1", "org-2")) as one:
        one.lock.acquire(0)
        git(Path(remote.url), "update-ref", "-d", one.lock.locks[0])
        with pytest.raises(LockLostError):
            one.write("a")
        one.lock.release()
    assert locks_of(remote) == []


def test_a_remote_that_refuses_one_lock_of_several_gives_none(remote: Remote) -> None:
    write_program(Path(remote.url) / "hooks" / "update", f'test "$1" != {lock_refs(REF, ["org-2"])[0]}')
    with remote_runner("one", remote, Clock(), organizations=("org-1", "org-2")) as one:
        with pytest.raises(MemoryUnavailableError, match="hook declined"):
            one.lock.acquire(0)
        assert not one.lock.still_held()
    assert locks_of(remote) == []


class Piecemeal(SimulatedRefs):
    """A remote that swaps one after the other, and somebody who takes ``rival`` before the last of them."""

    rival = ""

    def swap(self, *swaps: Swap) -> bool:
        for swap in swaps:
            if swap.ref == self.rival and swap.new:
                self.remote.refs[self.rival] = self.commit({}, "a rival's", None)
            if not super().swap(swap):
                return False
        return True


def test_a_remote_that_swaps_piece_by_piece_leaves_no_run_with_half_of_its_locks() -> None:
    refs, clock = Piecemeal(SimulatedRemote()), Clock()
    lock = runner("one", refs, clock, organizations=("org-1", "org-2")).lock
    refs.rival = lock.locks[-1]
    with pytest.raises(LockedError):
        lock.acquire(0)
    assert list(refs.remote.refs) == [refs.rival]


def compete(remote: Remote, number: int, count: int) -> None:
    mine = (ORGANIZATIONS[number], ORGANIZATIONS[(number + 1) % count])
    with remote_runner(f"run-{number}", remote, lease=60.0, organizations=mine) as one:
        for _ in range(2):
            with hold_lock(one.lock, timeout=240, every=15):
                for organization in mine:
                    edits = {OrganizationKey(SCOPE.base_url, organization): remembering(f"run-{number}")}
                    one.memory.write(edits, Note("rotate"))


def test_runs_whose_organisations_overlap_all_around_all_come_to_their_end(remote: Remote) -> None:
    """Each needs what its neighbour has, in a circle: whoever took them one by one would wait for ever."""
    numbers = range(size(3, thorough=len(ORGANIZATIONS)))
    processes = [FORK.Process(target=compete, args=(remote, number, len(numbers))) for number in numbers]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)
    with remote_runner("last", remote) as last:
        known = last.memory.read()
    for number in numbers:
        assert f"run-{number}" in known[OrganizationKey(SCOPE.base_url, ORGANIZATIONS[number])].rotations
    assert locks_of(remote) == []


MANIFEST: Final = "version: 1\norganization: {}\nsettings: {{memory: git}}\nchannels: [{{name: Support}}]\n"


def clones(folder: Path, remote: Remote, count: int) -> list[Path]:
    author = repository(folder / "author")
    commit(author, {f"channels/{organization}.yaml": MANIFEST.format(organization) for organization in ORGANIZATIONS})
    git(author, "push", "--quiet", remote.url, "HEAD:main")
    made = [folder / f"job-{number}" for number in range(count)]
    for clone in made:
        git(folder, "clone", "--quiet", "--depth=1", "--branch=main", f"file://{remote.url}", str(clone))
    return made


def test_the_shards_of_a_fleet_apply_at_the_same_time_and_none_waits(tmp_path: Path, remote: Remote) -> None:
    count = size(2, thorough=4)
    with emulated() as api:
        environ = {**os.environ, **ENVIRON, **api.environ}
        command = [sys.executable, "-m", "webchat_sync", "apply", "channels/", "--auto-approve", "--lock-timeout", "0"]
        shards = [
            subprocess.Popen(
                [*command, "--shard", f"{index}/{count}"], cwd=clone, env=environ, stdout=-1, stderr=-1, text=True
            )
            for index, clone in enumerate(clones(tmp_path, remote, count), 1)
        ]
        ended = [(*shard.communicate(), shard.returncode) for shard in shards]
        assert [code for *_, code in ended] == [0] * count, ended
        assert [len(api.store.channels(organization)) for organization in ORGANIZATIONS] == [1] * len(ORGANIZATIONS)
    assert locks_of(remote) == []


def test_the_commands_know_several_locks(tmp_path: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    (clone,) = clones(tmp_path, remote, 1)
    monkeypatch.chdir(clone)
    apply = ("apply", "channels/", "--auto-approve", "--lock-timeout", "0", "--target-org")
    with (
        emulated() as api,
        remote_runner("one", remote, organizations=("org-1", "org-2")) as one,
        remote_runner("two", remote, organizations=("org-3",)) as two,
    ):
        one.lock.acquire(0)
        two.lock.acquire(0)
        assert api.invoke(*apply, "org-4", environ=ENVIRON).code == 0
        refused = api.invoke(*apply, "org-[23]", environ=ENVIRON)
        assert (refused.code, "another run holds the lock: https://ci.example.com/" in refused.err) == (7, True)
        unlocked = api.invoke("unlock", "--auto-approve", "--org", "org-2", "--manifest", "channels", environ=ENVIRON)
        assert unlocked.err.splitlines()[0].startswith(
            "The lock of org-1 and org-2 is held by https://ci.example.com/one on machine of one (since "
        )
        assert (unlocked.code, len(unlocked.err.splitlines())) == (0, 2)
        assert locks_of(remote) == sorted([*lock_refs(REF, ["org-1"]), *two.lock.locks])
        assert api.invoke(*apply, "org-2", environ=ENVIRON).code == 0
        everything = api.invoke("unlock", "--auto-approve", "--manifest", "channels", environ=ENVIRON)
        assert {line.split(" is ")[0] for line in everything.err.splitlines()[::2]} == {
            "The lock of org-1 and org-2",
            "The lock of org-3",
        }
        assert locks_of(remote) == []
        history = api.invoke("history", "--manifest", "channels", environ=ENVIRON)
        assert [line.split(",")[0].strip() for line in history.out.splitlines()[1::2]] == [
            *["organisation org-2"] * 2,
            *["organisation org-4"] * 2,
        ]
        of_one = api.invoke("history", "--manifest", "channels", "--target-org", "*-4", environ=ENVIRON)
        assert of_one.out.splitlines() == history.out.splitlines()[4:]
        assert api.invoke(*apply, "org-[13]", environ=ENVIRON).code == 0
        of_both = api.invoke("history", "--manifest", "channels", "--limit", "1", environ=ENVIRON)
        assert of_both.out.splitlines()[1].startswith("    organisations org-1 and org-3, ")
        of_none = api.invoke("history", "--manifest", "channels", "--target-org", "acme", environ=ENVIRON)
        assert (of_none.out, of_none.err) == ("", 'Nothing is recorded for organisation "acme".\n')


def test_a_run_over_one_organisation_pushes_four_times(
    tmp_path: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the lock, says what it is about to do, says what it did, and gives the lock back."""
    (clone,) = clones(tmp_path, remote, 1)
    monkeypatch.chdir(clone)
    log = tmp_path / "log"
    wrapper = recording_git(tmp_path / "bin" / "git", log)
    environ = {**ENVIRON, "PATH": f"{wrapper.parent}:{ENVIRON['PATH']}"}
    with emulated() as api:
        assert api.invoke("apply", "channels/org-1.yaml", "--auto-approve", environ=environ).code == 0
    assert log.read_text(encoding="utf-8").count(" push ") == 4
