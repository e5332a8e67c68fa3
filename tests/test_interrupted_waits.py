"""Ctrl-C ends every wait of every command with 130. Nothing that waits is sent again; what is in flight finishes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
import pytest

from commands import Emulated, Finished, emulated
from fake_time import FakeTime
from test_list_lag import lists
from webchat_sync.cli.approval import approved
from webchat_sync.cli.progress import STILL
from webchat_sync.cli.runtime import wait_for
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.emulator.effects import Effect

SUPPORT: Final = {"id": "c-1", "name": "Support", "token": "tok", "theme": "light"}

MANIFEST: Final = "version: 1\norganization: acme\nchannels: [{{name: Support, {}}}]\n"
SECRET: Final = "sync: {identitySecret: {deliver: [{file: support.secret}]}}"
SLOW_SINK: Final = "sync: {identitySecret: {deliver: [{command: ['false'], probe: ['true']}]}}"


@dataclass
class Interrupted:
    """Waits during a command; the first one gets a Ctrl-C. It wakes early if nothing else ends it."""

    waits: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        if seconds == STILL:  # the interval of the progress
            await anyio.sleep_forever()
        self.waits.append(seconds)
        if len(self.waits) == 1:
            signal.raise_signal(signal.SIGINT)
            await anyio.sleep(0.1)

    def clock(self) -> float:
        return sum(self.waits)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def world(time: Interrupted | FakeTime) -> dict[str, Any]:
    return {"sleep": time.sleep, "clock": time.clock, "interactive": True, "environ": {"PATH": os.environ["PATH"]}}


def interrupted(api: Emulated, arguments: str, more: str = "theme: dark") -> tuple[Finished, list[float]]:
    Path("channels.yaml").write_text(MANIFEST.format(more), encoding="utf-8")
    time = Interrupted()
    done = api.invoke(*arguments.split(), **world(time))
    assert time.waits, done.out + done.err
    return done, time.waits


def fault(effect: Effect, method: str, path: str = "*", nth: int = 1) -> Callable[[], Faults]:
    return lambda: Faults([Fault(effect, method, path, nth)])


LATER: Final = effects.status(429, retry_after=30)
UNAVAILABLE: Final = effects.status(503)
LOST: Final = effects.status(504, after_commit=True)


@pytest.mark.parametrize("effect", [LATER, UNAVAILABLE], ids=["Retry-After", "backoff"])
@pytest.mark.parametrize(
    "command",
    [
        "plan channels.yaml",
        "drift channels.yaml",
        "apply channels.yaml --auto-approve",
        "adopt channels.yaml",
        "import --org acme --out imported.yaml",
        "snapshot channels.yaml --out live.json",
        "secret rotate Support --org acme --to support.secret",
    ],
)
def test_a_wait_before_anything_is_written(command: str, effect: Effect) -> None:
    with emulated(SUPPORT, faults=fault(effect, "GET")()) as api:
        done, waits = interrupted(api, command)
        assert (done.code, done.err.splitlines()[-1], len(waits)) == (130, "Interrupted.", 1)
        assert [call.method for call in api.calls] == ["GET"]


WAITS: Final = {
    "Retry-After of a write": (fault(LATER, "PATCH"), "theme: dark", ["failed"]),
    "backoff of a write": (fault(UNAVAILABLE, "PATCH"), "theme: dark", ["in_doubt"]),
    "look for a create in doubt": (fault(LOST, "POST"), "sync: {renamedFrom: Sales}", ["done"]),
    "settling after a rotation in doubt": (fault(LOST, "POST", "*/identity-secret"), SECRET, ["in_doubt"]),
    "another attempt to deliver": (lambda: Faults([]), SLOW_SINK, ["failed"]),
    "another attempt to verify a secret": (fault(UNAVAILABLE, "POST", "*/sessions"), SECRET, ["done"]),
    "a list that is out of date": (lambda: lists(2, 9, SUPPORT), "theme: dark", ["done"]),
    "Retry-After of the verification": (fault(LATER, "GET", nth=2), "theme: dark", ["done"]),
}


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_of_an_apply(wait: str) -> None:
    faults, declared, statuses = WAITS[wait]
    channels = [] if "create" in wait else [SUPPORT]
    with emulated(*channels, faults=faults()) as api:
        options = "--verify-secrets --report report.json"
        done, _ = interrupted(api, f"apply channels.yaml --auto-approve {options}", declared)
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert (done.code, report["outcome"]) == (130, "interrupted")
    assert [operation["status"] for operation in report["operations"]] == statuses
    assert "Apply was interrupted." in done.out


@pytest.mark.parametrize("wait", ["a list that is out of date", "Retry-After of the verification"])
def test_a_wait_of_the_verification_ends_at_once(wait: str) -> None:
    faults, declared, _ = WAITS[wait]
    with emulated(SUPPORT, faults=faults()) as api:
        _, waits = interrupted(api, "apply channels.yaml --auto-approve", declared)
        assert len(waits) == 1
        assert [call.method for call in api.calls] == ["GET", "PATCH", "GET"]


def test_no_secret_is_created_after_a_wait_for_an_earlier_one() -> None:
    with emulated(SUPPORT, faults=fault(LOST, "POST", "*/identity-secret")()) as api:
        command = "apply channels.yaml --auto-approve --report report.json"
        for status, reason in (
            ("in_doubt", "A secret may have been created that nobody has"),
            ("failed", "not sent, because the run was interrupted"),
        ):
            done, waits = interrupted(api, command, SECRET)
            (operation,) = json.loads(Path("report.json").read_text(encoding="utf-8"))["operations"]
            assert (done.code, operation["status"], len(waits)) == (130, status, 1)
            assert reason in done.out
        assert sum(call.path.endswith("/identity-secret") for call in api.calls) == 1
        done = api.invoke(*command.split(), **world(FakeTime()))
        assert done.code == 0, done.err
        assert Path("support.secret").read_text(encoding="utf-8").strip() == api.store.identity_secret("c-1")


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("command", ["rotate Support --to support.secret", "revoke Support --auto-approve"])
def test_a_call_for_a_secret_that_a_person_asked_for_is_waited_for(command: str, times: int) -> None:
    """Abandoned at once, it would leave a secret that nobody has, and say nothing of it."""
    arrived, released = threading.Event(), threading.Event()

    async def hold(_: float) -> None:
        arrived.set()
        await asyncio.to_thread(released.wait)

    held = Fault(effects.delay(1, sleep=hold), "*", "*/identity-secret")
    with emulated(SUPPORT, faults=Faults([held])) as api:
        api.store.rotate_identity_secret("acme", "c-1")
        words = [sys.executable, "-m", "webchat_sync", "secret", *command.split(), "--org", "acme"]
        environ = {**os.environ, **api.environ, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(words, env=environ, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert arrived.wait(20)
                assert process.stderr is not None
                process.send_signal(signal.SIGINT)
                assert "no new calls are started" in process.stderr.readline()
                if times == 2:
                    process.send_signal(signal.SIGINT)
                    assert process.wait(20) == 130
            finally:
                released.set()
            said = process.communicate(timeout=100)[1]
        if times == 2:
            assert "Error: interrupted during the call\n  The secret may have been re" in said
            return
        assert process.returncode == 0, said
        kept = Path("support.secret").read_text(encoding="utf-8").strip() if "rotate" in command else None
        assert api.store.identity_secret("c-1") == kept


def test_a_rotation_in_doubt_that_a_person_asked_for_is_not_repeated_after_an_interrupt() -> None:
    with emulated(SUPPORT, faults=fault(LOST, "POST", "*/identity-secret")()) as api:
        done, waits = interrupted(api, "secret rotate Support --org acme --to support.secret")
        assert (done.code, len(waits), "replaced by one that nobody has" in done.err) == (130, 1, True), done.err
        assert sum(call.path.endswith("/identity-secret") for call in api.calls) == 1


def test_a_wait_of_a_delivery() -> None:
    with emulated(SUPPORT) as api:
        Path("channels.yaml").write_text(MANIFEST.format(SLOW_SINK), encoding="utf-8")
        failed = api.invoke("apply", "channels.yaml", "--auto-approve", **world(FakeTime()))
        assert failed.code == 3, failed.err
        done, waits = interrupted(api, "secret deliver Support")
        assert (done.code, done.err.splitlines()[-1], len(waits)) == (130, "Interrupted.", 1)


def test_the_question_for_approval() -> None:
    terminal, side = os.openpty()
    Path("channels.yaml").write_text(MANIFEST.format("theme: dark"), encoding="utf-8")
    with emulated(SUPPORT) as api:
        command = [sys.executable, "-m", "webchat_sync", "apply", "channels.yaml"]
        environ = {**os.environ, **api.environ, "TERM": "dumb"}
        with subprocess.Popen(command, env=environ, stdin=side, stdout=side, stderr=side) as process:
            os.close(side)
            said = b""
            while b"Enter a value" not in said:
                said += os.read(terminal, 4096)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
        assert {call.method for call in api.calls} == {"GET"}
    os.close(terminal)


def test_an_interrupt_just_before_the_question_for_approval_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(writing)

    async def ask() -> None:
        signal.raise_signal(signal.SIGINT)
        approved("Do you want to go on?", refused="Nothing was changed.")

    with os.fdopen(reading) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(ask())


def test_a_signal_after_the_last_step_is_an_interrupt_and_not_a_bug() -> None:
    """asyncio then stops its loop before the tasks that are left have ended, and fails with a RuntimeError."""
    left: list[asyncio.Task[None]] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    async def make() -> None:
        loop = asyncio.get_running_loop()
        left.append(loop.create_task(asyncio.sleep(60)))
        loop.call_soon(interrupt)

    with pytest.raises(KeyboardInterrupt):
        wait_for(make)
    assert len(left) == 1
