from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import Finished, invoke
from recording_pip import recording_python
from webchat_sync import __version__
from webchat_sync.cli.starter import host_of

ENVIRON = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def init(*arguments: object) -> Finished:
    return invoke("init", *arguments, environ=ENVIRON)


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=ENVIRON)  # noqa: S607


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_folder_plans_applies_and_plans_empty_in_the_sandbox(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = init("my channels")
    assert made.code == 0
    assert made.out == (
        "  cd 'my channels'\n"
        "  webchat-sync plan channels.yaml --sandbox\n"
        "  webchat-sync apply channels.yaml --sandbox\n"
    )
    assert "No pipeline" in made.err
    folder = here / "my channels"
    assert (folder / ".gitignore").read_text(encoding="utf-8") == ".webchat-sync/\n"
    first, *_ = (folder / "channels.yaml").read_text(encoding="utf-8").splitlines()
    assert (folder / first.removeprefix("# yaml-language-server: $schema=")).is_file()
    monkeypatch.chdir(folder)
    assert invoke("validate", "channels.yaml").code == 0
    assert invoke("validate").code == 0
    assert invoke("plan", "--sandbox", "--detailed-exitcode").code == 2
    assert invoke("apply", "--sandbox", "--auto-approve").code == 0
    assert invoke("plan", "--sandbox", "--detailed-exitcode").code == 0


def test_nothing_that_exists_is_overwritten_and_what_is_missing_comes_back(here: Path) -> None:
    (here / "channels.yaml").write_bytes(b"mine")
    (here / ".gitignore").write_bytes(b"*.log\r\n# \xff")
    made = init()
    assert made.code == 0
    assert "channels.yaml exists already, and stays as it is." in made.err
    assert made.out.startswith("  webchat-sync validate channels.yaml\n")
    assert len(made.out.splitlines()) == 3
    assert contents(here)["channels.yaml"] == b"mine"
    assert contents(here)[".gitignore"] == b"*.log\r\n# \xff\r\n.webchat-sync/\r\n"
    before = contents(here)
    (here / ".webchat-sync" / "channel.schema.json").unlink()
    assert init().code == 0
    assert contents(here) == before


@pytest.mark.parametrize("line", ["/.webchat-sync/", ".webchat-sync", "  .webchat-sync/"])
def test_a_folder_that_is_ignored_already_is_not_ignored_again(here: Path, line: str) -> None:
    (here / ".gitignore").write_text(f"a\n{line}\n", encoding="utf-8")
    init()
    assert (here / ".gitignore").read_text(encoding="utf-8") == f"a\n{line}\n"


def assert_hashed(folder: Path, script: str) -> None:
    """Run the lines that install, with a pip that keeps what it is asked for."""
    asked = recording_python(folder / "bin", folder / "asked")
    subprocess.run(["sh", "-ec", script], env=asked, check=True)  # noqa: S607
    ours, others = (folder / "asked").read_text(encoding="utf-8").splitlines()[:2]
    assert ours.endswith(f"--only-binary :all: --no-deps webchat-sync=={__version__}")
    assert "--only-binary :all: --require-hashes" in others
    assert others.endswith("/webchat_sync/requirements.txt")
    shutil.rmtree(folder / "bin")
    (folder / "asked").unlink()


@pytest.mark.parametrize(("folder", "path"), [(".", "channels.yaml"), ("config/chat", "config/chat/")])
def test_on_github_a_workflow_plans_on_pull_requests_and_applies_on_merge(here: Path, folder: str, path: str) -> None:
    git(here, "init", "--quiet")
    git(here, "remote", "add", "origin", "git@github.com:acme/gitlab-tools.git")
    assert init(folder).code == 0
    assert list((here / ".github" / "workflows").iterdir()) == [here / ".github" / "workflows" / "webchat-sync.yml"]
    workflow: dict[Any, Any] = yaml.safe_load((here / ".github/workflows/webchat-sync.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow[True]["push"]["branches"] == ["main"]
    watched = path if folder == "." else f"{path}**"
    assert workflow[True]["pull_request"]["paths"] == [watched, ".github/workflows/webchat-sync.yml"]
    steps = {name: job["steps"] for name, job in workflow["jobs"].items()}
    runs = {name: [step["run"] for step in each if "run" in step][1:] for name, each in steps.items()}
    for each in steps.values():
        assert_hashed(here, next(step["run"] for step in each if "run" in step))
    assert runs == {
        "plan": [
            "rm -f plan.json",
            f"webchat-sync validate {path}",
            f"exec webchat-sync plan {path} --out plan.json",
            "exec webchat-sync ci comment plan.json",
        ],
        "apply": [f"exec webchat-sync apply {path} --auto-approve"],
    }
    (comment,) = (step for step in steps["plan"] if step.get("run", "").startswith("exec webchat-sync ci comment"))
    assert comment["if"].startswith("!cancelled() && hashFiles('plan.json') != '' && ")
    used = {step["uses"] for each in steps.values() for step in each if "uses" in step}
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", each) for each in used)
    assert all("MOSEND_API_KEY" not in str(step) or "env" in step for each in steps.values() for step in each)


def test_on_gitlab_a_file_to_include_is_made(here: Path) -> None:
    git(here, "init", "--quiet")
    git(here, "remote", "add", "upstream", "https://user@gitlab.example.com/acme/github-mirror.git")
    assert init("it's").code == 0
    pipeline = yaml.safe_load((here / "webchat-sync.gitlab-ci.yml").read_text(encoding="utf-8"))
    _, _, code, plan, comment, end = pipeline["webchat-sync-plan"]["script"]
    assert (code, end) == ("code=0", 'exit "$code"')
    assert plan == "webchat-sync plan 'it'\"'\"'s/' --out plan.json || code=$?"
    assert comment.startswith("if [ -e plan.json ] &&")
    assert_hashed(here, "\n".join(pipeline[".webchat-sync"]["before_script"]))
    assert pipeline["webchat-sync-apply"]["script"] == ["exec webchat-sync apply 'it'\"'\"'s/' --auto-approve"]
    assert not (here / ".github").exists()


@pytest.mark.parametrize(
    ("existing", "made"),
    [(".github/x", ".github/workflows/webchat-sync.yml"), (".gitlab-ci.yml", "webchat-sync.gitlab-ci.yml")],
)
def test_without_a_remote_the_files_of_the_repository_tell_the_host(here: Path, existing: str, made: str) -> None:
    git(here, "init", "--quiet")
    (here / existing).parent.mkdir(exist_ok=True)
    (here / existing).touch()
    assert init("chat").code == 0
    assert (here / made).is_file()
    (here / made).write_text("mine", encoding="utf-8")
    assert f"{made} exists already" in init("chat").err
    assert (here / made).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("remote", "host"),
    [
        ("https://github.com/acme/x.git", "github"),
        ("ssh://git@github.acme.example:2222/x", "github"),
        ("git@gitlab.com:github/x.git", "gitlab"),
        ("https://token@git.example.com/gitlab/x", None),
        ("/srv/github/x.git", None),
        ("", None),
    ],
)
def test_the_host_is_known_by_the_name_of_the_server(remote: str, host: str | None) -> None:
    assert host_of(remote) == host


def test_a_folder_that_cannot_be_made_is_an_error_and_git_is_not_needed(here: Path) -> None:
    (here / "file").touch()
    refused = init("file/below")
    assert (refused.code, "cannot be written" in refused.err) == (1, True)
    assert invoke("init", "new", environ={"PATH": ""}).code == 0
