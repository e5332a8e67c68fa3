"""What the program writes to and how it ends: devices, pipes, links, full disks and closed streams, in a process."""

from __future__ import annotations

import json
import os
import pty
import resource
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from applying import KEY
from commands import Emulated, emulated
from variations import thinned, variation
from webchat_sync.emulator import Fault, Faults, effects

pytestmark = pytest.mark.slow

EMPTY_LEDGER = '{"version": 1}'
PROGRAM = [sys.executable, "-m", "webchat_sync"]
MANIFEST = "version: 1\norganization: acme\nchannels: [{name: A}, {name: B}]\n"

PLAN, DRIFT, SNAPSHOT = ["plan", "shop.yaml", "--out"], ["drift", "shop.yaml", "--out"], ["snapshot", "--out"]
REPORT = ["apply", "shop.yaml", "--auto-approve", "--report"]
WRITING = {
    "plan --out": PLAN,
    "plan --debug-http": ["plan", "shop.yaml", "--debug-http"],
    "drift --out": DRIFT,
    "snapshot --out": SNAPSHOT,
    "import --out": ["import", "--out"],
    "apply --report": REPORT,
    "apply --debug-http": ["apply", "shop.yaml", "--auto-approve", "--debug-http"],
}
"""Command lines that lack nothing but the file to write."""


@pytest.fixture
def api() -> Iterator[Emulated]:
    with emulated() as api:
        yield api


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(MANIFEST, encoding="utf-8")
    return tmp_path


def start(api: Emulated, folder: Path, *arguments: object, **more: Any) -> subprocess.Popen[str]:
    environ = {**os.environ, **api.environ, **more.pop("environ", {})}
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen([*PROGRAM, *map(str, arguments)], cwd=folder, env=environ, text=True, **pipes)


