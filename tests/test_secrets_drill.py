"""A small part of the drill, and kills of a real process in the middle of a delivery."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from canary import PROGRAM
from commands import Emulated, emulated
from rotating import signs
from secrets_drill import Figures, Stage, open_stage, play
from sizes import examples
from webchat_sync.files import UNFINISHED
from webchat_sync.model import Secret

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage() as stage:
        yield stage


def test_no_secret_is_lost_or_leaked(stage: Stage) -> None:
    """From a seed on that soon notices a missing intent, and a missing wait for a call that was committed late."""
    figures = Figures()
    for seed in range(41, 41 + examples(80, thorough=1000)):
        figures.add(play(stage, seed))
    assert (figures.losses, figures.leaks) == ([], [])
    # It was a drill indeed.
    assert figures.counts["kills"] >= 10
    assert figures.faults.total() >= 80


KILLED_BEFORE_A_RENAME = """
import os, sys
def kill(event, arguments):
    if event == "os.rename" and sys.argv[1] in os.fspath(arguments[1]):
        os.kill(os.getpid(), 9)
sys.addaudithook(kill)
from webchat_sync.cli import run
from webchat_sync.cli.runtime import Runtime
run(["apply", "all.yaml", "--auto-approve"], Runtime.real())
"""
"""An apply that dies when the new contents of a file are on the disk and the file is not replaced yet."""


@pytest.mark.alike
@pytest.mark.parametrize(
    ("target", "folder"),
    [
        ("support.secret", "sinks"),
        (".env", "sinks"),
        ("ledger.json", ".webchat-sync"),
        ("recovery", ".webchat-sync/recovery"),
    ],
)
def test_what_a_killed_apply_left_half_written_is_gone_after_the_next(tmp_path: Path, target: str, folder: str) -> None:
    manifest = "version: 1\norganization: acme\nchannels:\n  - name: Support\n    sync:\n      identitySecret:\n"
    sinks = "[{file: sinks/support.secret}, {dotenv: sinks/.env, key: KEY}]"
    (tmp_path / "all.yaml").write_text(f"{manifest}        deliver: {sinks}\n", encoding="utf-8")
    (tmp_path / "sinks").mkdir()
    (tmp_path / "sinks" / ".env").write_text("OTHER=1\n", encoding="utf-8")
    with emulated({"name": "Support", "id": "c-1"}) as api:
        victim = [sys.executable, "-c", KILLED_BEFORE_A_RENAME, target]
        done = subprocess.run(victim, cwd=tmp_path, env={**os.environ, **api.environ}, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL
        (left,) = tmp_path.rglob(f"*{UNFINISHED}")
        assert (left.parent, left.stat().st_mode & 0o777) == (tmp_path / folder, 0o600)
        assert apply(api, tmp_path) == 0
        assert list(tmp_path.rglob(f"*{UNFINISHED}")) == []
        secret = (tmp_path / "sinks" / "support.secret").read_text(encoding="utf-8").strip()
        assert signs(api.store, "c-1", Secret(secret))
    assert (tmp_path / "sinks" / ".env").read_text(encoding="utf-8").startswith("OTHER=1\nKEY=")


def apply(api: Emulated, folder: Path) -> int:
    command = [sys.executable, str(PROGRAM), "apply all.yaml --auto-approve"]
    environ = {**os.environ, **api.environ, "CANARY": "hasty"}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False).returncode


@pytest.mark.alike
@pytest.mark.parametrize("script", ["kill -9 $PPID; sleep 1", "cat > taken; kill -9 $PPID; sleep 1"])
def test_an_apply_that_is_killed_while_a_sink_runs_is_made_good_by_the_next(tmp_path: Path, script: str) -> None:
    manifest = "version: 1\norganization: acme\nchannels:\n  - name: Support\n    sync:\n      identitySecret:\n"
    sinks = "[{file: support.secret}, {command: [sh, -c, %r]}]"
    (tmp_path / "all.yaml").write_text(f"{manifest}        deliver: {sinks % script}\n", encoding="utf-8")
    with emulated({"name": "Support", "id": "c-1"}) as api:
        assert apply(api, tmp_path) == -signal.SIGKILL
        (tmp_path / "all.yaml").write_text(f"{manifest}        deliver: {sinks % 'cat > taken'}\n", encoding="utf-8")
        assert apply(api, tmp_path) == 0
        assert signs(api.store, "c-1", Secret((tmp_path / "support.secret").read_text(encoding="utf-8").strip()))
        assert signs(api.store, "c-1", Secret((tmp_path / "taken").read_text(encoding="utf-8")))
    assert list((tmp_path / ".webchat-sync" / "recovery").iterdir()) == []
