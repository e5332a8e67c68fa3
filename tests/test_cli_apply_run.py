"""The run of an apply as its user meets it: reports, the lock, progress, signals."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from filelock import FileLock
from jsonschema import Draft202012Validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commands import Emulated, emulated, manifest_in
from fake_time import FakeTime
from webchat_sync.cli.progress import STILL
from webchat_sync.domain.catalogue import load_schema
from webchat_sync.emulator import Fault, Faults, effects

pytestmark = pytest.mark.slow

TWO = "version: 1\nchannels:\n  - {name: A}\n  - {name: B}\n"


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return manifest_in(tmp_path, monkeypatch, TWO)


def reported(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator(load_schema("report")).validate(document)
    return document


def test_a_runner_without_its_repository_stops_no_apply_unless_its_token_can_check_the_commit(manifest: Path) -> None:
    environ = {"GITHUB_ACTIONS": "true"}
    with emulated() as api:
        refused = api.invoke("apply", manifest, "--auto-approve", environ={**environ, "GITHUB_TOKEN": "ghs_x"})
        assert (refused.code, api.taken_calls()) == (1, [])
        applied = api.invoke("apply", manifest, "--auto-approve", environ=environ)
        assert (applied.code, "Can't check whether this commit is the latest" in applied.err) == (0, True), applied.err


def test_a_report_accounts_for_every_operation_of_a_run_that_converged(manifest: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with emulated() as api:
        assert api.invoke("apply", manifest, "--auto-approve", "--report", report).code == 0
        document = reported(report)
        assert (document["outcome"], document["created_at"]) == ("converged", "2026-11-02T12:00:00+00:00")
        assert document["summary"] == {"done": 2, "failed": 0, "not_started": 0, "in_doubt": 0}
        operation = document["operations"][0]
        assert operation.pop("request_id")
        assert operation == {
            "organization": "acme",
            "address": "A",
            "method": "POST",
            "path": "/organizations/acme/web-chat/channels",
            "status": "done",
            "attempts": 1,
            "http_status": 201,
            "error": None,
        }
        assert api.invoke("apply", manifest, "--auto-approve", "--report", report).code == 0
        assert reported(report)["operations"] == []


def test_a_report_is_written_when_the_run_fails_or_does_not_converge(manifest: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with emulated(faults=Faults([Fault(effects.status(400, message="no"), "POST", nth=1)])) as api:
        assert api.invoke("apply", manifest, "--auto-approve", "--parallelism", "1", "--report", report).code == 3
        document = reported(report)
        assert (document["outcome"], document["summary"]["failed"]) == ("incomplete", 1)
        assert document["operations"][0]["http_status"] == 400
        assert "no" in document["operations"][0]["error"]
    with emulated(faults=Faults([Fault(effects.html(), "GET", nth=frozenset(range(2, 9)))])) as api:
        applied = api.invoke("apply", manifest, "--auto-approve", "--report", report, sleep=FakeTime().sleep)
        assert applied.code == 3
        assert "GET" in reported(report)["unverified"]


@pytest.mark.parametrize(
    ("status", "way_out"),
    [
        (401, "    Check MOSEND_API_KEY"),
        (402, "    The organisation's subscription"),
        (404, "    Check the organisation's id"),
    ],
)
def test_a_failed_call_is_told_with_its_way_out(manifest: Path, status: int, way_out: str) -> None:
    with emulated(faults=Faults([Fault(effects.status(status), "POST")])) as api:
        applied = api.invoke("apply", manifest, "--auto-approve")
        assert (applied.code, applied.out.count(f"\n{way_out}")) == (3, 2), applied.out


@pytest.mark.parametrize(("answer", "code"), [("no\n", 1), ("", 130)])
def test_a_report_is_written_when_a_person_refuses(manifest: Path, tmp_path: Path, answer: str, code: int) -> None:
    outcome = "refused" if answer else "interrupted"
    report = tmp_path / "report.json"
    with emulated() as api:
        assert api.invoke("apply", manifest, "--report", report, interactive=True, stdin=answer).code == code
        document = reported(report)
        assert (document["outcome"], document["summary"]["not_started"]) == (outcome, 2)


def test_a_report_is_written_when_a_guard_refuses(manifest: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    manifest.write_text("version: 1\nchannels: [{name: A, enabled: false, sync: {protect: true}}]\n", encoding="utf-8")
    with emulated({"name": "A"}) as api:
        assert api.invoke("apply", manifest, "--auto-approve", "--report", report).code == 5
        assert reported(report)["outcome"] == "refused"


def test_a_report_that_cannot_be_written_is_told(manifest: Path, tmp_path: Path) -> None:
    with emulated() as api:
        told = api.invoke("apply", manifest, "--auto-approve", "--report", tmp_path / "no" / "report.json")
        assert told.code == 1
        assert "can't write" in told.err


def test_a_second_apply_in_the_same_folder_is_told_who_runs(manifest: Path, tmp_path: Path) -> None:
    folder = tmp_path / ".webchat-sync"
    with emulated() as api:
        assert api.invoke("apply", manifest, "--auto-approve").code == 0
        with FileLock(folder / "lock"):
            refused = api.invoke("apply", manifest, "--auto-approve", "--lock-timeout", 0)
            assert refused.code == 7
            assert f"process {os.getpid()} on " in refused.err
            (folder / "lock.holder").unlink()
            assert "an unknown process" in api.invoke("apply", manifest, "--auto-approve", "--lock-timeout", 0).err
        assert api.invoke("apply", manifest, "--auto-approve").code == 0


def test_an_operation_that_takes_long_is_mentioned(manifest: Path) -> None:
    time, arrived, mentioned = FakeTime(), threading.Event(), threading.Event()

    async def sleep_once(seconds: float) -> None:
        if time.seconds:
            mentioned.set()
            await anyio.sleep_forever()
        await asyncio.to_thread(arrived.wait)
        await time.sleep(seconds)

    async def until_mentioned(_: float) -> None:
        arrived.set()
        await asyncio.to_thread(mentioned.wait)

    manifest.write_text("version: 1\nchannels: [{name: A}]\n", encoding="utf-8")
    with emulated(faults=Faults([Fault(effects.delay(10, sleep=until_mentioned), "POST")])) as api:
        applied = api.invoke("apply", manifest, "--auto-approve", sleep=sleep_once, clock=time.clock)
        assert applied.err.splitlines() == ['Still creating "A"… [10 s elapsed]', '"A": created']


@pytest.mark.parametrize("animated", [False, True])
def test_waiting_for_the_rate_limit_is_said(manifest: Path, animated: bool) -> None:
    time = FakeTime()

    async def sleep(seconds: float) -> None:
        if seconds == STILL:
            await anyio.sleep_forever()
        await time.sleep(seconds)

    used_up = {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}
    with emulated(faults=Faults([Fault(with_headers(used_up), "POST", nth=1)])) as api:
        options: dict[str, Any] = {"sleep": sleep, "clock": time.clock, "animated": animated}
        applied = api.invoke("apply", manifest, "--auto-approve", "--parallelism", "1", **options)
        assert applied.code == 0
        assert time.seconds >= 30
        assert animated or re.findall(r"Waiting for the rate limit until \d\d:\d\d:\d\d\.", applied.err)


def with_headers(headers: dict[str, str]) -> effects.Effect:
    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(name.encode(), value.encode()) for name, value in headers.items()]
            await send(message)

        await app(scope, receive, add)

    return act


@contextmanager
def held_apply(manifest: Path, report: Path) -> Iterator[tuple[Emulated, subprocess.Popen[str], threading.Event]]:
    """An apply in a process of its own whose first POST is held until the event is set."""
    arrived, released = threading.Event(), threading.Event()

    async def hold(_: float) -> None:
        arrived.set()
        await asyncio.to_thread(released.wait)

    with emulated(faults=Faults([Fault(effects.delay(1, sleep=hold), "POST", nth=1)])) as api:
        command = [sys.executable, "-m", "webchat_sync", "apply", str(manifest), "--auto-approve", "--parallelism=1"]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environ = {**os.environ, **api.environ, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen([*command, "--report", str(report)], env=environ, **pipes) as process:
            assert arrived.wait(20)
            try:
                yield api, process, released
            finally:
                released.set()


@pytest.mark.alike
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_is_in_flight_finish(manifest: Path, tmp_path: Path, ending: signal.Signals) -> None:
    report = tmp_path / "report.json"
    with held_apply(manifest, report) as (api, process, released):
        process.send_signal(ending)
        assert process.stderr is not None
        assert "no new calls are started" in process.stderr.readline()
        released.set()
        out, _ = process.communicate(timeout=100)
        assert process.returncode == 130
        assert "Apply was interrupted" in out
        document = reported(report)
        assert document["outcome"] == "interrupted"
        assert [operation["status"] for operation in document["operations"]] == ["done", "not_started"]
        assert [channel["name"] for channel in api.store.channels("acme")] == ["A"]


@pytest.mark.alike
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_anything_is_written_is_an_interruption(
    manifest: Path, tmp_path: Path, ending: signal.Signals
) -> None:
    report = tmp_path / "report.json"
    arrived, released = threading.Event(), threading.Event()

    async def hold(_: float) -> None:
        arrived.set()
        await asyncio.to_thread(released.wait)

    with emulated(faults=Faults([Fault(effects.delay(1, sleep=hold), "GET")])) as api:
        command = [
            sys.executable,
            "-m",
            "webchat_sync",
            "apply",
            str(manifest),
            "--auto-approve",
            "--report",
            str(report),
        ]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, env={**os.environ, **api.environ}, **pipes) as process:
            assert arrived.wait(20)
            process.send_signal(ending)
            _, err = process.communicate(timeout=100)
        released.set()
    assert (process.returncode, err.strip()) == (130, "Interrupted.")
    document = reported(report)
    assert (document["outcome"], document["operations"]) == ("interrupted", [])


def test_a_report_is_written_when_nothing_could_be_read(manifest: Path, tmp_path: Path) -> None:
    with emulated(faults=Faults([Fault(effects.status(401), "GET")])) as api:
        assert api.invoke("apply", manifest, "--auto-approve", "--report", tmp_path / "report.json").code == 6
    document = reported(tmp_path / "report.json")
    assert (document["outcome"], document["operations"]) == ("incomplete", [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_account_that_cannot_be_printed_changes_no_exit_code(manifest: Path) -> None:
    with emulated() as api, open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        command = [sys.executable, "-m", "webchat_sync", "apply", str(manifest), "--auto-approve", "--quiet"]
        done = subprocess.run(
            command, env={**os.environ, **api.environ}, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
        assert done.returncode == 0
        assert "Can't print the report: No space left on device." in done.stderr
        assert len(api.store.channels("acme")) == 2


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_stream_that_is_closed_is_no_terminal(closed: str) -> None:
    line = f'"{sys.executable}" -m webchat_sync --version {closed}'
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stdout + done.stderr) == (0, False)


def test_a_letter_that_the_terminal_lacks_is_shown_as_its_code(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text('version: 1\nchannels: [{name: "\\U0001F600"}]\n', encoding="utf-8")
    with emulated() as api:
        environ = {**os.environ, **api.environ, "PYTHONIOENCODING": "latin-1"}
        command = [sys.executable, "-m", "webchat_sync", "plan", str(tmp_path / "a.yaml")]
        done = subprocess.run(command, env=environ, capture_output=True, check=False)
    assert done.returncode == 0
    assert b'"\\U0001f600" will be created' in done.stdout


def test_a_second_signal_leaves_at_once_and_says_what_is_in_doubt(manifest: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with held_apply(manifest, report) as (_, process, _):
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=100)
        assert process.returncode == 130
        assert 'in doubt: "A"' in out
        assert [operation["status"] for operation in reported(report)["operations"]] == ["in_doubt", "not_started"]
