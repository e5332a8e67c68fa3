"""Every step of our own workflows, done as it stands there, with what the lock installs and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml

from action_runner import ROOT, Ended, Runner, filled
from fake_actions import FakeActions
from locked_environment import locked_environment
from webchat_sync import __version__

pytestmark = pytest.mark.slow

WORKFLOWS: Final = ROOT / ".github" / "workflows"

NOT_DONE: Final = {
    r"\.ci/run$": "installs packages from an index, and is what runs this test",
    r"pipx run nox .*--session": "installs packages from an index",
    r"pipx run pip-audit ": "asks an index about holes",
    r"docker build ": "fetches an image",
    r'test "\$\(docker image inspect ': "asks about an image, which cannot be built without fetching another",
}
"""Steps that need the network, by how their script begins, and why."""

STUBS: Final = {
    # `docker run … --volume HOST:/work:ro webchat-sync ARGUMENTS`, as its ENTRYPOINT and WORKDIR have it.
    "docker": '#!/bin/sh\nset -eu\ntest "$1 $2 $3 $5" = "run --rm --volume webchat-sync"\ncd "${4%%:*}"\nshift 5\n'
    'exec webchat-sync "$@"\n',
    "gh": '#!/bin/sh\nset -eu\ntest "$1 $2 $3 $4 $7" = "release create $GITHUB_REF_NAME --verify-tag --notes-file"\n'
    'test -n "$GH_TOKEN"\ncat "$8"\n',
}


class Step(NamedTuple):
    """A step of a job, the values of its matrix, and what it is called in a test's name."""

    where: str
    step: Mapping[str, Any]
    matrix: Mapping[str, str]


def steps() -> Iterator[Step]:
    for file in sorted(WORKFLOWS.glob("*.yml")):
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, job in workflow["jobs"].items():
            axes: dict[str, list[str]] = job.get("strategy", {}).get("matrix", {})
            for values in product(*axes.values()):
                matrix = dict(zip(axes, values, strict=True))
                for number, step in enumerate(job["steps"]):
                    yield Step("-".join([file.stem, name, *values, str(number)]), step, matrix)


STEPS: Final = list(steps())
RUN: Final = [step for step in STEPS if "run" in step.step]
OURS: Final = [step for step in STEPS if step.step.get("uses") == "./"]


def reason_left_out(step: Step) -> str | None:
    """Why the script of the step is not run here; None if it is."""
    script = step.step["run"]
    return next((reason for beginning, reason in NOT_DONE.items() if re.match(beginning, script)), None)


def skipped_if_left_out(step: Step) -> Any:
    """The step as a case, which is skipped before a runner is set up for it."""
    reason = reason_left_out(step)
    return pytest.param(step, id=step.where, marks=[pytest.mark.skip(reason=reason)] if reason else [])


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return locked_environment(tmp_path_factory.mktemp("locked") / "venv")


@pytest.fixture
def runner(tmp_path: Path, python: Path) -> Iterator[Runner]:
    checkout, temporary = tmp_path / "checkout", tmp_path / "temporary"
    left_out = shutil.ignore_patterns(".*cache*", ".venv", ".git", ".webchat-sync", "site", "node_modules")
    shutil.copytree(ROOT, checkout, ignore=left_out)
    (temporary / "bin").mkdir(parents=True)
    for name, script in STUBS.items():
        (temporary / "bin" / name).write_text(script, encoding="utf-8")
        (temporary / "bin" / name).chmod(0o755)
    (temporary / "bin" / "python").symlink_to(python)
    with FakeActions().served() as github:
        environ = {"GITHUB_REF_NAME": f"v{__version__}"}
        yield Runner(checkout, temporary, github, environ, python=f'exec "{python}" "$@"')


@pytest.mark.alike
@pytest.mark.parametrize("step", [skipped_if_left_out(step) for step in RUN])
def test_a_step_of_our_workflows_passes(step: Step, runner: Runner) -> None:
    script = step.step["run"]
    if "dist/*" in script:
        (runner.workspace / "dist").mkdir()
    contexts = {"matrix": step.matrix, "github": {"token": runner.github.token}}
    code, printed = runner.shell(step.step, contexts, {})
    assert code == 0, printed
    if "CHANGELOG.md" in script:
        assert re.search(r"^- ", printed, re.MULTILINE), "the notes of the release are empty"


@pytest.mark.alike
@pytest.mark.parametrize("step", OURS, ids=lambda step: step.where)
def test_a_use_of_the_action_in_our_workflows_passes(step: Step, runner: Runner) -> None:
    contexts = {"matrix": step.matrix}
    given = {name.replace("-", "_"): filled(str(value), contexts) for name, value in step.step["with"].items()}
    ended: Ended = runner.run(**given)
    assert ended.code == 0, ended.log


def test_steps_were_found_and_most_are_done() -> None:
    done = [step for step in RUN if reason_left_out(step) is None]
    assert len(done) >= 4
    assert OURS


def test_the_environment_has_nothing_but_the_lock(python: Path) -> None:
    done = subprocess.run([str(python), "-I", "-c", "import pytest"], capture_output=True, check=False)
    assert b"No module named 'pytest'" in done.stderr
