"""The memory on a real git remote that lies in a folder: ledger, lock, races, refusals, and clones of every kind."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from programs import recording_git, write_program
from remembering import LOCK, SCOPE, Clock, bare, entry, remembering, remote_runner
from repositories import ENVIRON, commit, git, repository
from sizes import is_thorough, size
from webchat_sync.errors import Diagnostic, InputError, LockedError, LockLostError, MemoryUnavailableError
from webchat_sync.memory.opened import hold_lock
from webchat_sync.memory.place import REF, Remote, declared_remote
from webchat_sync.memory.ports import Note, Swap
from webchat_sync.model import GitMemory, OrganizationKey

pytestmark = pytest.mark.slow

BOTH = ("org-1", "org-2")
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(str(bare(tmp_path / "remote.git")), REF)


def hook(remote: Remote, script: str) -> None:
    write_program(Path(remote.url) / "hooks" / "update", script)


def test_what_one_run_writes_the_next_one_reads_and_the_history_tells(remote: Remote) -> None:
    clock = Clock()
    with remote_runner("one", remote, clock) as one:
        one.lock.acquire(0)
        one.memory.write({SCOPE: remembering("a")}, Note('rotate "Café\nRun: forged"', ("Café\nRun: forged",)))
        one.memory.write({OrganizationKey(SCOPE.base_url, "../x/y"): remembering("b")}, Note("rotate"))
        one.lock.release()
    with remote_runner("two", remote, clock) as two:
        assert two.memory.read()[SCOPE].rotations == {"a": entry()}
        assert set(two.memory.read()[OrganizationKey(SCOPE.base_url, "../x/y")].rotations) == {"b"}
        assert OrganizationKey("https://other", "org-1") not in two.memory.read()
        second, first = two.memory.history()
        assert (first.note.channels, first.run.url) == (("Café Run: forged",), "https://ci.example.com/one")
        assert (first.run.commit, first.organizations, second.organizations) == ("c0ffee", ("org-1",), ("../x/y",))
        assert first.at == clock.now()
    assert LOCK not in git(Path(remote.url), "for-each-ref")


def test_an_edit_that_changes_nothing_writes_nothing(remote: Remote) -> None:
    with remote_runner("one", remote, locked=False) as one:
        one.write("a")
        tip = git(Path(remote.url), "rev-parse", REF)
        one.write("a")
        assert git(Path(remote.url), "rev-parse", REF) == tip


def test_what_is_logged_has_an_entry_in_the_history_even_if_it_changes_nothing(remote: Remote) -> None:
    with remote_runner("one", remote) as one:
        one.lock.acquire(0)
        for _ in range(2):
            one.memory.write({SCOPE: lambda document: document.with_creates({})}, Note("Updated"), logged=[SCOPE])
        one.memory.write({SCOPE: lambda document: document.with_creates({})}, Note("nothing"))
        assert [record.note.what for record in one.memory.history()] == ["Updated", "Updated"]


def test_a_ref_of_something_else_than_a_commit_is_called_that(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hi", encoding="utf-8")
    blob = git(Path(remote.url), "hash-object", "-w", str(tmp_path / "file"))
    git(Path(remote.url), "update-ref", remote.ref, blob)
    with (
        remote_runner("one", remote, Clock()) as one,
        pytest.raises(MemoryUnavailableError, match=f"{remote.ref} isn't a commit"),
    ):
        one.memory.read()


def test_what_a_newer_version_remembers_is_kept(remote: Remote) -> None:
    with remote_runner("one", remote, locked=False) as one:
        one.write("a")
        (name,) = one.refs.files(git(Path(remote.url), "rev-parse", REF))
        stored = json.loads(one.refs.files(git(Path(remote.url), "rev-parse", REF))[name])
        stored["tomorrow"] = 1
        stored["rotations"]["a"]["tomorrow"] = 2
        newer = one.refs.commit({name: json.dumps(stored).encode()}, "x", None)
        git(Path(remote.url), "update-ref", "-d", REF)
        assert one.refs.swap(Swap(REF, None, newer))
        one.write("a", attempt="2")
        one.write("b")
        stored = json.loads(one.refs.files(git(Path(remote.url), "rev-parse", REF))[name])
    assert (stored["tomorrow"], stored["rotations"]["a"]["tomorrow"]) == (1, 2)
    assert (stored["rotations"]["a"]["attempt"], stored["rotations"].keys()) == ("2", {"a", "b"})


def test_a_lost_race_is_merged_by_channel(remote: Remote) -> None:
    with remote_runner("one", remote, locked=False) as one, remote_runner("two", remote, locked=False) as two:
        one.write("a")
        two.write("b")
        one.write("c")
        assert two.remembered() == {"a", "b", "c"}


def test_a_second_run_waits_and_is_told_who_holds_the_lock(remote: Remote) -> None:
    clock = Clock()
    with remote_runner("one", remote, clock) as one, remote_runner("two", remote, clock) as two:
        assert one.lock.acquire(0) == ()
        with pytest.raises(
            LockedError, match=r"https://ci.example.com/one on machine of one \(since 2026-07-01T12:00:00"
        ):
            two.lock.acquire(0)
        with pytest.raises(LockedError):
            two.lock.acquire(30)
        assert 30 <= clock.seconds < 40
        one.lock.release()
        assert two.lock.acquire(0) == ()


def test_a_waiting_run_that_sees_the_same_lock_again_calls_git_once(remote: Remote, tmp_path: Path) -> None:
    clock, log = Clock(), tmp_path / "log"
    wrapper = recording_git(tmp_path / "bin" / "git", log)
    environ = {**ENVIRON, "PATH": f"{wrapper.parent}:{ENVIRON['PATH']}"}
    with remote_runner("one", remote, clock) as one, remote_runner("two", remote, clock, environ=environ) as two:
        one.lock.acquire(0)
        calls = []
        for seconds in (0, 12):
            with pytest.raises(LockedError):
                two.lock.acquire(seconds)
            calls.append(log.read_text(encoding="utf-8").splitlines())
    looks = [sum(" ls-remote " in line for line in lines) for lines in calls]
    assert looks[1] - looks[0] > 5
    # It reads the holder once for each time that it starts to wait.
    assert len(calls[1]) - len(calls[0]) <= looks[1] - looks[0] + 2


def test_a_lock_that_stands_still_for_a_lease_is_taken_over_and_its_holder_writes_nothing_more(remote: Remote) -> None:
    clock = Clock()
    with remote_runner("one", remote, clock, lease=12) as one, remote_runner("two", remote, clock, lease=12) as two:
        one.lock.acquire(0)
        assert [former.run.id for former in two.lock.acquire(24)] == ["one"]
        assert 12 <= clock.seconds < 14
        assert not one.lock.still_held()
        with pytest.raises(LockLostError):
            one.write("a")
        assert not one.lock.renew()
        two.write("b")
        assert two.remembered() == {"b"}


def test_a_holder_whose_clock_stood_still_is_stopped_by_the_remote(remote: Remote) -> None:
    frozen, running = Clock(), Clock()
    with remote_runner("one", remote, frozen, lease=12) as one, remote_runner("two", remote, running, lease=12) as two:
        one.lock.acquire(0)
        assert two.lock.acquire(24)
        assert one.lock.still_held()
        with pytest.raises(LockLostError, match="machine of two"):
            one.write("a")
        assert not one.lock.still_held()
        assert two.remembered() == set()


def test_a_renewed_lock_is_not_taken_over(remote: Remote) -> None:
    ours, theirs = Clock(), Clock()
    with remote_runner("one", remote, ours) as one, remote_runner("two", remote, theirs) as two:
        one.lock.acquire(0)

        def renewing_in_time(_: float) -> None:
            theirs.sleep(20)
            ours.sleep(20)
            assert one.lock.renew()

        two.lock.environment = replace(two.lock.environment, pause=renewing_in_time)
        with pytest.raises(LockedError):
            two.lock.acquire(120)


def test_unlock_takes_the_lock_from_whoever_holds_it(remote: Remote) -> None:
    with remote_runner("one", remote) as one, remote_runner("two", remote) as two:
        assert two.lock.holders() == ()
        one.lock.acquire(0)
        (holder,) = two.lock.holders()
        assert (holder.run.id, holder.organizations) == ("one", (SCOPE.organization,))
        assert two.lock.break_open(holder)
        assert not two.lock.break_open(holder)
        with pytest.raises(LockLostError):
            one.write("a")


def test_a_remote_that_refuses_is_quoted_and_nothing_is_written(remote: Remote) -> None:
    hook(remote, 'echo "policy: no refs of yours" >&2; exit 1')
    with remote_runner("one", remote, Clock()) as one:
        with pytest.raises(MemoryUnavailableError, match="policy: no refs of yours") as refused:
            one.lock.acquire(0)
        assert refused.value.exit_code == 7
    assert git(Path(remote.url), "for-each-ref") == ""


def test_a_refused_ledger_leaves_the_lock_as_it_was(remote: Remote) -> None:
    hook(remote, f'test "$1" != {REF}')
    with remote_runner("one", remote, Clock()) as one:
        one.lock.acquire(0)
        with pytest.raises(MemoryUnavailableError, match="hook declined"):
            one.write("a")
        assert one.lock.still_held()
        one.lock.release()


def test_a_slow_remote_is_not_waited_for_for_ever(remote: Remote) -> None:
    hook(remote, "sleep 120")
    with remote_runner("one", remote, Clock(), timeout=0.3) as one:
        began = time.monotonic()
        with pytest.raises(MemoryUnavailableError, match="didn't respond within"):
            one.lock.acquire(0)
        assert time.monotonic() - began < 60


def test_a_remote_that_is_not_there(tmp_path: Path) -> None:
    none = Remote(str(tmp_path / "none"), REF)
    with remote_runner("one", none) as one, pytest.raises(MemoryUnavailableError, match="none") as failed:
        one.memory.read()[SCOPE]
    assert "path" in failed.value.hint
    assert "token" not in failed.value.hint


@pytest.mark.alike
@pytest.mark.parametrize("broken", BOTH)
def test_a_remote_without_atomic_pushes_is_written_lock_first(remote: Remote, broken: str) -> None:
    git(Path(remote.url), "config", "receive.advertiseAtomic", "false")
    with (
        remote_runner("one", remote, organizations=BOTH) as one,
        remote_runner("two", remote, organizations=(broken,)) as two,
    ):
        one.lock.acquire(0)
        one.write("a")
        assert two.remembered() == {"a"}
        assert [two.lock.break_open(holder) for holder in two.lock.holders()] == [True]
        with pytest.raises(LockLostError):
            one.write("b")
        assert two.remembered() == {"a"}
        one.lock.release()
    assert "locks" not in git(Path(remote.url), "for-each-ref")


@pytest.mark.alike
@pytest.mark.parametrize(
    "content", ["{", "[]", '{"version": 0}', '{"version": "2"}', '{"version": 1, "rotations": {"a": {"state": 1}}}']
)
def test_a_damaged_memory_is_an_error_of_the_input(remote: Remote, content: str) -> None:
    problem = problem_of(remote, content)
    assert f"the memory on {REF} is damaged: " in problem.message
    assert f"git push --force REMOTE COMMIT:{REF}" in problem.hint


def test_a_memory_of_a_newer_version_is_not_called_damaged(remote: Remote) -> None:
    problem = problem_of(remote, '{"version": 2}')
    why = "its version is 2, but this version of webchat-sync only supports 1"
    assert problem.message == f"the memory on {REF} can't be read: {why}"
    assert "newer version of webchat-sync" in problem.hint
    assert "earlier commit" not in problem.hint


def problem_of(remote: Remote, content: str) -> Diagnostic:
    """The problem with a memory that has this content."""
    with remote_runner("one", remote, locked=False) as one:
        one.write("a")
        tip = git(Path(remote.url), "rev-parse", REF)
        (name,) = one.refs.files(tip)
        written = one.refs.commit({name: content.encode()}, "x", tip)
        assert one.refs.swap(Swap(REF, tip, written))
        with pytest.raises(InputError) as raised:
            one.memory.read()[SCOPE]
    (problem,) = raised.value.problems
    return problem


@pytest.mark.alike
@pytest.mark.parametrize("files", [{"README.md": "x"}, {"src/a.py": "x"}, {}, {"src/a.py": "x", "a@b.json": "{}"}])
def test_a_ref_that_holds_something_else_is_left_alone(tmp_path: Path, remote: Remote, files: dict[str, str]) -> None:
    clone = repository(tmp_path / "clone")
    if files:
        commit(clone, files)
    else:
        git(clone, "commit", "--quiet", "--allow-empty", "--message", "Empty")
    git(clone, "push", "--quiet", remote.url, f"HEAD:{REF}")
    tip = git(clone, "rev-parse", "HEAD")
    with remote_runner("one", remote, locked=False) as one:
        for use in (lambda: one.write("a"), one.memory.read, one.memory.history):
            with pytest.raises(InputError, match="other than webchat-sync's memory"):
                use()
    assert git(Path(remote.url), "rev-parse", REF) == tip


def test_an_overwritten_memory_is_restored_as_the_hint_says(tmp_path: Path, remote: Remote) -> None:
    clone = repository(tmp_path / "clone")
    commit(clone, {"README.md": "x"})
    with remote_runner("one", remote, locked=False) as one:
        one.write("a")
    git(clone, "push", "--quiet", "--force", remote.url, f"HEAD:{REF}")
    with remote_runner("two", remote, locked=False) as two, pytest.raises(InputError) as raised:
        two.memory.read()
    find, push, remove = raised.value.problems[0].hint.split("`")[1::2]
    found = git(Path(remote.url), *find.split()[1:])
    (lost,) = (line.split()[2] for line in found.splitlines() if line.startswith("dangling commit"))
    git(Path(remote.url), *push.replace("REMOTE", remote.url).replace("COMMIT", lost).split()[1:])
    with remote_runner("three", remote, locked=False) as three:
        assert three.remembered() == {"a"}
    git(clone, *remove.replace("REMOTE", remote.url).split()[1:])
    with remote_runner("four", remote, locked=False) as four:
        assert four.memory.read() == {}


def test_commits_of_others_are_not_in_the_history(tmp_path: Path, remote: Remote) -> None:
    clone = repository(tmp_path / "clone")
    commit(clone, {"README.md": "x"})
    git(clone, "rm", "--quiet", "README.md")
    # The file of an organisation, but not written by this program.
    commit(clone, {"https%3A%2F%2Fapi.example.com@org-1.json": '{"version": 1}'})
    git(clone, "push", "--quiet", remote.url, f"HEAD:{REF}")
    with remote_runner("one", remote, locked=False) as one:
        one.write("a")
        assert len(one.refs.messages(REF)) == 3
        assert [record.note.what for record in one.memory.history()] == ['rotate "a"']


@pytest.mark.alike
@pytest.mark.parametrize("kind", ["work tree", "shallow", "bare", "detached"])
def test_no_clone_is_touched(tmp_path: Path, remote: Remote, kind: str) -> None:
    source = repository(tmp_path / "source")
    commit(source, {"a": "1"})
    commit(source, {"a": "2"})
    git(source, "push", "--quiet", remote.url, "main")
    clone = tmp_path / "clone"
    options = {"shallow": ["--depth=1"], "bare": ["--bare"]}.get(kind, [])
    git(tmp_path, "clone", "--quiet", *options, f"file://{remote.url}", str(clone))
    if kind == "detached":
        git(clone, "checkout", "--quiet", "--detach")
    files = {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()}
    found = declared_remote(GitMemory(), clone, ENVIRON)
    with remote_runner("one", found) as one:
        one.lock.acquire(0)
        one.write("a")
        one.lock.release()
        assert one.remembered() == {"a"}
    assert {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()} == files


def test_a_clone_of_sha256_objects(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--object-format=sha256", "remote.git")
    with remote_runner("one", Remote(str(tmp_path / "remote.git"), REF, object_format="sha256")) as one:
        one.lock.acquire(0)
        one.write("a")
        assert one.remembered() == {"a"}


def compete(remote: Remote, name: str, log: Path) -> None:
    with remote_runner(name, remote, lease=30.0) as one, hold_lock(one.lock, timeout=600, every=7):
        with log.open("a") as file:
            file.write(f"in {name}\n")
        one.write(name)
        with log.open("a") as file:
            file.write(f"out {name}\n")


def test_runs_at_once_write_one_after_the_other(tmp_path: Path, remote: Remote) -> None:
    names = [f"run-{number}" for number in range(size(5, thorough=50))]
    log = tmp_path / "log"
    processes = [FORK.Process(target=compete, args=(remote, name, log)) for name in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(names)
    lines = log.read_text().splitlines()
    assert lines == [
        line for name in [line.split()[1] for line in lines[::2]] for line in (f"in {name}", f"out {name}")
    ]
    with remote_runner("last", remote) as last:
        assert last.remembered() == set(names)


WHEN: Final = {"before": 'kill -{signal} $PPID; exec {git} "$@"', "after": '{git} "$@"; kill -{signal} $PPID'}
"""What becomes of the program that runs git, and when."""

PUSHES: Final = (6, 14, 15)
"""Which of the calls of git take the lock, write, and give the lock back: there is none after them."""

CALLS: Final = range(2, PUSHES[-1] + 1) if is_thorough() else PUSHES

GIT: Final = """\
#!/bin/sh
echo call >> {log}
[ "$(wc -l < {log})" -ne {number} ] || {{ {deed}; exit; }}
exec {git} "$@"
"""


def work(remote: Remote, environ: dict[str, str], log: Path) -> None:
    """Hold the lock, write, and make the call that the write is about."""
    with remote_runner("victim", remote, environ=environ, lease=6.0, organizations=BOTH) as one:
        one.lock.acquire(0)
        with suppress(LockLostError):
            one.write("victim")
        if one.lock.still_held():
            log.write_text("called")
        one.lock.release()


@pytest.mark.alike
@pytest.mark.parametrize("number", CALLS)
@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_run_that_is_killed_or_stopped_at_any_step_keeps_nobody_out(
    tmp_path: Path, remote: Remote, number: int, when: str, signal_number: signal.Signals
) -> None:
    called, program = tmp_path / "called", tmp_path / "bin" / "git"
    program.parent.mkdir()
    names = {"git": shutil.which("git"), "signal": signal_number.name.removeprefix("SIG")}
    script = GIT.format(**names, log=tmp_path / "log", number=number, deed=WHEN[when].format(**names))
    program.write_text(script, encoding="utf-8")
    program.chmod(0o755)
    environ = {**ENVIRON, "PATH": f"{program.parent}{os.pathsep}{ENVIRON['PATH']}"}
    victim = FORK.Process(target=work, args=(remote, environ, called))
    victim.start()
    assert victim.pid
    # Until it is hit it may do what it likes.
    hit = os.waitid(os.P_PID, victim.pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)
    assert hit is not None
    assert hit.si_status == signal_number
    before = called.exists()
    with remote_runner("next", remote, lease=30.0, organizations=BOTH) as following:
        following.lock.acquire(30)
        remembered = following.remembered()
        following.write("next")
        if signal_number == signal.SIGSTOP:
            os.kill(victim.pid, signal.SIGCONT)
        victim.join()
        # What it came to do before it was hit has its intent in the memory, and afterwards it does nothing.
        assert called.exists() == before
        assert not before or "victim" in remembered
        assert following.remembered() == remembered | {"next"}
        assert following.lock.still_held()
