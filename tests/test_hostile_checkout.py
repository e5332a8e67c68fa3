"""Every step that runs beside the files of a pull request, beside hostile ones: nothing of theirs is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from action_runner import ROOT, Runner
from applying import KEY
from commands import Emulated, emulated
from example_pipeline import example_pipeline
from fake_actions import FORK, FakeActions
from fake_github import READ_TOKEN
from hostile_checkout import HostileCheckout, make_hostile
from programs import PYTHON, path_with, write_program
from repositories import git
from test_gitlab_component import component, plain
from variations import thinned
from webchat_sync.cli.starter import Host, pipelines
from webchat_sync.errors import InputError
from webchat_sync.git import find_repository

pytestmark = pytest.mark.slow

MANIFEST: Final = "version: 1\norganization: acme\nchannels: [{name: Support}]\n"
ISOLATED: Final = {"PYTHONPATH": ".", "PYTHONHOME": ""}
"""Variables that a workflow may have for its own tests."""


@pytest.fixture
def api() -> Iterator[Emulated]:
    with emulated() as api:
        yield api


@pytest.fixture
def checkout(tmp_path: Path) -> HostileCheckout:
    channels = tmp_path / "repository" / "channels"
    channels.mkdir(parents=True)
    (channels / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
    return make_hostile(channels.parent, tmp_path / "marks")


@pytest.fixture
def runner(tmp_path: Path, checkout: HostileCheckout) -> Iterator[Runner]:
    (tmp_path / "temporary").mkdir()
    with FakeActions().served() as github:
        environ = {"PYTHONPATH": ".", "PIP_NO_INDEX": "1"}
        yield Runner(checkout.root, tmp_path / "temporary", github, environ, python=PYTHON)


def test_the_tree_is_hostile_to_a_python_that_is_not_isolated(checkout: HostileCheckout) -> None:
    subprocess.run([sys.executable, "-m", "venv", "x"], cwd=checkout.root, check=False)
    assert checkout.ran()
    subprocess.run(["git", "status"], cwd=checkout.root / "channels", check=False)  # noqa: S607
    assert "from-git-settings" in checkout.ran()


def test_the_action_installs_with_nothing_of_the_checkout(
    runner: Runner, checkout: HostileCheckout, tmp_path: Path
) -> None:
    # A copy of pip takes seconds, so the environment uses the one that's there.
    python = write_program(tmp_path / "python", 'set -- "$@" --without-pip --system-site-packages\n' + PYTHON)
    assert runner.install(python) != 0, "there's no index"
    assert (runner.temporary / "webchat-sync" / "venv" / "bin" / "python").exists()
    assert checkout.ran() == []


@pytest.mark.installs
def test_what_the_action_installed_runs_with_nothing_of_the_checkout(runner: Runner, checkout: HostileCheckout) -> None:
    runner.environ = {"PYTHONPATH": "."}
    assert runner.install() == 0
    program = runner.temporary / "webchat-sync" / "bin" / "webchat-sync"
    command = [str(program), "validate", "channels/"]
    assert subprocess.run(command, cwd=checkout.root, env={**os.environ, **ISOLATED}, check=False).returncode == 0
    assert checkout.ran() == []


def test_no_step_of_a_plan_runs_what_is_in_the_checkout(
    runner: Runner, checkout: HostileCheckout, api: Emulated
) -> None:
    inputs = {"paths": "channels/", "api_key": KEY, "memory": "file", "comment": "false"}
    ended = runner.step({"MOSEND_BASE_URL": api.url}, command="plan", **inputs)
    assert (ended.code, ended.outputs["add"]) == (0, "1"), ended.log
    assert checkout.ran() == []


@pytest.mark.variation
def test_no_step_of_the_examples_for_github_runs_what_is_in_the_checkout(tmp_path: Path) -> None:
    with example_pipeline(tmp_path) as story:
        checkout = make_hostile(story.runner.workspace, tmp_path / "marks", bare=False)
        story.runner.environ = {**story.runner.environ, "PYTHONPATH": "."}
        story.runner.python = PYTHON
        codes = {
            "plan": story.plan(100, "a1").code,
            "apply": story.apply("push", "b1", "a1").code,
            "by hand": story.apply("workflow_dispatch", "b2").code,
            "drift": story.scheduled("drift").code,
            "rotate": story.scheduled("rotate").code,
            "listing": story.scheduled("listing").code,
        }
        started = story.runner.github.start(200, "f1", head_repository=FORK)
        pull = {"pull_request": {"number": 8, "head": {"repo": FORK}}, "repository": {"default_branch": "main"}}
        fork = story.job(
            "plan.yml", "fork", started, secrets={}, event_name="pull_request", event=pull, token=READ_TOKEN
        )
    assert checkout.ran() == []
    assert {**codes, "fork": fork.code} == dict.fromkeys([*codes, "fork"], 0), fork.log


def gitlab_jobs() -> dict[str, dict[str, Any]]:
    """Every job for GitLab, by where it stands and its name, with the job that it extends folded in."""
    example = yaml.safe_load((ROOT / "examples" / "gitlab" / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    (init,) = pipelines("gitlab", folder="channels", branch="main", version="0.1.0")
    made = yaml.safe_load(init.text)
    given = component(paths="channels/")
    files = {"component": given, "plain": plain(), "example": {**given, **example}, "init": made}
    jobs = {}
    for where, file in files.items():
        for name, job in file.items():
            if "script" in job:
                jobs[f"{where} {name}"] = {**file[job["extends"]], **job}
    return jobs


@pytest.mark.alike
@pytest.mark.parametrize("name", thinned({name: name for name in gitlab_jobs()}, every=3))
def test_no_job_for_gitlab_runs_what_is_in_the_checkout(
    name: str, checkout: HostileCheckout, api: Emulated, tmp_path: Path
) -> None:
    job = gitlab_jobs()[name]
    programs = tmp_path / "programs"
    for program, module in (("webchat-sync", "-m webchat_sync"), ("python", ""), ("pip", "-m pip")):
        write_program(programs / program, f'exec "{sys.executable}" {module} "$@"')
    environ = {**os.environ, **api.environ, "PATH": path_with(programs)}
    # The installation fails for want of an index and is passed over; all that comes after it runs.
    lines = [f"{line} || :" if line.startswith("$pip ") else line for line in job["before_script"]]
    script = "\n".join([*lines, *job["script"]])
    subprocess.run(
        ["sh", "-ec", script],  # noqa: S607 - the shell of the path, as on a runner
        cwd=checkout.root,
        env={**environ, "PYTHONPATH": ".", "PIP_NO_INDEX": "1", "LISTING": api.url},
        check=False,
    )
    assert checkout.ran() == []


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_each_python_of_each_pipeline_is_isolated(host: Host) -> None:
    files = [ROOT / "action.yml", ROOT / "templates" / "gitlab.yml", *(ROOT / "examples").rglob("*.yml")]
    files += (ROOT / ".github" / "workflows").iterdir()
    texts = [file.read_text(encoding="utf-8") for file in [*files, *(ROOT / "examples").rglob("*.yaml")]]
    texts += [made.text for made in pipelines(host, folder="channels", branch="main", version="0.1.0")]
    lines = [line for text in texts for line in text.splitlines() if not line.lstrip().startswith("#")]
    python = re.compile(r"""(?:\[|- |\(|^\s*|run: )(?:python3?|"\$PYTHON"|\S*/python3?),? (?P<option>\S+)""")
    started = [found["option"].rstrip(",") for line in lines if (found := python.search(line))]
    assert started
    assert set(started) == {"-I"}
    assert not [line for line in lines if re.search(r"(?<!-m )\bpip3? .*install\b", line)]


def test_what_is_installed_by_hash_is_never_built_with_what_has_none() -> None:
    files = [ROOT / "action.yml", ROOT / "Dockerfile", ROOT / "templates" / "gitlab.yml"]
    files += [ROOT / "src" / "webchat_sync" / "cli" / "starter.gitlab-ci.yml", *(ROOT / "examples").rglob("*.yml")]
    for file in files:
        text = file.read_text(encoding="utf-8").replace("\\\n", " ")
        programs = dict(re.findall(r"(pip)=[\"(](.*)[\")]$", text, re.MULTILINE))
        lines = [line.replace("$pip", programs.get("pip", "")) for line in text.splitlines() if "--requirement" in line]
        hashed = [line for line in lines if "--require-hashes" in line]
        assert [line for line in hashed if "--only-binary :all:" not in line] == [], file


def test_a_bare_repository_among_the_files_is_refused(checkout: HostileCheckout) -> None:
    with pytest.raises(InputError, match="bare repository"):
        find_repository(checkout.root / "channels", {"PATH": os.environ["PATH"]})
    assert checkout.ran() == []


def test_no_filter_that_a_repository_names_is_run(checkout: HostileCheckout) -> None:
    file = checkout.root / "other" / "channels.yaml"
    commit_only = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]
    file.parent.mkdir()
    (checkout.root / ".gitattributes").unlink()
    file.write_text(MANIFEST, encoding="utf-8")
    git(checkout.root, *commit_only, "add", "other")
    git(checkout.root, *commit_only, "commit", "--quiet", "--message=x")
    # Of as many bytes, so that git has to look into it.
    file.write_text(MANIFEST.replace("Support", "Supporx"), encoding="utf-8")
    for attributes in ("* filter=x", "* filter=a=b"):
        (checkout.root / ".gitattributes").write_text(attributes, encoding="utf-8")
        opened = find_repository(file, {"PATH": os.environ["PATH"]})
        assert opened is not None
        assert opened.uncommitted(["other"]) == ["other/channels.yaml"]
        assert checkout.ran() == []
    subprocess.run(["git", *commit_only, "status"], cwd=checkout.root, check=False)  # noqa: S607
    assert checkout.ran() != []


@pytest.mark.alike
@pytest.mark.parametrize("path", ["{here}", ":{usual}", ".:{usual}", "channels:{usual}", ""])
def test_git_is_no_program_of_the_current_folder(
    path: str, checkout: HostileCheckout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout.root)
    environ = {"PATH": path.format(usual=os.environ["PATH"], here=".")}
    try:
        find_repository(checkout.root / "channels.yaml", environ)
    except InputError as error:
        assert "git isn't installed" in str(error)  # noqa: PT017 - or there was no error
    assert checkout.ran() == []
