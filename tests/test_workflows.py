"""The action, the workflows, the component and the hook, as their linters and their hosts' schemas see them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from packaging.requirements import Requirement

from linters import lint
from test_gitlab_component import component
from webchat_sync import __version__
from webchat_sync.cli.starter import Host, pipelines

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).parents[1]
EXAMPLES: Final = ROOT / "examples" / "github" / ".github" / "workflows"
WORKFLOWS: Final = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), *sorted(EXAMPLES.glob("*.yml"))]


def test_zizmor_finds_nothing_unsafe() -> None:
    lint("zizmor", "--offline", "--quiet", "action.yml", ".github", "examples/github")


def test_actionlint_finds_nothing_wrong() -> None:
    lint("actionlint", *WORKFLOWS)


def test_actionlint_finds_nothing_wrong_in_the_steps_of_the_action() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    inputs = {name: {"type": "string"} for name in action["inputs"]}
    job = {"runs-on": "ubuntu-24.04", "steps": action["runs"]["steps"]}
    lint(
        "actionlint", "-", stdin=yaml.safe_dump({"on": {"workflow_call": {"inputs": inputs}}, "jobs": {"action": job}})
    )


@pytest.mark.alike
@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-actions", ["action.yml"]),
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.gitlab-ci", sorted((ROOT / "examples" / "gitlab").glob("*gitlab-ci.yml"))),
    ],
)
def test_the_hosts_schemas_accept_what_they_read(schema: str, files: list[object]) -> None:
    assert files
    lint("check-jsonschema", "--builtin-schema", schema, *files)


def test_gitlab_accepts_what_the_component_becomes(tmp_path: Path) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(yaml.safe_dump(component(changes="[channels/**/*]"), sort_keys=False), encoding="utf-8")
    lint("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", file)


@pytest.mark.alike
@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_the_hosts_schemas_accept_what_init_writes(host: Host, tmp_path: Path) -> None:
    files: list[object] = []
    for number, made in enumerate(pipelines(host, folder="channels", branch="main", version=__version__)):
        file = tmp_path / f"{number}.yml"
        file.write_text(made.text, encoding="utf-8")
        files.append(file)
    lint("check-jsonschema", "--builtin-schema", f"vendor.{host}-{'workflows' if host == 'github' else 'ci'}", *files)


@pytest.mark.parametrize("file", [ROOT / "action.yml", *WORKFLOWS], ids=lambda file: file.name)
def test_every_action_is_pinned_by_digest_with_its_version_beside_it(file: Path) -> None:
    used = re.findall(r"^ *-? *uses: (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert used or file.name == "ci.yml"
    for each in used:
        assert re.fullmatch(r"[\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./ # zizmor: .*", each), each


def test_the_examples_ask_the_action_for_inputs_that_it_has() -> None:
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    steps = [step for file in WORKFLOWS for job in loaded(file)["jobs"].values() for step in job["steps"]]
    ours = [step for step in steps if re.match(r"OWNER/webchat-sync@|\./$", step.get("uses", ""))]
    assert {step["with"]["command"] for step in ours} == {"setup", "validate", "plan", "apply", "drift", "adopt"}
    assert not {name for step in ours for name in step["with"]} - inputs.keys()


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_job_has_no_more_rights_than_it_says_and_ends_in_time(file: Path) -> None:
    workflow = loaded(file)
    assert workflow["permissions"] == {}
    assert "group" in workflow["concurrency"]
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"] <= 90


def test_what_the_action_installs_fits_what_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for file, asked in (
        ("requirements.txt", project["project"]["dependencies"]),
        ("requirements.txt", project["project"]["optional-dependencies"]["emulator"]),
        ("requirements-build.txt", project["build-system"]["requires"]),
    ):
        locked = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
        versions = {name.lower(): version for name, version in locked}
        for each in map(Requirement, asked):
            assert each.name.lower() in versions, f"make {file} anew: {each} is missing"
            assert each.specifier.contains(versions[each.name.lower()]), f"make {file} anew: {each}"


def test_the_examples_and_the_component_name_this_version() -> None:
    others = (ROOT / "examples" / "bitbucket" / "bitbucket-pipelines.yml", ROOT / "examples/azure/azure-pipelines.yml")
    pipelines = [*WORKFLOWS, *(ROOT / "examples" / "gitlab").glob("*gitlab-ci.yml"), *others]
    files = [ROOT / "templates" / "gitlab.yml", *pipelines]
    before = r"OWNER/webchat-sync@[0-9a-f]{40} # v|/webchat-sync/gitlab@|webchat-sync==|webchat-sync\.\n +default: "
    named = rf"(?:{before})(\d\S+)"
    found = {each for file in files for each in re.findall(named, file.read_text(encoding="utf-8"))}
    assert found == {__version__}


def loaded(file: Path) -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return workflow


NEEDED: Final = {"apply": "write", "adopt": "write", "plan": "read", "drift": "read"}
"""What `contents` the Action needs for a command, with the memory that it keeps unless it is told otherwise."""


def jobs_of_the_action() -> Iterator[Any]:
    texts = {path.name: path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.yml")}
    made = pipelines("github", folder="channels", branch="main", version=__version__)
    texts |= {f"init: {file.path}": file.text for file in made}
    for name, text in texts.items():
        for job, content in yaml.safe_load(text)["jobs"].items():
            for step in content["steps"]:
                command = step.get("with", {}).get("command")
                if command in NEEDED and "memory" not in step["with"]:
                    yield pytest.param(command, content["permissions"], id=f"{name} {job}")


@pytest.mark.parametrize(("command", "permissions"), list(jobs_of_the_action()))
def test_a_job_may_use_the_memory_as_its_command_needs(command: str, permissions: dict[str, str]) -> None:
    assert permissions["contents"] in {NEEDED[command], "write"}
