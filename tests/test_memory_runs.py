"""Runs on machines that are thrown away: what one job remembers on a Git remote, the next one knows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from applying import KEY
from commands import Emulated, Finished, emulated
from fake_time import at_once
from git_server import have_http_backend, serve_git
from planning import NOW
from programs import write_program
from remembering import bare, remote_runner
from repositories import ENVIRON, commit, git
from sizes import size
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.memory.lease import lock_refs
from webchat_sync.memory.place import REF, Remote

pytestmark = pytest.mark.slow

ONE = """\
version: 1
organization: acme
settings: {settings}
channels:
"""
SUPPORT = """\
  - name: Support
    sync:
      identitySecret:
        state: present
        rotation: {rotation}
        deliver: [{sink}]
"""
FILE = "{file: ../support.secret}"
(LOCK,) = lock_refs(REF, ["acme"])


def manifest(*channels: str, settings: str = "{memory: git}") -> str:
    return ONE.format(settings=settings) + "".join(channels or ["  []\n"])


def named(*names: str, more: str = "") -> str:
    return "".join(f"  - name: {name}\n{more}" for name in names)


def support(rotation: str = "one", sink: str = FILE) -> str:
    return SUPPORT.format(rotation=rotation, sink=sink)


class Pipeline:
    """A repository whose every job is a new clone, and the server that the jobs are about."""

    def __init__(self, folder: Path, api: Emulated, chdir: Callable[[Path], None]) -> None:
        self.folder, self.api, self._chdir = folder, api, chdir
        self.remote = bare(folder / "remote.git")
        self._files = folder / "files"
        self._files.mkdir()
        self._jobs = count()

    def push(self, text: str) -> str:
        """Make ``text`` the manifest, and return the commit's id."""
        return self.push_files({"channels.yaml": text})

    def push_files(self, files: Mapping[str, str], *, gone: Iterable[str] = ()) -> str:
        """Commit these files, and remove those that are ``gone``."""
        for name in gone:
            (self._files / name).unlink()
        # Straight into the remote, which saves a push.
        return commit(self._files, dict(files), f"--git-dir={self.remote}", f"--work-tree={self._files}")

    def clone(self) -> Path:
        """A new machine's."""
        job = self.folder / f"job-{next(self._jobs)}" / "site"
        job.parent.mkdir()
        git(self.folder, "clone", "--quiet", str(self.remote), str(job))
        return job

    def job(self, *arguments: object, **world: Any) -> Finished:
        """What comes of one command on a machine of its own."""
        self._chdir(self.clone())
        environ = {**ENVIRON, **world.pop("environ", {})}
        return self.api.invoke(*arguments, environ=environ, **world)

    def apply(self, *more: object, **world: Any) -> Finished:
        return self.job("apply", "channels.yaml", "--auto-approve", *more, **world)

    def secret(self, job: int) -> str:
        """What the sink got in the job of that number."""
        file = self.folder / f"job-{job}" / "support.secret"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    @property
    def refs(self) -> set[str]:
        return set(git(self.remote, "for-each-ref", "--format=%(refname)").split())


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    with emulated() as api:
        yield Pipeline(tmp_path, api, monkeypatch.chdir)


def rotations(api: Emulated) -> int:
    made = sum(call.method == "POST" and call.path.endswith("/identity-secret") for call in api.calls)
    api.calls.clear()
    return made


def test_a_rotation_happens_once_for_each_token_on_machines_that_are_thrown_away(pipeline: Pipeline) -> None:
    pipeline.push(manifest(support("one")))
    first = pipeline.apply()
    tip = git(pipeline.remote, "rev-parse", REF)
    again = pipeline.apply()
    assert (first.code, again.code) == (0, 0)
    assert rotations(pipeline.api) == 1
    assert again.last_line == "No changes. The live channels match the manifest."
    # Such a run writes nothing to the memory.
    assert git(pipeline.remote, "rev-parse", REF) == tip
    assert LOCK not in pipeline.refs
    pipeline.push(manifest(support("two")))
    second, again = pipeline.apply(), pipeline.apply()
    assert (second.code, again.code) == (0, 0)
    assert rotations(pipeline.api) == 1
    secrets = [pipeline.secret(job) for job in range(4)]
    assert [bool(secret) for secret in secrets] == [True, False, True, False]
    assert secrets[0] != secrets[2]
    kept = git(pipeline.remote, "grep", "-h", "", REF)
    log = git(pipeline.remote, "log", "--format=%B", REF)
    for told in (*secrets, KEY):
        assert not told.strip() or told.strip() not in kept + log


