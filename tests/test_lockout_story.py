"""A sink fails and the runner goes: nobody is locked out, whatever is applied next; over HTTP, in fresh folders."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from applying import NOW
from chaos_stage import lose_client
from commands import Emulated, Finished, emulated
from fake_time import at_once
from rotating import signs
from sizes import examples
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.model import Secret

pytestmark = pytest.mark.slow

PATH = {"PATH": os.environ["PATH"]}


def ticking() -> Callable[[], datetime]:
    """A clock that goes on with each look at it, as a server's does between two calls, and has more than seconds."""
    seconds = itertools.count()
    return lambda: NOW + timedelta(seconds=next(seconds), milliseconds=437)


class Runners:
    """Machines that are thrown away; the vault of the site stays, and takes a secret while it is ``open``."""

    def __init__(self, api: Emulated, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api, self.folder, self.monkeypatch, self.number = api, folder, monkeypatch, 0
        self.vault, self.gate = folder / "vault", folder / "open"
        self.fresh()

    def fresh(self) -> None:
        """Another machine, which remembers nothing."""
        self.number += 1
        place = self.folder / f"runner-{self.number}"
        place.mkdir(parents=True)
        self.monkeypatch.chdir(place)
        script = f"test -e {self.gate} && cat > {self.vault}"
        Path("all.yaml").write_text(
            "version: 1\norganization: acme\nchannels:\n  - name: Support\n    identityRequired: true\n"
            f"    sync: {{identitySecret: {{deliver: [{{command: [sh, -c, {script!r}]}}]}}}}\n",
            encoding="utf-8",
        )

    def run(self, command: str, *arguments: str) -> Finished:
        more = ["--auto-approve"] if command == "apply" else []
        return self.api.invoke(command, "all.yaml", *more, *arguments, environ=PATH, sleep=at_once)

    @property
    def channel(self) -> dict[str, Any]:
        (channel,) = self.api.store.channels("acme")
        return dict(channel)

    @property
    def site_signs(self) -> bool:
        secret = self.vault.read_text(encoding="utf-8").strip() if self.vault.exists() else ""
        return signs(self.api.store, str(self.channel["id"]), Secret(secret or "none"))


def test_a_secret_that_went_with_its_runner_is_not_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with emulated(now=ticking()) as api:
        runners = Runners(api, tmp_path, monkeypatch)
        failed = runners.run("apply")
        assert failed.code == 3
        assert 'apply --rotate "Support"' in failed.out
        assert "Run it again" not in failed.out
        assert runners.channel["identityRequired"] is not True
        runners.fresh()
        runners.gate.touch()
        planned = runners.run("plan")
        assert (planned.code, 'DANGER: "Support"' in planned.out) == (5, True)
        refused = runners.run("apply")
        assert (refused.code, '--rotate "Support"' in refused.err) == (5, True)
        assert runners.channel["identityRequired"] is not True
        assert runners.run("apply", "--rotate", "Support").code == 0
        assert (runners.channel["identityRequired"], runners.site_signs) == (True, True)
        assert runners.channel["enabled"] is True
        runners.fresh()
        assert runners.run("plan", "--detailed-exitcode").code == 0
        drift = runners.run("drift", "--detailed-exitcode")
        assert (drift.code, "the ledger has no record of its delivery" in " ".join(drift.out.split())) == (0, True)


def test_somebody_can_vouch_for_a_secret_made_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with emulated({"name": "Support", "id": "c-1"}) as api:
        api.store.rotate_identity_secret("acme", "c-1")
        runners = Runners(api, tmp_path, monkeypatch)
        assert runners.run("apply").code == 5
        assert runners.run("plan", "--adopt-secret", "Support", "--out", "plan.json").code == 0
        assert api.invoke("apply", "plan.json", "--auto-approve", environ=PATH).code == 0
        assert runners.channel["identityRequired"] is True
        assert "adopted as delivered" in api.invoke("secret", "status").out
        assert runners.run("drift", "--detailed-exitcode").out.startswith("No drift.")


@pytest.mark.alike
@pytest.mark.parametrize("remembers", [False, True])
def test_a_half_made_channel_is_switched_on_however_often_its_secret_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembers: bool
) -> None:
    with emulated(now=ticking()) as api:
        runners = Runners(api, tmp_path, monkeypatch)
        assert runners.run("apply").code == 3
        for _ in range(2):
            if not remembers:
                runners.fresh()
            assert runners.run("apply", "--rotate", "Support").code == 3
        runners.gate.touch()
        if not remembers:
            runners.fresh()
        planned = runners.run("plan", "--rotate", "Support")
        assert "its creation was interrupted before it was switched on" in " ".join(planned.out.split())
        assert runners.run("apply", "--rotate", "Support").code == 0
        assert (runners.channel["enabled"], runners.site_signs) == (True, True)
        assert runners.run("plan", "--detailed-exitcode").code == 0


