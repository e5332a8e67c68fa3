"""The whole story of examples/github: plan, comment, merge, drift, issue, rotation, and a fork's pull request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from example_pipeline import ORGANIZATION, Pipeline, example_pipeline
from fake_actions import FORK, REPOSITORY
from fake_github import READ_TOKEN
from repositories import git

pytestmark = pytest.mark.slow


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    with example_pipeline(tmp_path) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """For jobs that neither read nor change anything in it."""
    with example_pipeline(tmp_path_factory.mktemp("untouched")) as pipeline:
        yield pipeline


def test_from_the_pull_request_to_the_drift_that_is_repaired(pipeline: Pipeline) -> None:
    # The pull request is opened, and pushed to once more: one comment, brought up to date.
    assert pipeline.plan(100, "a1").code == 0
    (comment,) = pipeline.host.comments
    assert comment["number"] == 7
    assert "Hi! How can we help?" in comment["body"]
    pipeline.push(("Hi! How can we help?", "Hi! What can we do for you?"))
    assert pipeline.plan(101, "a2").code == 0
    (comment,) = pipeline.host.comments
    assert "Hi! What can we do for you?" in comment["body"]
    assert {call.method for call in pipeline.api.calls} == {"GET"}

    # It is merged: the plan that was reviewed is carried out, and the new secret is where the manifest says.
    merged = pipeline.apply("push", "b1", head="a2")
    assert merged.code == 0, merged.log
    assert "Apply complete! Channels: 1 added, 1 changed, 0 destroyed." in merged.log
    assert pipeline.live("Support")["welcomeMessage"] == "Hi! What can we do for you?"
    assert pipeline.live("Sales")["hasIdentitySecret"] is True
    first = pipeline.delivered()
    assert len(first) > 20
    assert first not in merged.log

    # Nights pass: nothing, then a change past Git, which is one issue until it is repaired by hand.
    assert pipeline.scheduled("drift").code == 0
    assert pipeline.host.issues == []
    for message in ("Bye", "Go away"):
        pipeline.api.store.update(ORGANIZATION, str(pipeline.live("Support")["id"]), {"welcomeMessage": message})
        assert pipeline.scheduled("drift").code == 0
        (issue,) = pipeline.host.issues
        assert issue["state"] == "open"
        assert message in issue["body"]
    assert pipeline.apply("workflow_dispatch", "b1").code == 0
    assert pipeline.live("Support")["welcomeMessage"] == "Hi! What can we do for you?"
    assert pipeline.scheduled("drift").code == 0
    assert issue["state"] == "closed"

    # The quarter ends.
    assert pipeline.delivered() == first
    rotated = pipeline.scheduled("rotate")
    assert rotated.code == 0, rotated.log
    assert pipeline.delivered() != first
    assert pipeline.delivered() not in rotated.log


@pytest.mark.variation
def test_a_change_in_the_dashboard_becomes_a_pull_request_each_night(pipeline: Pipeline, tmp_path: Path) -> None:
    assert pipeline.apply("workflow_dispatch", "b1").code == 0
    for message in ("Bye", "Go away"):
        pipeline.api.store.update(ORGANIZATION, str(pipeline.live("Support")["id"]), {"welcomeMessage": message})
        adopted = pipeline.scheduled("adopt")
        assert adopted.code == 0, adopted.log
        (request,) = pipeline.host.requests
        assert (request["open"], message in request["body"]) == (True, True)
        assert message in git(tmp_path / "remote.git", "show", "webchat-sync/adopt:channels/support.yaml")
    git(pipeline.runner.workspace, "pull", "--quiet", "origin", "webchat-sync/adopt")  # it is merged
    git(pipeline.runner.workspace, "push", "--quiet", "origin", "HEAD:main")
    pipeline.host.close(pipeline.host.pulls[0], merged=True)
    assert pipeline.scheduled("drift").code == 0
    assert pipeline.host.issues == []
    assert pipeline.scheduled("adopt").code == 0
    assert [request["open"] for request in pipeline.host.requests] == [False]


@pytest.mark.variation
def test_what_changed_after_the_review_is_not_applied(pipeline: Pipeline) -> None:
    assert pipeline.plan(100, "a1").code == 0
    pipeline.api.store.update(ORGANIZATION, str(pipeline.live("Support")["id"]), {"welcomeMessage": "Bye"})
    assert pipeline.apply("push", "b1", head="a1").code == 4
    assert pipeline.live("Support")["welcomeMessage"] == "Bye"
    assert pipeline.apply("push", "b2", head="a2").code == 4, "nobody has reviewed that one"


@pytest.mark.variation
def test_a_fork_gets_its_plan_without_a_key_and_without_a_token_that_writes(pipeline: Pipeline) -> None:
    assert pipeline.scheduled("listing").code == 0
    pipeline.api.calls.clear()
    pull = {
        "pull_request": {"number": 8, "head": {"repo": FORK}},
        "repository": {"default_branch": "main"},
    }
    started = pipeline.runner.github.start(200, "f1", head_repository=FORK)
    planned = pipeline.job(
        "plan.yml", "fork", started, secrets={}, event_name="pull_request", event=pull, token=READ_TOKEN
    )
    assert planned.code == 0, planned.log
    assert pipeline.api.calls == []
    assert pipeline.host.comments == []

    workflow_run = {
        "id": 200,
        "event": "pull_request",
        "conclusion": "success",
        "head_branch": "new-hours",
        "head_repository": {**FORK, "owner": {"login": "mallory"}},
        "pull_requests": [],
    }
    pipeline.host.pulls.append({"number": 8, "head": {"label": "mallory:new-hours"}})
    about = pipeline.about(None, workflow_run=workflow_run)
    commented = pipeline.job("fork-comment.yml", "comment", about, secrets={}, event={"workflow_run": workflow_run})
    assert commented.code == 0, commented.log
    (comment,) = pipeline.host.comments
    assert comment["number"] == 8
    assert "Hi! How can we help?" in comment["body"]
    assert pipeline.api.calls == []

    merged = pipeline.runner.github.merge("b1", "f1", head={"sha": "f1", "repo": FORK})
    assert pipeline.job("apply.yml", "apply", merged, event_name="push").code == 4
    assert {call.method for call in pipeline.api.calls} == {"GET"}


@pytest.mark.variation
def test_dependabot_which_gets_no_key_takes_the_way_of_forks(pipeline: Pipeline) -> None:
    assert pipeline.scheduled("listing").code == 0
    pipeline.api.calls.clear()
    login = {"login": "dependabot[bot]"}
    pull = {
        "pull_request": {"number": 8, "head": {"repo": REPOSITORY}, "user": login},
        "repository": {"default_branch": "main"},
    }
    started = pipeline.runner.github.start(200, "d1")
    with pytest.raises(AssertionError, match="plan would be skipped"):
        pipeline.job("plan.yml", "plan", started, secrets={}, event_name="pull_request", event=pull)
    planned = pipeline.job(
        "plan.yml", "fork", started, secrets={}, event_name="pull_request", event=pull, token=READ_TOKEN
    )
    assert planned.code == 0, planned.log
    repository = {"id": REPOSITORY["id"], "full_name": REPOSITORY["full_name"], "owner": {"login": "acme"}}
    ends = {"base": {"repo": repository}, "head": {"repo": repository, "sha": "d1"}}
    workflow_run = {
        "id": 200,
        "event": "pull_request",
        "conclusion": "success",
        "head_branch": "dependabot/actions",
        "head_sha": "d1",
        "head_repository": repository,
        "actor": login,
        "pull_requests": [{"number": 8, **ends}],
    }
    about = pipeline.about(None, workflow_run=workflow_run, repository=repository)
    commented = pipeline.job("fork-comment.yml", "comment", about, secrets={}, event={"workflow_run": workflow_run})
    assert commented.code == 0, commented.log
    assert [each["number"] for each in pipeline.host.comments] == [8]
    assert pipeline.api.calls == []


@pytest.mark.parametrize(
    ("event_name", "plan", "fork", "code"),
    [
        ("pull_request", "success", "skipped", 0),
        ("pull_request", "skipped", "success", 0),
        ("pull_request", "failure", "skipped", 1),
        ("pull_request", "skipped", "failure", 1),
        ("pull_request", "cancelled", "skipped", 1),
        ("pull_request", "skipped", "skipped", 1),
        ("merge_group", "skipped", "skipped", 0),
    ],
)
def test_the_check_to_require_succeeds_only_after_a_plan(
    untouched: Pipeline, event_name: str, plan: str, fork: str, code: int
) -> None:
    needs = {"plan": {"result": plan}, "fork": {"result": fork}}
    assert untouched.job("plan.yml", "planned", {}, event_name=event_name, needs=needs).code == code


@pytest.mark.parametrize(
    ("workflow", "needs", "author", "code"),
    [
        ("environments-plan.yml", {"plan": "success"}, "someone", 0),
        ("environments-plan.yml", {"plan": "failure"}, "someone", 1),
        ("environments-plan.yml", {"plan": "skipped"}, "someone", 1),
        ("environments-plan.yml", {"plan": "skipped"}, "dependabot[bot]", 0),
        ("fleet-plan.yml", {"plan": "success", "comment": "success"}, "someone", 0),
        ("fleet-plan.yml", {"plan": "success", "comment": "failure"}, "someone", 1),
        ("fleet-plan.yml", {"plan": "failure", "comment": "success"}, "someone", 1),
        ("fleet-plan.yml", {"plan": "skipped", "comment": "skipped"}, "someone", 1),
        ("fleet-plan.yml", {"plan": "skipped", "comment": "skipped"}, "dependabot[bot]", 0),
        ("environments-plan.yml", {"plan": "skipped"}, "a merge queue", 0),
        ("fleet-plan.yml", {"plan": "skipped", "comment": "skipped"}, "a merge queue", 0),
    ],
)
def test_the_check_to_require_of_several_plans_needs_all_of_them(
    untouched: Pipeline, workflow: str, needs: dict[str, str], author: str, code: int
) -> None:
    results = {job: {"result": result} for job, result in needs.items()}
    event = {} if author == "a merge queue" else {"pull_request": {"user": {"login": author}}}
    event_name = "pull_request" if event else "merge_group"
    ended = untouched.job(workflow, "planned", {}, event_name=event_name, event=event, needs=results)
    assert ended.code == code, ended.log


@pytest.mark.variation
def test_a_declared_rotation_happens_once_for_each_token_though_every_runner_is_thrown_away(pipeline: Pipeline) -> None:
    pipeline.edit("sales.yaml", ("state: present #", "rotation: 2026-Q4\n        state: present #"))
    assert pipeline.apply("workflow_dispatch", "b1").code == 0
    first = pipeline.delivered()
    assert pipeline.apply("workflow_dispatch", "b1").code == 0
    assert (pipeline.rotations(), pipeline.delivered()) == (1, first)

    pipeline.edit("sales.yaml", ("2026-Q4", "2027-Q1"))
    for _ in range(2):
        assert pipeline.apply("workflow_dispatch", "b2").code == 0
    assert pipeline.rotations() == 1
    assert pipeline.delivered() != first
    assert not [kept for kept in pipeline.remembered() if first in kept or pipeline.delivered() in kept]


@pytest.mark.variation
def test_what_a_sink_did_not_take_is_made_good_by_the_next_job(pipeline: Pipeline) -> None:
    (pipeline.server / "refuses").touch()
    failed = pipeline.apply("workflow_dispatch", "b1")
    assert failed.code == 3, failed.log
    assert pipeline.live("Sales")["identityRequired"] is not True, "nobody has the secret"

    (pipeline.server / "refuses").unlink()
    mended = pipeline.apply("workflow_dispatch", "b1")
    assert mended.code == 0, mended.log
    assert pipeline.delivered()
    assert pipeline.live("Sales")["identityRequired"] is True
    pipeline.rotations()
    assert pipeline.apply("workflow_dispatch", "b1").code == 0
    assert pipeline.rotations() == 0
