"""A job is ended as runners do it: only the shell of the step gets the signal, and an apply must still account."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
import yaml

from action_runner import ROOT, Runner, action_step
from applying import KEY
from commands import Emulated, emulated, invoke
from fake_actions import FakeActions
from programs import PYTHON
from remembering import bare, remote_runner
from repositories import commit, git, repository
from test_gitlab_component import component, plain
from webchat_sync.cli.starter import pipelines
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.memory.place import REF, Remote

pytestmark = pytest.mark.slow

MANIFEST: Final = "version: 1\norganization: acme\nchannels: [{name: Support}, {name: Sales}]\n"
LIMIT: Final = 7.0
"""Seconds from the first signal until GitHub's runner kills what is left."""

ENDINGS: Final = [signal.SIGINT, signal.SIGTERM]


@dataclass
class Held:
    """An API of which one call arrives and is not answered until ``released``: the first POST, unless a test says."""

    api: Emulated
    arrived: threading.Event
    released: threading.Event


@pytest.fixture
def held(request: pytest.FixtureRequest) -> Iterator[Held]:
    method, number = getattr(request, "param", ("POST", 1))
    arrived, released = threading.Event(), threading.Event()

    async def hold(_: float) -> None:
        arrived.set()
        await asyncio.to_thread(released.wait)

    with emulated(faults=Faults([Fault(effects.delay(1, sleep=hold), method, nth=number)])) as api:
        yield Held(api, arrived, released)
        released.set()


@pytest.fixture
def runner(tmp_path: Path, held: Held) -> Iterator[Runner]:
    (tmp_path / "checkout" / "channels").mkdir(parents=True)
    (tmp_path / "checkout" / "channels" / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "temporary").mkdir()
    commit(repository(tmp_path / "checkout"), {})
    git(tmp_path / "checkout", "remote", "add", "origin", bare(tmp_path / "remote.git").as_uri())
    with FakeActions().served() as github:
        environ = {**held.api.environ, "MOSEND_API_KEY": KEY}
        yield Runner(tmp_path / "checkout", tmp_path / "temporary", github, environ, python=PYTHON)


def save_plan(runner: Runner, held: Held, name: str) -> None:
    plan = runner.workspace / name
    saved = invoke("plan", runner.workspace / "channels", "--out", plan, environ=held.api.environ, sleep=asyncio.sleep)
    assert saved.code == 0, saved.err


Started: TypeAlias = subprocess.Popen[str]


def of_the_action(runner: Runner, held: Held) -> Started:
    """The step of the Action that applies."""
    save_plan(runner, held, "../temporary/plan.json")
    contexts: dict[str, Any] = {
        "inputs": {"apply-arguments": "--parallelism=1", "api-key": KEY, "memory": "git"},
        "steps": {"plan": {"outputs": {"plan": str(runner.temporary / "plan.json")}}},
        "env": {},
    }
    return runner.started(action_step("Apply"), contexts, {})


def of_gitlab(job: Callable[[], Mapping[str, Any]], plan: str = "") -> Callable[[Runner, Held], Started]:
    """A job of GitLab, whose runner evaluates all lines in one shell and then exits with 0."""

    def start(runner: Runner, held: Held) -> Started:
        if plan:
            save_plan(runner, held, plan)
        script = shlex.quote("\n".join(["set -e", *job()["script"]]))
        return runner.started({"run": f"eval {script}\nexit 0"}, {}, {"GITHUB_ACTIONS": "", "GITLAB_CI": "true"})

    return start


def made() -> dict[str, Any]:
    """The pipeline for GitLab that `init` writes."""
    (file,) = pipelines("gitlab", folder="channels", branch="main", version="0.1.0")
    document: dict[str, Any] = yaml.safe_load(file.text)
    return document


def example() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "examples/gitlab/.gitlab-ci.yml").read_text(encoding="utf-8"))
    # As the rotation of a channel that is there already would hold another call, of the manifests as they are.
    (line,) = document["rotate"]["script"]
    document["rotate"]["script"] = [line.replace("--rotate Support --verify-secrets ", "")]
    return document