def run(api: Emulated, folder: Path, *arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    process = start(api, folder, *arguments, **more)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess([], process.returncode, out, err)


def device(path: Path, minor: int) -> Path:
    """A copy of /dev/null (3) or /dev/full (7)."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        path.write_bytes(b"")
    except OSError:
        pytest.skip("devices cannot be made here")
    return path


@pytest.mark.alike
@pytest.mark.parametrize("words", WRITING.values(), ids=WRITING)
def test_a_device_is_written_into_and_stays(api: Emulated, folder: Path, words: list[str]) -> None:
    null = device(folder / "null", 3)
    mode = null.stat().st_mode
    done = run(api, folder, *words, null)
    assert done.returncode == 0, done.stderr
    assert (stat.S_ISCHR(null.stat().st_mode), null.stat().st_mode) == (True, mode)


@pytest.mark.alike
@pytest.mark.parametrize("words", thinned(WRITING, every=3))
def test_a_pipe_is_written_into_and_stays(api: Emulated, folder: Path, words: list[str]) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    done = run(api, folder, *words, pipe)
    reader.join(20)
    assert done.returncode == 0, done.stderr
    assert read
    assert read[0]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.alike
@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("words", thinned(WRITING, every=3))
def test_a_link_stays_and_what_it_leads_to_is_written(
    api: Emulated, folder: Path, words: list[str], there: bool
) -> None:
    target, link = folder / "elsewhere" / "target", folder / "link"
    target.parent.mkdir()
    link.symlink_to("elsewhere/target")
    if there:
        target.write_text("old", encoding="utf-8")
    done = run(api, folder, *words, link)
    assert link.is_symlink()
    if there and words[0] == "import":
        assert (done.returncode, target.read_text(encoding="utf-8")) == (1, "old")
    else:
        assert done.returncode == 0, done.stderr
        assert target.read_text(encoding="utf-8") not in {"", "old"}
        assert [path.name for path in target.parent.iterdir()] == ["target"]


@pytest.mark.alike
@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "log"])
@pytest.mark.parametrize("words", thinned({words[0]: words for words in (PLAN, DRIFT, SNAPSHOT, REPORT)}, every=3))
def test_stdout_gets_the_document_and_nothing_else(api: Emulated, folder: Path, words: list[str], name: str) -> None:
    log = folder / "log"
    with log.open("w", encoding="utf-8") as out:
        before = log.stat().st_ino
        done = run(api, folder, *words, name, stdout=out)
    assert done.returncode == 0, done.stderr
    assert json.loads(log.read_text(encoding="utf-8"))["format_version"]
    assert log.stat().st_ino == before


def test_render_to_stdout_moves_the_text_to_stderr(api: Emulated, folder: Path) -> None:
    done = run(api, folder, "plan", "shop.yaml", "--render", "json=-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["format_version"]
    assert "2 to add" in done.stderr


UNWRITABLE = {
    "a missing folder": "nowhere/out",
    "a folder": "a folder",
    "below a file": "shop.yaml/out",
    "a loop": "loop",
    "a manifest": "shop.yaml",
    "a link to a manifest": "link",
    "a name too long": "n" * 300,
}


@pytest.mark.alike
@pytest.mark.parametrize("name", UNWRITABLE.values(), ids=UNWRITABLE)
@pytest.mark.parametrize("option", ["--report", "--debug-http"])
def test_what_cannot_be_written_is_told_before_anything_is_sent(
    api: Emulated, folder: Path, option: str, name: str
) -> None:
    (folder / "a folder").mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "link").symlink_to("shop.yaml")
    done = run(api, folder, "apply", "shop.yaml", "--auto-approve", option, name)
    assert done.returncode == 1, done.stderr
    assert name in done.stderr
    assert api.calls == []
    assert (folder / "shop.yaml").read_text(encoding="utf-8") == MANIFEST


@pytest.mark.alike
@pytest.mark.parametrize(
    "arguments",
    [
        ["--out", "x", "--render", "json=x"],
        ["--out", "x", "--debug-http", "./x"],
        ["--out", "x", "--render", "json=link"],
        ["--out", "-", "--format", "json"],
        ["--out", "-", "--render", "json=/dev/stdout"],
    ],
)
def test_two_outputs_do_not_share_a_target(api: Emulated, folder: Path, arguments: list[str]) -> None:
    (folder / "link").symlink_to("x")
    done = run(api, folder, "plan", "shop.yaml", *arguments)
    assert (done.returncode, "is used twice" in done.stderr, api.calls) == (1, True, [])


def test_a_device_takes_two_outputs(api: Emulated, folder: Path) -> None:
    null = device(folder / "null", 3)
    assert run(api, folder, "plan", "shop.yaml", "--out", null, "--render", f"json={null}").returncode == 0


def test_an_input_is_no_output(api: Emulated, folder: Path) -> None:
    assert api.invoke("plan", folder / "shop.yaml", "--out", folder / "plan.json").code == 0
    saved = (folder / "plan.json").read_bytes()
    done = run(api, folder, "apply", "plan.json", "--auto-approve", "--report", "plan.json")
    assert (done.returncode, "this run reads" in done.stderr) == (1, True)
    assert (folder / "plan.json").read_bytes() == saved


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "shop.yaml", "--out"],
        ["apply", "shop.yaml", "--auto-approve", "--report"],
        ["apply", "shop.yaml", "--auto-approve", "--events"],
        ["drift", "shop.yaml", "--out"],
        ["snapshot", "shop.yaml", "--out"],
        ["import", "--out"],
        ["secret", "status", "--debug-http"],
        ["plan", "shop.yaml", "--render", "html="],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("name", ["own.json", "link", ".webchat-sync/ledger.json", ".webchat-sync/new", "key"])
def test_what_is_remembered_and_the_file_of_the_key_are_no_output(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], name: str
) -> None:
    monkeypatch.chdir(folder)
    manifest = folder / "shop.yaml"
    settings = "settings: {ledger: own.json}\n" if name in {"own.json", "link"} else ""
    manifest.write_text(MANIFEST.replace("channels:", f"{settings}channels:"), encoding="utf-8")
    remembered = {folder / "own.json", folder / ".webchat-sync" / "ledger.json", folder / "key"}
    (folder / ".webchat-sync").mkdir()
    (folder / "link").symlink_to("own.json")
    with emulated() as api:
        for path in remembered:
            path.write_text(KEY if path.name == "key" else EMPTY_LEDGER, encoding="utf-8")
        before = {path: path.read_bytes() for path in remembered}
        *command, option = words
        given = [f"{option}{name}"] if option.endswith("=") else [option, name]
        environ = {"MOSEND_API_KEY": ""} if name == "key" else {}
        ended = api.invoke(*command, *given, *(["--api-key-file", "key"] if name == "key" else []), environ=environ)
        assert ended.code == 1, ended.out + ended.err
        assert Path(name).name in ended.err
        assert {path: path.read_bytes() for path in remembered} == before
        assert not (folder / ".webchat-sync" / "new").exists()
        assert {call.method for call in api.calls} <= {"GET"}


def names(api: Emulated) -> set[object]:
    return {channel["name"] for channel in api.store.channels("acme")}


def test_a_report_that_cannot_be_written_after_changes_goes_to_stderr(api: Emulated, folder: Path) -> None:
    full = device_full(folder)
    done = run(api, folder, *REPORT, full)
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert '"outcome": "converged"' in done.stderr
    assert names(api) == {"A", "B"}
    assert stat.S_ISCHR(full.stat().st_mode)


def device_full(folder: Path) -> Path:
    path = folder / "full"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 7))
        with path.open("wb"):
            pass
    except OSError:
        pytest.skip("devices cannot be made here")
    return path


def test_a_report_that_cannot_be_written_without_changes_is_exit_code_1(api: Emulated, folder: Path) -> None:
    api.store.seed("acme", [{"name": "A"}, {"name": "B"}])
    assert run(api, folder, *REPORT, device_full(folder)).returncode == 1


@pytest.mark.parametrize(
    "arguments", [["plan", "shop.yaml"], ["--help"], ["schema", "plan"], variation(["snapshot", "--help"])]
)
def test_stdout_on_a_full_disk_is_a_plain_error(api: Emulated, folder: Path, arguments: list[str]) -> None:
    with device_full(folder).open("w") as full:
        done = run(api, folder, *arguments, stdout=full)
    assert (done.returncode, "No space left on device" in done.stderr, "bug" in done.stderr) == (1, True, False)


@pytest.mark.alike
@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
@pytest.mark.parametrize("streams", [[1], [2], [1, 2]])
def test_an_apply_whose_readers_leave_before_it_writes_ends_by_what_it_did(
    folder: Path, streams: list[int], quiet: list[str]
) -> None:
    """The streams break when the first channel is being made: after the plan was shown."""
    closing: list[Callable[[], None]] = []

    async def leave(_: float) -> None:
        for close in closing:
            close()

    with emulated(faults=Faults([Fault(effects.delay(1, sleep=leave), "POST", nth=1)])) as api:
        process = start(api, folder, *REPORT, "report.json", *quiet)
        pipes = {1: process.stdout, 2: process.stderr}
        closing += [pipe.close for number, pipe in pipes.items() if number in streams and pipe]
        code = process.wait(60)
        for pipe in pipes.values():
            if pipe:
                pipe.close()
        assert code == 0
        assert names(api) == {"A", "B"}
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["outcome"] == "converged"


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["validate", "shop.yaml"], 0),
        (["drift", "shop.yaml", "--detailed-exitcode"], 2),
        variation(["plan", "shop.yaml", "--detailed-exitcode", "--format", "json"], 2),
        variation(["import"], 0),
        (["init", "new"], 0),
        (["message", "send", "c", "--body", "Hola"], 0),
        variation(["--help"], 0),
    ],
)
def test_a_reader_that_leaves_changes_no_exit_code(
    api: Emulated, folder: Path, unread: int, arguments: list[str], code: int
) -> None:
    done = run(api, folder, *arguments, stdout=unread)
    assert (done.returncode, "Error" in done.stderr) == (code, False)


def test_a_secret_that_nobody_reads_is_not_delivered(api: Emulated, folder: Path, unread: int) -> None:
    api.store.seed("acme", [{"name": "A"}])
    done = run(api, folder, "secret", "rotate", "A", "--show", stdout=unread)
    assert (done.returncode, "didn't accept the secret" in done.stderr) == (3, True)
    (kept,) = (folder / ".webchat-sync" / "recovery").glob("*.json")
    assert str(api.store.identity_secret(str(api.store.channels("acme")[0]["id"]))) in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_pipe_that_does_not_wait_loses_nothing(api: Emulated, folder: Path, stream: str) -> None:
    """Some runners make their ends of the pipes so: a write to a full one fails."""
    channels = "".join(f"  - {{name: Channel {number}, colour: red}}\n" for number in range(1_000))
    (folder / "shop.yaml").write_text(f"version: 1\norganization: acme\nchannels:\n{channels}", encoding="utf-8")
    arguments = ["validate", "shop.yaml", "--format", {"stdout": "json", "stderr": "text"}[stream]]
    with (folder / "whole").open("wb") as whole:
        run(api, folder, *arguments, **{stream: whole})
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    process = start(api, folder, *arguments, **{stream: writing})
    os.close(writing)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(3)  # it waits as well
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == (folder / "whole").read_bytes()
    process.communicate(timeout=60)
    assert process.returncode == 1


@pytest.mark.alike
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-"])
def test_closed_streams_end_no_apply(api: Emulated, folder: Path, closed: str) -> None:
    line = f'"{sys.executable}" -m webchat_sync apply shop.yaml --auto-approve --report report.json {closed}'
    done = subprocess.run(["/bin/sh", "-c", line], cwd=folder, env={**os.environ, **api.environ}, check=False)
    assert done.returncode == 0
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["outcome"] == "converged"
    assert names(api) == {"A", "B"}


def limited(kind: int, limit: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (limit, limit))


@pytest.mark.alike
@pytest.mark.parametrize("limit", [0, 512, 5000, 8192, 9000])
def test_a_limit_of_a_files_size_never_hides_that_changes_were_made(api: Emulated, folder: Path, limit: int) -> None:
    many = "".join(f"  - name: Channel {number}\n" for number in range(30))
    (folder / "shop.yaml").write_text(f"version: 1\norganization: acme\nchannels:\n{many}", encoding="utf-8")
    environ = {"PYTHONDONTWRITEBYTECODE": "1"}
    done = run(api, folder, *REPORT, "report.json", preexec_fn=limited(resource.RLIMIT_FSIZE, limit), environ=environ)
    assert (done.returncode, bool(names(api))) in {(1, False), (7, False), (3, True)}, done.stderr
    assert "File too large" in done.stderr
    assert "bug" not in done.stderr
    if done.returncode == 3:
        assert '"outcome": "converged"' in done.stderr


@pytest.mark.alike
@pytest.mark.parametrize("descriptors", [6, 10, 14, 20, 30])
def test_too_few_descriptors_are_a_plain_error_or_a_full_account(api: Emulated, folder: Path, descriptors: int) -> None:
    done = run(api, folder, *REPORT, "report.json", preexec_fn=limited(resource.RLIMIT_NOFILE, descriptors))
    assert "bug" not in done.stderr
    assert done.returncode in ({0, 3} if names(api) else {1, 6}), done.stderr


@pytest.mark.parametrize("arguments", [["apply"], ["plan"], variation(["init"]), variation(["plan", "--sandbox"])])
def test_a_working_folder_that_vanished_is_a_plain_error(api: Emulated, folder: Path, arguments: list[str]) -> None:
    manifest = folder / "shop.yaml"
    gone = folder / "gone"
    gone.mkdir()
    line = f'cd "{gone}" && rmdir "{gone}" && exec "{sys.executable}" -m webchat_sync "$@"'
    more = [str(manifest), "--auto-approve"] if arguments == ["apply"] else []
    command = ["/bin/sh", "-c", line, "sh", *arguments, *more]
    done = subprocess.run(
        command, env={**os.environ, **api.environ}, cwd=folder, capture_output=True, text=True, check=False
    )
    # Where the lock of the folder cannot be taken, the code is that of the memory; in CI its place is asked before.
    assert done.returncode in ({1, 7} if arguments == ["apply"] else {1}), done.stderr
    assert "bug" not in done.stderr
    assert "Error" in done.stderr
    assert names(api) == set()


def test_no_home_is_needed(api: Emulated, folder: Path) -> None:
    environ = {**api.environ, "PATH": os.environ["PATH"]}
    done = subprocess.run([*PROGRAM, *REPORT, "r.json"], cwd=folder, env=environ, capture_output=True, check=False)
    assert done.returncode == 0


def mount(*arguments: str) -> bool:
    """Whether it worked."""
    return not subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode  # noqa: S607


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for nothing more."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk))
    if not mounted:
        pytest.skip("no disk can be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)  # noqa: S607


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(1024))
        except OSError:
            pass


def test_a_full_disk_is_told_before_anything_is_sent(api: Emulated, folder: Path, small_disk: Path) -> None:
    fill(small_disk)
    done = run(api, folder, *REPORT, small_disk / "report.json")
    assert (done.returncode, "No space left on device" in done.stderr, api.calls) == (1, True, [])
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_a_disk_that_fills_while_channels_are_made_hides_nothing(folder: Path, small_disk: Path) -> None:
    async def filled(_: float) -> None:
        fill(small_disk)

    with emulated(faults=Faults([Fault(effects.delay(1, sleep=filled), "POST", nth=1)])) as api:
        log = small_disk / "http.log"
        done = run(api, folder, *REPORT, small_disk / "report.json", "--debug-http", log)
        assert done.returncode == 3, done.stderr
        assert names(api) == {"A", "B"}
        assert '"outcome": "converged"' in done.stderr


@pytest.mark.alike
@pytest.mark.parametrize(
    ("arguments", "code"), [(["apply", "shop.yaml"], 7), (["apply", "shop.yaml", "--sandbox"], 7), (["init"], 1)]
)
def test_a_read_only_working_folder_is_a_plain_error(
    api: Emulated, small_disk: Path, arguments: list[str], code: int
) -> None:
    (small_disk / "shop.yaml").write_text(MANIFEST, encoding="utf-8")
    assert mount("-o", "remount,ro", str(small_disk))
    approve = ["--auto-approve"] if arguments[0] == "apply" else []
    done = run(api, small_disk, *arguments, *approve)
    assert (done.returncode, "Read-only file system" in done.stderr, "bug" in done.stderr) == (code, True, False)
    assert names(api) == set()


ENDING: Final = [
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU, signal.SIGALRM),
]


@pytest.mark.alike
@pytest.mark.parametrize("ending", ENDING)
def test_a_signal_ends_a_question_at_once(api: Emulated, folder: Path, ending: signal.Signals) -> None:
    leader, follower = pty.openpty()
    process = start(api, folder, "apply", "shop.yaml", "--report", "report.json", stdin=follower)
    try:
        assert process.stderr is not None
        said = ""
        while "Enter a value" not in said:
            said += process.stderr.read(1)
        process.send_signal(ending)
        assert process.wait(10) == 130
    finally:
        process.kill()
        process.communicate()
        os.close(leader)
        os.close(follower)
    assert names(api) == set()
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["outcome"] == "interrupted"


def ignore_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.alike
@pytest.mark.parametrize(
    ("ending", "more", "code", "made"),
    [
        *((ending, {}, 130, {"A"}) for ending in ENDING),
        (signal.SIGHUP, {"preexec_fn": ignore_hangup}, 0, {"A", "B"}),
    ],
)
def test_what_ends_a_run_is_accounted_for_and_nohup_is_heeded(
    folder: Path, ending: signal.Signals, more: Mapping[str, Any], code: int, made: set[str]
) -> None:
    arrived, released = threading.Event(), threading.Event()

    async def hold(_: float) -> None:
        import asyncio

        arrived.set()
        await asyncio.to_thread(released.wait)

    with emulated(faults=Faults([Fault(effects.delay(1, sleep=hold), "POST", nth=1)])) as api:
        process = start(api, folder, *REPORT, "report.json", "--parallelism=1", **more)
        try:
            assert arrived.wait(20)
            process.send_signal(ending)
            if code:
                assert process.stderr is not None
                assert "no new calls are started" in process.stderr.readline()
        finally:
            released.set()
        process.communicate(timeout=100)
        assert process.returncode == code
        assert names(api) == made
    statuses = [each["status"] for each in json.loads((folder / "report.json").read_text("utf-8"))["operations"]]
    assert statuses == ["done", "done" if code == 0 else "not_started"]