class Killed:
    """An apply in a process of its own that is killed by its first call of a kind."""

    def __init__(self, method: str, path: str = "*", *, after_commit: bool = False) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.fault = Fault(lose_client(self._kill, after_commit=after_commit), method, path, nth=1)

    def _kill(self) -> None:
        assert self.process is not None
        self.process.kill()

    def run(self, api: Emulated) -> None:
        command = [sys.executable, "-m", "webchat_sync", "apply", "all.yaml", "--auto-approve"]
        environ = {**os.environ, **api.environ}
        with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            self.process = process
            assert process.wait(60) == -signal.SIGKILL


@pytest.mark.parametrize(
    "killed",
    [
        Killed("POST", "*/identity-secret"),
        Killed("POST", "*/identity-secret", after_commit=True),
        Killed("PATCH"),
    ],
    ids=["before the secret", "after the secret", "before the PATCH"],
)
def test_a_half_made_channel_of_a_run_that_was_killed_is_switched_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: Killed
) -> None:
    with emulated(now=ticking(), faults=Faults([killed.fault])) as api:
        runners = Runners(api, tmp_path, monkeypatch)
        runners.gate.touch()
        killed.run(api)
        assert runners.channel["enabled"] is False
        assert runners.run("apply").code == 0
        assert (runners.channel["enabled"], runners.site_signs) == (True, True)
        assert runners.run("plan", "--detailed-exitcode").code == 0


def test_a_half_made_channel_is_remembered_by_the_run_that_could_not_finish_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = Killed("POST", "*/identity-secret")
    with emulated(now=ticking(), faults=Faults([killed.fault, Fault(effects.status(422), "PATCH", nth=1)])) as api:
        runners = Runners(api, tmp_path, monkeypatch)
        runners.gate.touch()
        killed.run(api)
        assert runners.run("apply").code == 3
        # Now the times in the list no longer show it.
        api.store.update("acme", str(runners.channel["id"]), {"color": "#123456"})
        assert runners.run("apply").code == 0
        assert (runners.channel["enabled"], runners.site_signs) == (True, True)


@pytest.mark.parametrize("kept", [{"identityRequired": True}, {"theme": "dark"}])
def test_a_channel_that_somebody_switched_off_stays_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: dict[str, Any]
) -> None:
    """What only a PATCH can have brought tells that the channel was whole once."""
    with emulated({"name": "Support", "id": "c-1", "enabled": False, **kept}, now=ticking()) as api:
        api.store.rotate_identity_secret("acme", "c-1")
        runners = Runners(api, tmp_path, monkeypatch)
        runners.gate.touch()
        file = Path("all.yaml")
        file.write_text(file.read_text(encoding="utf-8") + "    theme: dark\n", encoding="utf-8")
        assert runners.run("apply", "--rotate", "Support").code == 0
        assert runners.channel["enabled"] is False


STEPS = st.sampled_from(["fresh", "open", "close", "apply", "rotate", "twice"])


@settings(
    max_examples=examples(12, thorough=100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(STEPS, min_size=2, max_size=7))
def test_no_sequence_of_applies_requires_a_secret_that_the_site_lacks(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch, emulated(now=ticking()) as api:
        runners = Runners(api, tmp_path_factory.mktemp("story"), monkeypatch)
        for step in steps:
            before = bool(api.store.channels("acme")) and runners.channel["identityRequired"] is True
            if step == "fresh":
                runners.fresh()
            elif step in {"open", "close"}:
                runners.gate.touch() if step == "open" else runners.gate.unlink(missing_ok=True)
            else:
                applied = runners.run("apply", *(["--rotate", "Support"] if step == "rotate" else []))
                assert applied.code != 0 or runners.channel["enabled"] is True
            if api.store.channels("acme") and runners.channel["identityRequired"] is True and not before:
                assert runners.site_signs