JOBS: Final = {
    "the action": of_the_action,
    "init for GitLab": of_gitlab(lambda: made()["webchat-sync-apply"], "plan.json"),
    "component": of_gitlab(lambda: component()["webchat-sync-apply"], "webchat-sync-plan.json"),
    "plain example": of_gitlab(lambda: plain()["apply"], "plan.json"),
    "rotation of the example": of_gitlab(lambda: example()["rotate"]),
}


@pytest.mark.alike
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("job", JOBS)
def test_a_signal_to_the_shell_alone_reaches_the_apply(
    job: str, ending: signal.Signals, runner: Runner, held: Held
) -> None:
    with JOBS[job](runner, held) as shell:
        assert held.arrived.wait(20)
        shell.send_signal(ending)
        threading.Timer(LIMIT, held.released.set).start()
        heard = until(shell, "no new calls are started")
        held.released.set()
        rest, _ = shell.communicate(timeout=100)
    assert shell.returncode == 130, heard + rest
    assert "Apply was interrupted" in rest


@pytest.mark.alike
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_in_flight_is_not_waited_for_until_the_job_is_killed(
    ending: signal.Signals, runner: Runner, held: Held
) -> None:
    with of_the_action(runner, held) as shell:
        assert held.arrived.wait(20)
        shell.send_signal(ending)
        printed, _ = shell.communicate(timeout=LIMIT)
    assert 'in doubt: "Support"' in printed
    assert shell.returncode == 130
    outputs = dict(line.split("=", 1) for line in runner.file("output").splitlines())
    assert outputs["exit-code"] == "130"
    report = json.loads(Path(outputs["report"]).read_text(encoding="utf-8"))
    assert report["outcome"] == "interrupted"
    assert [operation["status"] for operation in report["operations"]] == ["in_doubt", "not_started"]
    assert not [*runner.temporary.rglob("*.html")], "there is no time for a page"
    refs = git(runner.workspace.parent / "remote.git", "for-each-ref", "--format=%(refname)").split()
    assert refs == ["refs/webchat-sync/memory"], "the lock is free, and the create in doubt is remembered"


@pytest.mark.alike
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_job_that_waits_for_the_lock_of_another_is_ended_in_time(
    ending: signal.Signals, runner: Runner, held: Held
) -> None:
    remote = Remote(str(runner.workspace.parent / "remote.git"), REF)
    with remote_runner("one", remote, lease=600.0, organizations=("acme",)) as other:
        other.lock.acquire(0)
        with of_the_action(runner, held) as shell:
            until(shell, "Waiting for another run to release the lock: https://ci.example.com/one on machine of one")
            shell.send_signal(ending)
            printed, _ = shell.communicate(timeout=LIMIT)
        assert (shell.returncode, printed.strip()) == (130, "Interrupted.")
        assert other.lock.renew()
    assert not held.arrived.is_set()


@pytest.mark.parametrize("held", [("GET", 3)], indirect=True)
def test_the_verification_is_not_waited_for_either(runner: Runner, held: Held) -> None:
    with of_the_action(runner, held) as shell:
        assert held.arrived.wait(20)
        shell.send_signal(signal.SIGTERM)
        printed, _ = shell.communicate(timeout=LIMIT)
    outputs = dict(line.split("=", 1) for line in runner.file("output").splitlines())
    report = json.loads(Path(outputs["report"]).read_text(encoding="utf-8"))
    assert (shell.returncode, report["outcome"]) == (130, "interrupted"), printed
    assert [operation["status"] for operation in report["operations"]] == ["done", "done"]


@pytest.mark.parametrize(("program", "code"), [("true", 0), ("exit 5", 5), ("kill -9 $$", 137)])
def test_without_a_signal_a_program_ends_with_its_own_code(program: str, code: int, runner: Runner) -> None:
    script = (
        '. "$GITHUB_ACTION_PATH/scripts/action/steps.sh"\n'
        f"heeding_signals sh -c {shlex.quote(program)} || code=$?\n"
        'exit "${code:-0}"'
    )
    assert runner.shell({"run": script}, {}, {})[0] == code


def until(shell: Started, wanted: str) -> str:
    """What the shell prints up to a line that says ``wanted``."""
    assert shell.stdout is not None
    heard = ""
    for line in shell.stdout:
        heard += line
        if wanted in line:
            return heard
    raise AssertionError(heard)
