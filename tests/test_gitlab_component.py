"""The scripts of the GitLab component and of the plain example, run in a shell, against the emulator over HTTP."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from commands import Emulated, emulated
from fake_gitlab import fake_gitlab
from programs import path_with, write_program
from recording_pip import recording_python
from repositories import commit, git, repository
from variations import variation
from warm_python import warm_program

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).parents[1]
MANIFEST: Final = "version: 1\norganization: acme\nchannels: [{name: Support}]\n"


def component(**inputs: str) -> dict[str, Any]:
    """The jobs for these inputs (``_`` for ``-``)."""
    header, body = (ROOT / "templates" / "gitlab.yml").read_text(encoding="utf-8").split("\n---\n")
    declared = yaml.safe_load(header)["spec"]["inputs"]
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    assert given.keys() <= declared.keys()
    values = {name: given.get(name, each["default"]) for name, each in declared.items()}
    jobs: dict[str, Any] = yaml.safe_load(
        re.sub(r"\$\[\[ inputs\.([\w-]+) ]]", lambda name: str(values[name[1]]), body)
    )
    return jobs


def plain() -> dict[str, Any]:
    """The jobs of the example without the component; they read ``channels/``."""
    jobs: dict[str, Any] = yaml.safe_load((ROOT / "examples/gitlab/plain.gitlab-ci.yml").read_text(encoding="utf-8"))
    return jobs


def run(job: dict[str, Any], folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The job's script, as a runner does it: line by line in one shell that stops at the first failure."""
    program = write_program(folder / "bin" / "webchat-sync", warm_program())
    variables = {**os.environ, "PATH": path_with(program.parent), **environ}
    script = "\n".join(job["script"])
    return subprocess.run(
        ["sh", "-ec", script],  # noqa: S607 - the shell of the path, as on a runner
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "my channels").mkdir()
    (tmp_path / "my channels" / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
    return tmp_path


def test_the_plan_of_a_pipeline_is_what_its_apply_carries_out(project: Path) -> None:
    jobs = component(paths="'my channels/'", label="production")
    with emulated() as api:
        planned = run(jobs["webchat-sync-plan"], project, **api.environ)
        assert planned.returncode == 0, planned.stderr
        reports = jobs["webchat-sync-plan"]["artifacts"]["reports"]
        report = json.loads((project / reports["terraform"]).read_text(encoding="utf-8"))
        assert report == {"create": 1, "update": 0, "delete": 0}
        assert json.loads((project / reports["codequality"]).read_text(encoding="utf-8")) == []
        assert jobs["webchat-sync-apply"]["needs"] == ["webchat-sync-plan"]
        page, kept = jobs["webchat-sync-plan"]["artifacts"]["paths"]
        assert jobs["webchat-sync-plan"]["artifacts"]["expose_as"] == "Web chat before and after"
        assert (project / page).read_text(encoding="utf-8").startswith("<!doctype html>")
        assert kept in jobs["webchat-sync-apply"]["script"][0]

        applied = run(jobs["webchat-sync-apply"], project, **api.environ)
        assert applied.returncode == 0, applied.stderr
        assert [channel["name"] for channel in api.store.channels("acme")] == ["Support"]
        assert run(jobs["webchat-sync-apply"], project, **api.environ).returncode == 4, "it is stale by then"


def test_a_plan_that_a_guard_refuses_is_kept_and_fails(project: Path) -> None:
    manifest = "version: 1\norganization: acme\nsettings: {prune: true}\nchannels: [{name: A}]\n"
    (project / "my channels" / "channels.yaml").write_text(manifest, encoding="utf-8")
    with emulated({"name": "B"}, {"name": "C"}) as api:
        assert _code(api, project) == 5
        assert (project / "webchat-sync-plan.json").exists()
        assert _code(api, project, plan_arguments="--max-deletes=2") == 0
        (project / "my channels" / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
        allowing = component(paths="'my channels/'", plan_arguments="--max-deletes=2", arguments="--target='Support'")
        assert run(allowing["webchat-sync-plan"], project, **api.environ).returncode == 0
        drifted = run(allowing["webchat-sync-drift"], project, **{**api.environ, "GITLAB_TOKEN": ""})
        assert drifted.returncode != 64, "drift takes no limit on deletes"


def test_problems_become_a_code_quality_report(project: Path) -> None:
    (project / "my channels" / "channels.yaml").write_text("version: 1\nchannels: [{}]\n", encoding="utf-8")
    (project / "webchat-sync-plan.json").write_text("a plan that somebody committed", encoding="utf-8")
    with emulated() as api:
        assert _code(api, project) == 1
    (problem,) = json.loads((project / "webchat-sync-quality.json").read_text(encoding="utf-8"))
    assert problem["location"]["path"] == "my channels/channels.yaml"
    assert not (project / "webchat-sync-plan.json").exists()


def test_two_inclusions_with_prefixes_of_their_own_share_no_job() -> None:
    assert not component().keys() & component(job_prefix="staging").keys()
    assert component(job_prefix="staging")["staging-apply"]["extends"] == ".staging"


@pytest.mark.alike
@pytest.mark.parametrize(
    ("jobs", "prefix"), [(component(paths="channels/"), "webchat-sync-"), (plain(), "")], ids=["component", "plain"]
)
def test_a_refused_plan_becomes_a_comment_and_drift_an_issue(jobs: dict[str, Any], prefix: str, tmp_path: Path) -> None:
    manifest = "version: 1\norganization: acme\nchannels: [{name: A, enabled: false, sync: {protect: true}}]\n"
    commit(repository(tmp_path), {"channels/channels.yaml": manifest})
    with emulated({"name": "A"}) as api, fake_gitlab() as gitlab:
        environ = {**api.environ, **gitlab.environ(tmp_path)}
        assert run(jobs[f"{prefix}plan"], tmp_path, **{**environ, "GITLAB_TOKEN": ""}).returncode == 5
        assert gitlab.bodies == []
        assert run(jobs[f"{prefix}plan"], tmp_path, **environ).returncode == 5
        assert "enabled: false" in gitlab.bodies[0]
        linked = "/artifacts/file/webchat-sync-report.html)" in gitlab.bodies[0]
        assert linked is (prefix != ""), "only the component makes the page"
        drifted = run(jobs[f"{prefix}drift"], tmp_path, **{**environ, "CI_MERGE_REQUEST_IID": ""})
        assert drifted.returncode == 0, drifted.stderr
        assert [is_open for is_open, _ in gitlab.states] == [True]


@pytest.mark.alike
@pytest.mark.parametrize(
    ("jobs", "name"),
    [(component(paths="channels/", adopt_arguments="--new-channels"), "webchat-sync-adopt"), (plain(), "adopt")],
    ids=["component", "plain"],
)
def test_what_was_changed_live_becomes_a_merge_request(jobs: dict[str, Any], name: str, tmp_path: Path) -> None:
    remote, project = tmp_path / "remote.git", repository(tmp_path / "project")
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    manifest = "version: 1\norganization: acme\nchannels:\n- {name: A, theme: dark, sync: {id: a}}\n"
    commit(project, {"channels/channels.yaml": manifest})
    git(project, "remote", "add", "origin", str(remote))
    git(project, "push", "--quiet", "origin", "HEAD:main")
    with emulated({"name": "A", "id": "a", "theme": "light"}, {"name": "B", "id": "b"}) as api, fake_gitlab() as gitlab:
        gitlab.remote = remote
        environ = {**api.environ, **gitlab.environ(tmp_path, number=None)}
        for said in ("Opened the request: ", "The request is already up to date: "):
            done = run(jobs[name], project, **environ)
            assert (done.returncode, done.stdout.startswith(said)) == (0, True), done.stderr
    changed = git(remote, "diff", "--name-only", "main", "webchat-sync/adopt").splitlines()
    assert changed == [*(["channels/b.yaml"] if name != "adopt" else []), "channels/channels.yaml"]
    assert jobs[name]["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule" && $WEBCHAT_SYNC_SCHEDULE == "adopt"'}]


@pytest.mark.parametrize("jobs", [pytest.param(component(), id="component"), variation(plain(), id="plain")])
def test_the_image_has_git_and_each_schedule_is_for_one_thing(jobs: dict[str, Any]) -> None:
    (image,) = (job["image"] for job in jobs.values() if "image" in job)
    assert image == "python:3.13", "python:3.13-slim and -alpine have no git, and drift needs it"
    (drift,) = (job for name, job in jobs.items() if name.endswith("drift"))
    assert drift["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule" && $WEBCHAT_SYNC_SCHEDULE == "drift"'}]


def test_what_the_operator_allows_reaches_every_job() -> None:
    jobs = component(allow_env="SITE_*", allow_path="/srv/keys/*")
    (base,) = (job for name, job in jobs.items() if name.startswith("."))
    assert base["variables"] == {
        "WEBCHAT_SYNC_ALLOW_ENV": "SITE_*",
        "WEBCHAT_SYNC_ALLOW_PATHS": "/srv/keys/*",
        "WEBCHAT_SYNC_MEMORY": "git",
    }
    assert all(job.get("extends") == ".webchat-sync" and "variables" not in job for job in jobs.values() if job != base)


@pytest.mark.parametrize("jobs", [pytest.param(component(), id="component"), variation(plain(), id="plain")])
def test_no_package_is_installed_without_its_hash(jobs: dict[str, Any], tmp_path: Path) -> None:
    """The lines that install, with a pip that keeps what it is asked for."""
    (lines,) = (job["before_script"] for job in jobs.values() if "before_script" in job)
    asked = tmp_path / "asked"
    environ = recording_python(tmp_path / "bin", asked)
    subprocess.run(["sh", "-ec", "\n".join(lines)], env=environ, check=True)  # noqa: S607
    first, requirement, second, *_ = asked.read_text(encoding="utf-8").splitlines()
    assert all("--require-hashes" in line and "--only-binary :all:" in line for line in (first, second))
    assert re.fullmatch(r"webchat-sync==[\d.]+ --hash=sha256:[0-9a-f]{64}", requirement)
    assert second.endswith("/webchat_sync/requirements.txt")


@pytest.mark.installs
def test_the_wheel_brings_the_lock(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    digest = f"sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    lines = component(hash=digest)[".webchat-sync"]["before_script"]
    programs = tmp_path / "venv" / "bin"
    environ = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PIP_FIND_LINKS": str(tmp_path)}
    subprocess.run(["sh", "-ec", "\n".join(lines)], env={**os.environ, **environ}, check=True)  # noqa: S607
    done = subprocess.run([str(programs / "webchat-sync"), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("webchat-sync ")


def _code(api: Emulated, project: Path, **inputs: str) -> int:
    return run(component(paths="'my channels/'", **inputs)["webchat-sync-plan"], project, **api.environ).returncode