def test_manifests_without_a_repository_own_their_channels_in_the_memory_of_a_folder(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifests, here = pipeline.folder / "manifests", pipeline.folder / "here"
    for folder in (manifests, here):
        folder.mkdir()
    monkeypatch.chdir(here)
    for names in (("A", "B"), ("A",)):
        text = manifest(named(*names), settings="{prune: owned}")
        (manifests / "channels.yaml").write_text(text, encoding="utf-8")
        assert pipeline.api.invoke("apply", "../manifests", "--auto-approve", environ=ENVIRON).code == 0
        assert [channel["name"] for channel in pipeline.api.store.channels("acme")] == [*names]


def test_manifests_without_a_repository_own_nothing_in_a_memory_that_others_use(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("A", "B", "A"):
        folder = pipeline.folder / f"without-git-{name}"
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        Path("channels.yaml").write_text(manifest(named(name), settings="{prune: owned}"), encoding="utf-8")
        arguments = ("apply", "channels.yaml", "--auto-approve", "--memory", str(pipeline.remote))
        applied = pipeline.api.invoke(*arguments, environ=ENVIRON)
        assert applied.code == 0
        assert "`prune: owned` deletes nothing: they aren't in a Git repository." in applied.err
    assert sorted(str(channel["name"]) for channel in pipeline.api.store.channels("acme")) == ["A", "B"]


@contextmanager
def served_memory(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The URL of a memory over HTTP, and the variable with its token."""
    git(bare(folder / "memory.git"), "config", "http.receivepack", "true")
    with serve_git(folder) as server:
        yield f"{server.url}/memory.git", {"WEBCHAT_SYNC_MEMORY_TOKEN": server.password}


@contextmanager
def local_memory(_: Path) -> Iterator[tuple[str, dict[str, str]]]:
    yield "file", {}


@pytest.mark.alike
@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(
            served_memory,
            marks=pytest.mark.skipif(not have_http_backend(), reason="this git has no http-backend"),
        ),
        local_memory,
    ],
)
def test_a_clone_that_git_refuses_says_why_no_owned_channel_is_deleted(
    pipeline: Pipeline, kept: Callable[[Path], AbstractContextManager[tuple[str, dict[str, str]]]]
) -> None:
    with kept(pipeline.folder / "kept") as (place, token):
        plan = ("plan", "channels.yaml", "--memory", place)
        pipeline.push(manifest(named("A"), settings="{prune: owned}"))
        applied = pipeline.apply("--memory", place, environ=token)
        assert (applied.code, "can't be identified" in applied.err) == (0, False)
        pipeline.push(manifest(named("B"), settings="{prune: owned}"))
        # As if the clone belonged to another user.
        foreign = {**token, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
        refused = pipeline.job(*plan, environ=foreign)
        assert (refused.code, "will be destroyed" in refused.out) == (0, False)
        assert "can't be identified, so `prune: owned` deletes nothing: detected dubious ownership in" in refused.err
        assert "call: git config --global --add safe.directory" in refused.err
        assert "can't be identified" not in pipeline.job(*plan, environ=token).err
        pipeline.push(manifest(named("B"), settings="{prune: true}"))
        assert "can't be identified" not in pipeline.job(*plan, environ=foreign).err


@pytest.mark.variation  # of those in tests/test_owned_channels.py
def test_a_saved_plan_of_another_folder_does_not_give_its_channels_to_other_manifests(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned = "{memory: git, prune: owned}"
    files = {"shop/a.yaml": manifest(named("A"), settings=owned), "help/b.yaml": manifest(named("B"), settings=owned)}
    pipeline.push_files(files)
    clone = pipeline.clone()
    monkeypatch.chdir(clone / "shop")
    assert pipeline.api.invoke("plan", "--out", "../plan.json", environ=ENVIRON).code == 0
    monkeypatch.chdir(clone)
    assert pipeline.api.invoke("apply", "plan.json", "--auto-approve", environ=ENVIRON).code == 0
    for path in ("help", "shop", "help"):
        assert pipeline.job("apply", path, "--auto-approve").code == 0
    assert len(pipeline.api.store.channels("acme")) == 2
    pipeline.push_files({"shop/a.yaml": manifest("  - name: A2\n", settings=owned)})
    assert pipeline.job("apply", "shop", "--auto-approve").code == 0
    assert sorted(str(channel["name"]) for channel in pipeline.api.store.channels("acme")) == ["A2", "B"]


def test_a_waiting_secret_goes_to_the_sinks_that_its_own_organisation_declares(pipeline: Pipeline) -> None:
    broken, taken, other = (pipeline.folder / name for name in ("broken", "bolt.secret", "acme.secret"))
    broken.touch()
    command = f"cat > {taken}; test ! -e {broken}"
    acme = manifest(support(sink="{file: ../acme.secret}"))
    bolt = manifest(support(sink=f"{{command: [sh, -c, '{command}'], probe: ['true']}}"))
    pipeline.push_files({"acme.yaml": acme, "bolt.yaml": bolt.replace("organization: acme", "organization: bolt")})
    assert pipeline.job("apply", ".", "--auto-approve").code == 3
    written = next(pipeline.folder.rglob(other.name)).read_text(encoding="utf-8")
    broken.unlink()
    taken.unlink()
    assert pipeline.api.invoke("secret", "deliver", "Support", environ=ENVIRON).code == 0
    assert taken.read_text(encoding="utf-8").strip() not in ("", written.strip())
    assert next(pipeline.folder.rglob(other.name)).read_text(encoding="utf-8") == written


def test_the_advice_for_a_secret_of_one_organisation_leaves_that_of_another_alone(pipeline: Pipeline) -> None:
    broken = pipeline.folder / "broken-bolt"
    broken.touch()
    command = f"cat > /dev/null; test ! -e {pipeline.folder}/broken-$WEBCHAT_SYNC_ORGANIZATION"
    text = manifest(support(sink=f"{{command: [sh, -c, '{command}'], probe: ['true']}}"))
    pipeline.push_files({"acme.yaml": text, "bolt.yaml": text.replace("organization: acme", "organization: bolt")})
    failed = pipeline.job("apply", ".", "--auto-approve")
    assert (failed.code, rotations(pipeline.api)) == (3, 2)
    assert '`webchat-sync apply --rotate "Support" --target-org bolt` creates' in failed.out
    broken.unlink()
    # On the same machine, without the name of an organisation.
    delivered = pipeline.api.invoke("secret", "deliver", "Support", environ=ENVIRON)
    assert (delivered.code, "Delivered the identity" in delivered.err) == (0, True)
    assert pipeline.job("apply", ".", "--auto-approve").code == 0
    assert rotations(pipeline.api) == 0
    several = pipeline.job("secret", "sign", "Support", "--user-id", "one", "--manifest", ".")
    assert (several.code, 'several channels with the name or id "Support"' in several.err) == (1, True)


def test_a_waiting_secret_is_not_delivered_past_a_memory_that_unreadable_manifests_would_name(
    pipeline: Pipeline,
) -> None:
    broken = pipeline.folder / "broken"
    broken.touch()
    command = f"cat > {pipeline.folder}/got; test ! -e {broken}"
    pipeline.push(manifest(support(sink=f"{{command: [sh, -c, '{command}'], probe: ['true']}}")))
    assert pipeline.apply().code == 3
    broken.unlink()
    (pipeline.folder / "got").unlink()
    text = Path("channels.yaml").read_text(encoding="utf-8")
    Path("channels.yaml").write_text(f"{text}  - nam: Sales\n", encoding="utf-8")
    refused = pipeline.api.invoke("secret", "deliver", "Support", environ=ENVIRON)
    assert (refused.code, "channels.yaml:11:5" in refused.err) == (1, True)
    assert not (pipeline.folder / "got").exists()
    delivered = pipeline.api.invoke("secret", "deliver", "Support", "--memory", "git", environ=ENVIRON)
    assert (delivered.code, (pipeline.folder / "got").exists()) == (0, True)
    rotations(pipeline.api)
    assert pipeline.apply().code == 0
    assert rotations(pipeline.api) == 0


@pytest.mark.alike
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version: 1\n# settings: {memory: git}\nchannels: [{nam: A}]\n", 0),
        ("version: 1\nsettings: {prune: false} # no memory\nchannels: [{nam: A}]\n", 0),
        ("version: 1\nsettings:\n  memory: git\nchannels: [{nam: A}]\n", 1),
        ('version: 1\nx-color: "#fff"\nsettings: {ledger: other.json}\nchannels: [{nam: A}]\n', 1),
        ('{"version": 1, "x-color": "#fff", "settings": {"memory": "git"}, "channels": [{"nam": "A"}]}\n', 1),
    ],
)
def test_only_unreadable_manifests_that_may_name_a_memory_matter_to_a_secret(
    pipeline: Pipeline, text: str, code: int
) -> None:
    pipeline.push(manifest(support(), settings="{}"))
    assert pipeline.apply().code == 0
    Path("channels.yaml").write_text(text, encoding="utf-8")
    status = pipeline.api.invoke("secret", "status", "--org", "acme", environ=ENVIRON)
    assert status.code == code, status.err


@pytest.mark.variation
def test_a_secret_is_rotated_once_when_it_is_too_old_on_machines_that_are_thrown_away(pipeline: Pipeline) -> None:
    pipeline.push(manifest(support().replace("rotation: one", "maxAge: 90d")))
    made = []
    for days in (0, 89, 91, 92):
        assert pipeline.apply(now=partial(NOW.__add__, timedelta(days=days))).code == 0
        made.append(rotations(pipeline.api))
    assert made == [1, 0, 1, 0]


def test_a_failed_sink_is_made_good_by_the_next_job(pipeline: Pipeline) -> None:
    pipeline.push(manifest(support(sink="{command: [sh, -c, 'cat; exit 9'], probe: ['true']}")))
    failed = pipeline.apply()
    assert failed.code == 3
    pipeline.push(manifest(support()))
    mended = pipeline.apply()
    assert (mended.code, rotations(pipeline.api), bool(pipeline.secret(1))) == (0, 2, True)
    assert pipeline.apply().code == 0
    assert rotations(pipeline.api) == 0


def test_a_rotation_by_hand_that_the_pipeline_would_not_learn_of_is_said_so(pipeline: Pipeline) -> None:
    variable = {"WEBCHAT_SYNC_MEMORY": "git"}
    pipeline.push(manifest(support("one"), settings="{}"))
    assert pipeline.apply(environ=variable).code == 0
    alone = pipeline.apply("--rotate", "Support")
    assert (alone.code, "Only this machine remembers the rotation." in alone.err) == (0, True)
    by_hand = pipeline.job("secret", "rotate", "Support", "--to", "s")
    assert (by_hand.code, "Only this machine remembers the rotation." in by_hand.err) == (0, True)
    for shared in (
        pipeline.apply("--rotate", "Support", "--memory", "git"),
        pipeline.apply("--rotate", "Support", environ=variable),
        pipeline.apply("--rotate", "Support", "--memory", "file"),
        pipeline.apply(),
    ):
        assert (shared.code, "Only this machine" in shared.err) == (0, False)
    pipeline.push(manifest(support("one")))
    assert "Only this machine" not in pipeline.apply("--rotate", "Support").err
    assert rotations(pipeline.api) == 7
    assert (pipeline.apply(environ=variable).code, rotations(pipeline.api)) == (0, 0)


def test_two_applies_at_once_make_every_channel_once(pipeline: Pipeline) -> None:
    pipeline.push(manifest(named("Support", "Sales", "Billing", "Returns")))
    command = ["-m", "webchat_sync", "apply", "channels.yaml", "--auto-approve", "--lock-timeout"]
    timeouts = ["120", "120", "0"][: size(2, thorough=3)]
    clones = [pipeline.clone() for _ in timeouts]
    environ = {**os.environ, **ENVIRON, **pipeline.api.environ}
    running = [
        subprocess.Popen([sys.executable, *command, timeout], cwd=clone, env=environ, stdout=-1, stderr=-1, text=True)
        for clone, timeout in zip(clones, timeouts, strict=True)
    ]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in running]
    codes = [code for *_, code in ended]
    assert codes[:2] == [0, 0], ended
    assert set(codes[2:]) <= {0, 7}, ended
    assert sorted(str(channel["name"]) for channel in pipeline.api.store.channels("acme")) == [
        "Billing",
        "Returns",
        "Sales",
        "Support",
    ]
    assert LOCK not in pipeline.refs


def test_a_held_lock_is_told_with_its_holder_and_nothing_is_written(pipeline: Pipeline) -> None:
    pipeline.push(manifest(named("Support")))
    with remote_runner("one", Remote(str(pipeline.remote), REF), organizations=("acme",)) as holder:
        holder.lock.acquire(0)
        refused = pipeline.apply("--lock-timeout", "0")
        assert (refused.code, pipeline.api.store.channels("acme")) == (7, [])
        assert "https://ci.example.com/one on machine of one (since " in refused.err
        assert "webchat-sync unlock" in refused.err
        assert pipeline.job("plan", "channels.yaml").code == 0
        unlocked = pipeline.job("unlock", "--auto-approve")
        assert (unlocked.code, "Released the lock of https://ci.example.com/one" in unlocked.err) == (0, True)
        assert pipeline.apply("--lock-timeout", "0").code == 0
        assert pipeline.job("unlock", "--auto-approve").err == "Nobody holds the lock.\n"


def test_who_looks_for_a_lock_in_the_wrong_memory_is_shown_the_other_one(pipeline: Pipeline) -> None:
    pipeline.push(manifest(named("Support"), settings="{}"))
    with remote_runner("one", Remote(str(pipeline.remote), REF), organizations=("acme",)) as holder:
        holder.lock.acquire(0)
        here = pipeline.job("unlock", "--auto-approve")
        assert here.err.startswith("Nobody holds the lock of this folder. ")
        assert "use --memory git or" in here.err
        there = pipeline.job("unlock", "--auto-approve", "--memory", "git")
        assert "Released the lock of https://ci.example.com/one" in there.err


@pytest.mark.alike
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "command",
    ["apply channels.yaml --auto-approve", "secret rotate Support --show", "secret deliver Support --show"],
)
def test_a_run_that_waits_for_the_lock_ends_at_once_when_it_is_interrupted(
    pipeline: Pipeline, command: str, ending: signal.Signals
) -> None:
    pipeline.push(manifest(support()))
    words = [sys.executable, "-m", "webchat_sync", *command.split(), "--lock-timeout", "600"]
    environ = {**os.environ, **ENVIRON, **pipeline.api.environ}
    with remote_runner("one", Remote(str(pipeline.remote), REF), lease=600.0, organizations=("acme",)) as holder:
        holder.lock.acquire(0)
        with subprocess.Popen(words, cwd=pipeline.clone(), env=environ, stdout=-1, stderr=-1, text=True) as waiting:
            assert waiting.stderr
            told = waiting.stderr.readline()
            waiting.send_signal(ending)
            try:
                _, rest = waiting.communicate(timeout=60)
            finally:
                waiting.kill()
        assert told.startswith("Waiting for another run to release the lock: https://ci.example.com/one on machine")
        assert (waiting.returncode, rest.strip()) == (130, "Interrupted.")
        assert holder.lock.still_held()
        assert holder.lock.renew()
    assert pipeline.api.taken_calls() == []


@pytest.mark.waits
def test_a_run_that_loses_its_lock_writes_nothing_more_and_accounts_for_it(pipeline: Pipeline) -> None:
    steal = f"cat > ../../stolen; git -C {pipeline.remote} update-ref -d {LOCK}"
    sink = f"{{command: [sh, -c, '{steal}'], probe: ['true']}}"
    pipeline.push(manifest(support(sink=sink), named("Sales", "Billing")))
    lost = pipeline.apply("--parallelism", "1")
    assert lost.code == 3
    assert "lost the lock" in lost.out + lost.err
    assert [channel["name"] for channel in pipeline.api.store.channels("acme")] == ["Support"]
    pipeline.push(manifest(support(), named("Sales", "Billing")))
    assert pipeline.apply().code == 0
    assert len(pipeline.api.store.channels("acme")) == 3


@pytest.mark.waits
@pytest.mark.skipif(os.name == "nt", reason="no process is stopped there")
def test_a_run_that_was_frozen_and_wakes_after_its_lease_writes_nothing_more(pipeline: Pipeline) -> None:
    mark = pipeline.folder / "frozen"
    freeze = f"cat > ../support.secret; test -e {mark} || {{ touch {mark}; kill -STOP $PPID; }}"
    sink = f"{{command: [sh, -c, '{freeze}'], probe: ['true']}}"
    pipeline.push(manifest(support(sink=sink), named("Sales", "Billing")))
    words = [sys.executable, "-m", "webchat_sync", "apply", "channels.yaml", "--auto-approve", "--parallelism", "1"]
    lease = {"WEBCHAT_SYNC_LOCK_EXPIRY": "12"}
    environ = {**os.environ, **ENVIRON, **pipeline.api.environ, **lease}
    with subprocess.Popen(words, cwd=pipeline.clone(), env=environ, stdout=-1, stderr=-1, text=True) as frozen:
        assert os.WIFSTOPPED(os.waitpid(frozen.pid, os.WUNTRACED)[1])
        following = pipeline.apply("--lock-timeout", "120", environ=lease, pause=time.sleep)
        assert following.code == 0, following.err
        assert f"Took over the lock of process {frozen.pid} on" in following.err
        pipeline.api.calls.clear()
        frozen.send_signal(signal.SIGCONT)
        out, err = frozen.communicate(timeout=120)
    assert (frozen.returncode, "lost the lock" in err) == (3, True)
    refused = "this run no longer holds the lock, so it writes nothing more"
    assert all(f'failed: "{name}": POST ' in out for name in ("Sales", "Billing"))
    assert err.count(refused) == 2
    assert {call.method for call in pipeline.api.calls} <= {"GET"}
    assert len(pipeline.api.store.channels("acme")) == 3
    assert LOCK not in pipeline.refs
    assert pipeline.apply().code == 0
    assert rotations(pipeline.api) == 0


def test_what_was_protected_stays_so_until_it_was_declared_without(pipeline: Pipeline) -> None:
    prune = "{memory: git, prune: true}"
    pipeline.push(manifest(named("Support"), named("Sales", more="    sync: {protect: true}\n"), settings=prune))
    assert pipeline.apply().code == 0
    pipeline.push(manifest(named("Support"), settings=prune))
    refused = pipeline.apply()
    assert (refused.code, len(pipeline.api.store.channels("acme"))) == (5, 2)
    assert '"Sales" was protected when it was last declared' in refused.err
    pipeline.push(manifest(named("Support", "Sales"), settings=prune))
    assert pipeline.apply().code == 0
    pipeline.push(manifest(named("Support"), settings=prune))
    assert pipeline.apply().code == 0
    assert len(pipeline.api.store.channels("acme")) == 1


def test_a_prune_of_owned_channels_leaves_what_somebody_made_in_the_dashboard(pipeline: Pipeline) -> None:
    owned = "{memory: git, prune: owned}"
    pipeline.push(manifest(named("Support", "Sales"), settings=owned))
    assert pipeline.apply().code == 0
    pipeline.api.store.seed("acme", [{"name": "By hand"}])
    pipeline.push(manifest(named("Support"), settings=owned))
    planned = pipeline.job("plan", "channels.yaml")
    assert "an earlier apply of these manifests declared it" in planned.out
    assert pipeline.apply().code == 0
    assert [channel["name"] for channel in pipeline.api.store.channels("acme")] == ["Support", "By hand"]


@pytest.mark.variation  # of those in tests/test_owned_channels.py
def test_a_prune_of_owned_channels_leaves_those_of_manifests_that_are_applied_separately(pipeline: Pipeline) -> None:
    owned = "{memory: git, prune: owned}"

    def live_after(files: dict[str, str | None], *applied: str) -> list[str]:
        written = {name: text for name, text in files.items() if text is not None}
        pipeline.push_files(written, gone=files.keys() - written.keys())
        for path in applied:
            ended = pipeline.job("apply", path, "--auto-approve")
            assert ended.code == 0, ended.err
        return sorted(str(channel["name"]) for channel in pipeline.api.store.channels("acme"))

    files: dict[str, str | None] = {
        "shop/a.yaml": manifest(named("A"), settings=owned),
        "shop/b.yaml": manifest(named("B"), settings=owned),
        "help/c.yaml": manifest(named("C"), settings=owned),
    }
    assert live_after(files, "shop", "help", "shop") == ["A", "B", "C"]
    assert live_after({"shop/a.yaml": manifest(named("A2"), settings=owned)}, "help", "shop") == ["A2", "B", "C"]
    moved = {"help/d.yaml": manifest(named("B"), settings=owned), "shop/b.yaml": None}
    assert live_after(moved, "help", "shop") == ["A2", "B", "C"]
    assert live_after({"help/d.yaml": None}, "shop", "help") == ["A2", "C"]
    renamed = {"help/e.yaml": manifest(named("C"), settings=owned), "help/c.yaml": None}
    assert live_after(renamed, "shop") == ["A2", "C"]


@pytest.mark.alike
@pytest.mark.parametrize("away", ["gone", "refuses"])
def test_a_memory_that_cannot_be_reached_or_written_ends_the_run_before_it_writes(
    pipeline: Pipeline, away: str
) -> None:
    pipeline.push(manifest(named("Support")))
    clone = pipeline.clone()
    if away == "gone":
        pipeline.remote.rename(pipeline.folder / "elsewhere.git")
    else:
        write_program(pipeline.remote / "hooks" / "pre-receive", "echo no pushes today >&2\nexit 1")
    os.chdir(clone)
    refused = pipeline.api.invoke("apply", "channels.yaml", "--auto-approve", environ=ENVIRON, pause=nothing)
    assert (refused.code, pipeline.api.taken_calls()) == (7, [])
    assert ("no pushes today" if away == "refuses" else "elsewhere") in refused.err or away == "gone"
    assert "\n  Nothing was written. Check the path and the permissions." in refused.err
    assert "token" not in refused.err
    assert "access rights" not in refused.err
    assert "Traceback" not in refused.err
    on_disk = pipeline.api.invoke("apply", "channels.yaml", "--auto-approve", "--memory", "file", environ=ENVIRON)
    assert on_disk.code == 0


@pytest.mark.waits
@pytest.mark.alike
@pytest.mark.parametrize(
    ("taken", "code", "called"),
    [
        (0, 7, []),
        (1, 3, ["channels"]),
        (2, 3, ["channels", "identity-secret"]),
    ],
    ids=["the create", "the rotation", "the outcome"],
)
def test_a_call_whose_intent_the_memory_does_not_take_is_not_made(
    pipeline: Pipeline, taken: int, code: int, called: list[str]
) -> None:
    pipeline.push(manifest(support()))
    count = pipeline.folder / "count"
    script = f"test $1 != {REF} || {{ echo x >> {count}; test $(wc -l < {count}) -le {taken}; }}"
    hook = write_program(pipeline.remote / "hooks" / "update", script)
    refused = pipeline.apply(pause=nothing)
    assert (refused.code, "hook declined" in refused.err) == (code, True)
    posts = [call.path.rpartition("/")[2] for call in pipeline.api.calls if call.method == "POST"]
    assert posts == called
    hook.unlink()
    assert pipeline.apply().code == 0
    assert pipeline.secret(1)
    assert len(pipeline.api.store.channels("acme")) == 1


def nothing(_: float) -> None:
    """Waits for nothing."""


def test_a_twin_that_came_late_is_told_by_the_next_job_and_removed_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Fault(effects.drop(after_commit=False), "POST", "/organizations/acme/web-chat/channels", nth=1)
    with emulated(faults=Faults([lost])) as api:
        pipeline = Pipeline(tmp_path, api, monkeypatch.chdir)
        pipeline.push(manifest(named("Support")))
        assert pipeline.apply(sleep=at_once).code == 0
        # What the server took in after all.
        api.store.seed("acme", [{"name": "Support"}])
        refused = pipeline.job("plan", "channels.yaml")
        assert refused.code == 1
        assert "--remove-twins" in refused.err
        (kept, twin) = (str(channel["id"]) for channel in api.store.channels("acme"))
        assert f'the live channel {twin} is a duplicate of "Support" ({kept}' in refused.err
        removed = pipeline.apply("--remove-twins")
        assert (removed.code, [channel["id"] for channel in api.store.channels("acme")]) == (0, [kept])
        assert told(pipeline)[0] == 'Deleted 1 channel: "Support"'
        assert pipeline.job("plan", "channels.yaml", "--detailed-exitcode").code == 0


def test_the_history_says_what_was_done_by_which_run_and_on_what_commit(pipeline: Pipeline) -> None:
    head = pipeline.push(manifest(support(), named("Sales")))
    run = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/site", "GITHUB_RUN_ID": "42"}
    assert pipeline.apply(environ=run).code == 0
    told = pipeline.job("history")
    lines = told.out.splitlines()
    assert [line.partition("  ")[2] for line in lines[::2]] == [
        'Created 2 channels: "Support", "Sales"',
        'Delivered an identity secret: "Support"',
        'About to create an identity secret: "Support"',
        'About to create 2 channels: "Support", "Sales"',
    ]
    assert set(lines[1::2]) == {
        f"    organisation acme, run https://github.com/acme/site/actions/runs/42, commit {head[:10]}"
    }
    for spelling in ("Sales", " Sales"):  # a server stores both as the same name
        of_one = pipeline.job("history", spelling, "--format", "json", "--limit", "1").json()
        assert [record["what"] for record in of_one] == ["Created 2 channels"]
    assert pipeline.job("history", "Nobody").err == 'Nothing is recorded about "Nobody".\n'
    on_disk = pipeline.job("history", "--memory", "file")
    assert (on_disk.code, "keeps no history" in on_disk.err) == (1, True)


def test_the_history_says_in_one_sentence_what_a_run_is_about_to_do(pipeline: Pipeline) -> None:
    pipeline.api.store.seed("acme", [{"name": "Support", "hasIdentitySecret": True}])
    pipeline.push(manifest(support(), named("Sales")))
    assert pipeline.apply().code == 0
    assert told(pipeline)[-1] == 'About to create 1 channel; adopted 1 identity secret: "Sales", "Support"'


def told(pipeline: Pipeline) -> list[str]:
    """What the history says was done, newest first, in the clone of the last job."""
    history = pipeline.api.invoke("history", environ=ENVIRON)
    return [line.partition("  ")[2] for line in history.out.splitlines()[::2]]


def test_every_change_is_in_the_history_whether_or_not_anything_is_remembered_of_it(pipeline: Pipeline) -> None:
    pipeline.api.store.seed("acme", [{"name": "Support"}, {"name": "Sales"}, {"name": "By hand"}])
    pipeline.push(manifest(named("Support", "Sales")))
    assert pipeline.apply().code == 0
    assert told(pipeline) == ["Recorded which declared channels are live"]
    pipeline.push(manifest(named("Support", more="    theme: dark\n"), named("Sales")))
    assert pipeline.apply().code == 0
    assert told(pipeline)[0] == 'Updated 1 channel: "Support"'
    pipeline.push(
        manifest(named("Sales", more="    theme: dark\n"), named("New"), settings="{memory: git, prune: true}")
    )
    assert pipeline.apply("--max-deletes", "2").code == 0
    assert told(pipeline)[0] == (
        'Created 1 channel, updated 1 channel, deleted 2 channels: "New", "Sales", "Support", "By hand"'
    )
    assert pipeline.job("history", "By hand", "--format", "json").json()[0]["organizations"] == ["acme"]
    pipeline.push(manifest(support("one", sink="{command: [sh, -c, 'cat > /dev/null']}")))
    assert pipeline.apply().code == 0
    pipeline.push(manifest(support("two", sink="{command: [sh, -c, 'cat > /dev/null']}")))
    assert pipeline.apply().code == 0
    assert told(pipeline)[0] == 'Delivered an identity secret: "Support"'
    # Nor does it say that a run with a new secret changed nothing.
    pipeline.push(manifest(support("three") + "      protect: true\n"))
    assert pipeline.apply().code == 0
    assert told(pipeline)[:3] == [
        "Recorded which declared channels are live",
        'Delivered an identity secret: "Support"',
        'About to create an identity secret: "Support"',
    ]


def test_the_history_says_whose_secret_was_not_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Fault(effects.status(403), "POST", "*/identity-secret", nth=1)
    with emulated({"name": "Support"}, faults=Faults([refused])) as api:
        pipeline = Pipeline(tmp_path, api, monkeypatch.chdir)
        pipeline.push(manifest(support()))
        assert pipeline.apply().code == 3
        assert told(pipeline)[:3] == [
            "Changed nothing",
            'Didn\'t create an identity secret: "Support"',
            'About to create an identity secret: "Support"',
        ]


def refusing(pipeline: Pipeline, what: str) -> Path:
    """A hook that refuses the commits of the memory whose message begins like this."""
    script = f'case "$1$(git log -1 --format=%s $3)" in {REF}{what}*) echo no space >&2; exit 1 ;; esac'
    return write_program(pipeline.remote / "hooks" / "update", script)


def test_a_finished_run_that_cannot_be_recorded_is_told_as_finished(pipeline: Pipeline) -> None:
    pipeline.push(manifest(named("Support")))
    hook = refusing(pipeline, "Created")
    unrecorded = pipeline.apply(pause=nothing)
    assert (unrecorded.code, unrecorded.last_line) == (3, "Apply complete! Channels: 1 added, 0 changed, 0 destroyed.")
    assert "Error: what was done can't be recorded: the memory at " in unrecorded.err
    assert "no space" in unrecorded.err
    assert "stopped early" not in unrecorded.err
    hook.unlink()
    pipeline.api.calls.clear()
    assert pipeline.apply().code == 0
    assert {call.method for call in pipeline.api.calls} == {"GET"}
    assert told(pipeline)[0] == "Recorded which declared channels are live"


@pytest.mark.alike
@pytest.mark.parametrize(
    ("sink", "refused", "said"),
    [
        ("{command: [sh, -c, 'cat > /dev/null']}", "Delivered", "a new secret was delivered, but that can't"),
        ("{command: ['false']}", "Created\\ an", "and that can't be recorded: the memory at "),
    ],
    ids=["delivered", "undelivered"],
)
def test_a_new_secret_whose_outcome_cannot_be_recorded_is_accounted_for(
    pipeline: Pipeline, sink: str, refused: str, said: str
) -> None:
    pipeline.push(manifest(support(sink=sink)))
    hook = refusing(pipeline, refused)
    unrecorded = pipeline.apply(pause=nothing, sleep=at_once)
    assert (unrecorded.code, said in unrecorded.out, "no space" in unrecorded.out) == (3, True, True)
    assert ("a copy is in .webchat-sync/recovery/" in unrecorded.out) == (refused != "Delivered")
    hook.unlink()
    pipeline.push(manifest(support()))
    assert pipeline.apply(sleep=at_once).code == 0
    assert rotations(pipeline.api) == 2


def test_a_revoked_secret_whose_outcome_cannot_be_recorded_is_told_as_revoked(pipeline: Pipeline) -> None:
    pipeline.push(manifest(support()))
    assert pipeline.apply().code == 0
    refusing(pipeline, "Revoked")
    unrecorded = pipeline.job("secret", "revoke", "Support", "--auto-approve", pause=nothing)
    assert (unrecorded.code, "the secret was revoked, but that can't be recorded" in unrecorded.err) == (3, True)
    assert [channel["hasIdentitySecret"] for channel in pipeline.api.store.channels("acme")] == [False]


def test_the_sandbox_is_remembered_on_this_machine_only(pipeline: Pipeline) -> None:
    pipeline.push(manifest(named("Support")))
    assert pipeline.apply("--sandbox").code == 0
    assert pipeline.refs == {"refs/heads/main"}


def test_a_saved_plan_knows_where_it_is_remembered(pipeline: Pipeline) -> None:
    pipeline.push(manifest(support()))
    saved = pipeline.folder / "plan.json"
    assert pipeline.job("plan", "channels.yaml", "--out", saved).code == 0
    assert pipeline.job("apply", saved, "--auto-approve").code == 0
    assert REF in pipeline.refs


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{memory: {git: {remote: 'ext::sh -c id'}}}", "settings.memory"),
        ("{memory: {git: {remote: 'https://evil.example/x.git'}}}", "settings.memory.git.remote: "),
        ("{memory: cloud}", '"cloud" isn\'t accepted; it can be `git` or a mapping'),
        ("{memory: {git: {remote: '-x'}}}", "settings.memory"),
        ("{memory: {git: {ref: refs/heads/main}}}", "refs/heads"),
        ("{memory: {git: {remote: upstream}}}", 'has no remote "upstream"'),
        ("{memory: https://evil.example/x.git}", "settings.memory"),
        ("{memory: git, ledger: rotations.json}", "keeps the ledger in Git"),
    ],
)
def test_a_manifest_cannot_say_where_the_token_goes(pipeline: Pipeline, settings: str, said: str) -> None:
    pipeline.push(manifest(named("Support"), settings=settings))
    refused = pipeline.apply()
    assert (refused.code, pipeline.api.taken_calls()) == (1, [])
    assert said in refused.err


def test_organisations_that_are_remembered_in_two_places_are_not_one_run(pipeline: Pipeline) -> None:
    other = manifest(named("Support"), settings="{}").replace("acme", "other")
    pipeline.push(f"{manifest(named('Support'))}---\n{other}")
    refused = pipeline.apply()
    assert (refused.code, pipeline.api.taken_calls()) == (1, [])
    assert 'the organisations "acme" and "other" use different memories' in refused.err
