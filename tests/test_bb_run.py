"""The example for Bitbucket, run to its end by bb-run, a runner that others wrote, on this machine.

``WEBCHAT_SYNC_BB_RUN`` is the command that starts it; ``.ci/run`` fetches it where there is a Python that it supports.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from commands import Emulated, emulated
from fake_bitbucket import FakeBitbucket, fake_bitbucket
from programs import write_program
from repositories import commit, repository
from test_other_pipelines import ORGANIZATION, ROOT, programs_path

pytestmark = pytest.mark.slow

VARIABLE: Final = "WEBCHAT_SYNC_BB_RUN"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository made from the example."""
    if VARIABLE not in os.environ:
        pytest.skip(f"{VARIABLE} is not set; see CONTRIBUTING.md")
    shutil.copytree(ROOT / "bitbucket", tmp_path / "project")
    commit(repository(tmp_path / "project"), {})
    return tmp_path / "project"


def run(
    target: str, project: Path, api: Emulated, host: FakeBitbucket, *, number: int | None = None, path: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run that pipeline, for a pull request if it has a ``number``."""
    variables = {**api.environ, **host.environ(project, number=number)}
    command = [*shlex.split(os.environ[VARIABLE]), "--mode", "host", "--target", target]
    command += [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
    environ = {**os.environ, "PATH": path or programs_path(project)}
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, check=False)


def test_the_example_runs_to_its_end_under_bb_run(project: Path) -> None:
    with emulated() as api, fake_bitbucket() as host:
        planned = run("pull-requests.**", project, api, host, number=7)
        assert planned.returncode == 0, planned.stdout + planned.stderr
        (body,) = host.bodies
        assert "Plan: 1 to add, 0 to change, 0 to destroy." in body
        assert api.taken_calls() == ["GET"]

        # It starts the steps that wait for somebody, too.
        merged = run("branches.main", project, api, host)
        assert merged.returncode == 0, merged.stdout + merged.stderr
        assert "Apply complete! Channels: 1 added, 0 changed, 0 destroyed." in merged.stdout
        assert len(host.bodies) == 1

        assert run("custom.drift", project, api, host).returncode == 0
        (channel,) = api.store.channels(ORGANIZATION)
        api.store.update(ORGANIZATION, str(channel["id"]), {"welcomeMessage": "Bye"})
        drifted = run("custom.drift", project, api, host)
        assert drifted.returncode != 0
        assert "Bye" in drifted.stdout


def test_a_step_ends_where_its_installation_fails(project: Path) -> None:
    path = programs_path(project)
    write_program(project.parent / "programs" / "python", "exit 1")
    with emulated() as api, fake_bitbucket() as host:
        assert run("pull-requests.**", project, api, host, number=7, path=path).returncode != 0
        assert run("branches.main", project, api, host, path=path).returncode != 0
        assert (api.calls, host.bodies) == ([], [])
