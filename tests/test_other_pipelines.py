"""The examples for Bitbucket and Azure DevOps: their scripts in a shell, as a runner does them, and their schemas."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from commands import Emulated, emulated
from fake_azure import fake_azure
from fake_bitbucket import fake_bitbucket
from linters import lint
from repositories import commit, repository
from warm_python import pipeline_programs

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).parents[1] / "examples"
ORGANIZATION: Final = "00000000-0000-4000-8000-000000000001"


def bitbucket() -> dict[str, str]:
    """The script of each step, by its name."""
    document = yaml.safe_load((ROOT / "bitbucket" / "bitbucket-pipelines.yml").read_text(encoding="utf-8"))
    pipelines = document["pipelines"]
    steps = [*pipelines["branches"]["main"], *pipelines["pull-requests"]["**"], *pipelines["custom"]["drift"]]
    return {step["step"]["name"]: "\n".join(["set -e", *step["step"]["script"]]) for step in steps}


def azure() -> dict[str, str]:
    document = yaml.safe_load((ROOT / "azure" / "azure-pipelines.yml").read_text(encoding="utf-8"))
    (install,) = (variable["value"] for variable in document["variables"] if variable.get("name") == "install")
    scripts: dict[str, str] = {}

    def collect(part: Any) -> None:
        if isinstance(part, Mapping):
            if "bash" in part:
                scripts[part["displayName"]] = part["bash"].replace("$(install)", install)
                assert "MOSEND_API_KEY" in part["env"], "Azure hands no secret to a script by itself"
            for below in part.values():
                collect(below)
        elif isinstance(part, list):
            for below in part:
                collect(below)

    collect(document["stages"])
    return scripts


HOSTS: Final[dict[str, tuple[Callable[[], dict[str, str]], Callable[..., Any]]]] = {
    "bitbucket": (bitbucket, fake_bitbucket),
    "azure": (azure, fake_azure),
}
each_host = pytest.mark.parametrize("host", HOSTS)


def programs_path(project: Path) -> str:
    """A PATH with a pip that installs nothing and the package under test."""
    return pipeline_programs(project.parent / "programs")


def run(script: str, project: Path, api: Emulated, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it with the package under test."""
    workspace = project.parent / "workspace"
    (workspace / "webchat-sync-plan").mkdir(parents=True, exist_ok=True)
    if (project / "plan.json").exists():
        shutil.copy(project / "plan.json", workspace / "webchat-sync-plan")
    variables = {
        "PATH": programs_path(project),
        "AGENT_TEMPDIRECTORY": str(project.parent),
        "PIPELINE_WORKSPACE": str(workspace),
    }
    return subprocess.run(
        [shutil.which("bash") or "bash", "--noprofile", "--norc", "-c", script],
        cwd=project,
        env={**os.environ, **api.environ, **variables, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@each_host
def test_from_the_pull_request_to_the_drift(host: str, tmp_path: Path) -> None:
    read, begin = HOSTS[host]
    scripts = read()
    project = repository(tmp_path / "project")
    shutil.copytree(ROOT / host / "channels", project / "channels")
    commit(project, {"plan.json": "a plan that somebody committed"})
    with emulated() as api, begin() as fake:
        planned = run(scripts["Plan"], project, api, **fake.environ(tmp_path))
        assert planned.returncode == 0, planned.stderr
        (body,) = fake.bodies
        assert "Plan: 1 to add" in body
        assert (project / "report.html").exists()
        assert api.taken_calls() == ["GET"]
        applied = run(scripts["Apply"], project, api, **fake.environ(tmp_path, number=None))
        assert applied.returncode == 0, applied.stderr
        assert "Apply complete!" in applied.stdout
        assert run(scripts["Apply"], project, api).returncode == 4, "it is stale by then"
        assert run(scripts["Drift"], project, api).returncode == 0
        channel = api.store.channels(ORGANIZATION)[0]
        api.store.update(ORGANIZATION, str(channel["id"]), {"welcomeMessage": "Bye"})
        assert run(scripts["Drift"], project, api).returncode == 2


@pytest.mark.variation
@each_host
def test_a_plan_that_a_guard_refuses_is_shown_and_fails(host: str, tmp_path: Path) -> None:
    read, begin = HOSTS[host]
    manifest = "version: 1\norganization: acme\nchannels: [{name: A, enabled: false, sync: {protect: true}}]\n"
    project = repository(tmp_path / "project")
    commit(project, {"channels/channels.yaml": manifest})
    with emulated({"name": "A"}) as api, begin() as fake:
        assert run(read()["Plan"], project, api, **fake.environ(tmp_path)).returncode == 5
        assert "enabled: false" in fake.bodies[0]


def test_the_hosts_schemas_accept_them() -> None:
    lint(
        "check-jsonschema", "--builtin-schema", "vendor.bitbucket-pipelines", ROOT / "bitbucket/bitbucket-pipelines.yml"
    )
    azure_schema = ("--builtin-schema", "vendor.azure-pipelines", "--data-transform", "azure-pipelines")
    lint("check-jsonschema", *azure_schema, "--regex-variant", "python", ROOT / "azure" / "azure-pipelines.yml")


@each_host
def test_what_takes_its_time_gets_the_signal_that_ends_a_step(host: str) -> None:
    scripts = HOSTS[host][0]()
    for name in ("Apply", "Drift"):
        assert scripts[name].strip().splitlines()[-1].startswith("exec webchat-sync ")
