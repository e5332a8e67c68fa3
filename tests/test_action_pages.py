"""The page that the Action keeps: of a plan, of what was applied, and of what drifted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from action_runner import Ended, Runner
from applying import KEY
from commands import Emulated, emulated
from fake_actions import FakeActions
from fake_github import FakeGitHub, fake_github

pytestmark = pytest.mark.slow

MANIFEST = "version: 1\norganization: acme\nchannels: [{name: Support, welcomeMessage: Hi!}]\n"
INPUTS = {"paths": "channels.yaml", "api_key": KEY}
ENTERPRISE = {"GITHUB_SERVER_URL": "https://github.example"}


@pytest.fixture
def api() -> Iterator[Emulated]:
    with emulated({"name": "Support", "welcomeMessage": "Hello"}) as api:
        yield api


@pytest.fixture
def host() -> Iterator[FakeGitHub]:
    with fake_github() as host:
        yield host


@pytest.fixture
def runner(tmp_path: Path, api: Emulated) -> Iterator[Runner]:
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "temporary").mkdir()
    with FakeActions().served() as github:
        yield Runner(tmp_path / "repository", tmp_path / "temporary", github, {"MOSEND_BASE_URL": api.url})


def pages(runner: Runner) -> dict[str, str]:
    """What was kept of pages, by the artifact's name."""
    return {
        kept["name"]: runner.github.files[kept["id"]][1].decode()
        for kept in runner.github.artifacts
        if kept["name"].endswith(".html")
    }


def drift(runner: Runner, host: FakeGitHub) -> Ended:
    environ = host.environ(runner.temporary, number=None)
    token = environ.pop("GITHUB_TOKEN")
    return runner.run(environ, command="drift", github_token=token, **INPUTS)


def test_the_page_of_a_plan_is_kept_and_linked(runner: Runner, host: FakeGitHub) -> None:
    environ = host.environ(runner.temporary)
    token = environ.pop("GITHUB_TOKEN")
    ended = runner.run(environ, command="plan", github_token=token, **INPUTS)
    assert ended.code == 0, ended.log
    assert ">Hi!<" in pages(runner)["webchat-sync-plan.html"]
    assert f"]({ended.outputs['page-url']})" in host.bodies[0]


def test_the_page_of_what_was_applied_is_kept_and_linked(runner: Runner, api: Emulated) -> None:
    ended = runner.run(command="apply", reviewed="none", allow_old_commit="true", **INPUTS)
    assert ended.code == 0, ended.log
    ((name, page),) = pages(runner).items()
    assert name == "webchat-sync-plan-applied.html"
    assert "Apply complete!" in page
    assert f"[See what was applied, before and after]({ended.outputs['page-url']})" in ended.summary
    assert ended.outputs["page"].endswith(name)
    assert api.taken_calls()[-2:] == ["PATCH", "GET"]


def test_the_page_of_a_drift_is_kept_and_linked_in_its_issue(runner: Runner, host: FakeGitHub) -> None:
    ended = drift(runner, host)
    assert ended.code == 0, ended.log
    assert ">Hello<" in pages(runner)["webchat-sync-plan.html"]
    assert f"[See it before and after]({ended.outputs['page-url']})" in host.issues[0]["body"]


def test_without_drift_no_page_is_kept(runner: Runner, host: FakeGitHub, api: Emulated) -> None:
    api.store.update("acme", str(api.store.channels("acme")[0]["id"]), {"welcomeMessage": "Hi!"})
    ended = drift(runner, host)
    assert (ended.code, ended.outputs["page"]) == (0, "")
    assert runner.github.artifacts == []


def test_an_enterprise_server_keeps_no_page(runner: Runner) -> None:
    ended = runner.run(ENTERPRISE, command="apply", reviewed="none", allow_old_commit="true", **INPUTS)
    assert ended.code == 0, ended.log
    assert pages(runner) == {}
    assert ended.outputs["page"].endswith("webchat-sync-plan-applied.html")
