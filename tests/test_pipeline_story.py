"""The whole story of examples/github: plan, comment, merge, drift, issue, rotation, and a fork's pull request."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from action_runner import ROOT, Runner
from applying import KEY
from commands import Emulated, emulated
from fake_actions import FORK, REPOSITORY, FakeActions
from fake_github import READ_TOKEN, FakeGitHub, fake_github
from webchat_sync.model import Json
from workflow_runner import JobEnded, run_job

ORGANIZATION = "00000000-0000-4000-8000-000000000001"
SUPPORT: dict[str, Json] = {"name": "Support", "welcomeMessage": "Hello", "allowedDomains": ["www.example.com"]}
SECRETS = {"MOSEND_API_KEY": KEY, "SITE_SECRETS_TOKEN": "ghp_site"}

# GitHub's command line: keeps the secrets that it is given, and has one artifact, the listing.
GH = """\
#!/bin/sh
set -eu
for last; do :; done
case "$1 $2" in
  "auth status") test "$GH_TOKEN" = ghp_site ;;
  "secret set") test "$GH_TOKEN" = ghp_site; cat > "$HOME/$3" ;;
  "run list") echo 300 ;;
  "run download") test "$3" = 300; mkdir -p "$last"; cp "$HOME/live.json" "$last" ;;
  *) exit 1 ;;
esac
"""


@dataclass
class Pipeline:
    """A repository made from the example, and everything around it."""

    runner: Runner
    api: Emulated
    host: FakeGitHub

    def push(self, *replaced: tuple[str, str]) -> None:
        """Commit the manifests with texts in the one of Support replaced."""
        file = self.runner.workspace / "channels" / "support.yaml"
        text = file.read_text(encoding="utf-8")
        for before, after in replaced:
            assert before in text
            text = text.replace(before, after)
        file.write_text(text, encoding="utf-8")
        environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        for arguments in (["add", "--all"], ["-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "Change"]):
            subprocess.run(["git", *arguments], cwd=self.runner.workspace, env=environ, check=True)  # noqa: S607

    def plan(self, run: int, head: str) -> JobEnded:
        """The pull request is opened, or pushed to."""
        event = {**self.about(7), **self.runner.github.start(run, head)}
        pull = {"pull_request": {"number": 7, "head": {"repo": REPOSITORY}}}
        return self.job("plan.yml", "plan", event, event_name="pull_request", event=pull)

    def apply(self, event_name: str, commit: str, head: str = "") -> JobEnded:
        """The pull request whose last commit is ``head`` is merged, or somebody runs the workflow by hand."""
        event = self.runner.github.merge(commit, head) if head else {"GITHUB_SHA": commit}
        return self.job("apply.yml", "apply", event, event_name=event_name)

    def scheduled(self, name: str) -> JobEnded:
        """The workflow of that name runs at its time."""
        return self.job(f"{name}.yml", name, self.about(None), event_name="schedule", ref="refs/heads/main")

    def job(
        self,
        workflow: str,
        job: str,
        variables: dict[str, str],
        /,
        secrets: Any = SECRETS,
        needs: Any = None,
        **github: Any,
    ) -> JobEnded:
        github = {"repository": REPOSITORY["full_name"], **github}
        variables = {"GITHUB_RUN_ID": "800", **variables}
        return run_job(self.runner, workflow, job, event=variables, github=github, secrets=secrets, needs=needs)

    def about(self, number: int | None, **event: Any) -> dict[str, str]:
        """The variables of a run about that pull request, without the token, which the workflow must hand over."""
        variables = self.host.environ(self.runner.temporary, number=number)
        if event:
            Path(variables["GITHUB_EVENT_PATH"]).write_text(json.dumps(event), encoding="utf-8")
        return {name: value for name, value in variables.items() if name not in {"GITHUB_TOKEN", "GITHUB_RUN_ID"}}

    def live(self, name: str) -> dict[str, Any]:
        (channel,) = (each for each in self.api.store.channels(ORGANIZATION) if each["name"] == name)
        return channel

    def delivered(self) -> str:
        return (self.runner.temporary / "SALES_IDENTITY_SECRET").read_text(encoding="utf-8")


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    repository, temporary = tmp_path / "repository", tmp_path / "temporary"
    shutil.copytree(ROOT / "examples" / "github", repository)
    (temporary / "bin").mkdir(parents=True)
    (temporary / "bin" / "gh").write_text(GH, encoding="utf-8")
    (temporary / "bin" / "gh").chmod(0o755)
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)  # noqa: S607
    with emulated() as api, fake_github() as host, FakeActions().served() as actions:
        api.store.seed(ORGANIZATION, [SUPPORT])
        pipeline = Pipeline(Runner(repository, temporary, actions, {"MOSEND_BASE_URL": api.url}), api, host)
        pipeline.push()
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


def test_what_changed_after_the_review_is_not_applied(pipeline: Pipeline) -> None:
    assert pipeline.plan(100, "a1").code == 0
    pipeline.api.store.update(ORGANIZATION, str(pipeline.live("Support")["id"]), {"welcomeMessage": "Bye"})
    assert pipeline.apply("push", "b1", head="a1").code == 4
    assert pipeline.live("Support")["welcomeMessage"] == "Bye"
    assert pipeline.apply("push", "b2", head="a2").code == 4, "nobody has reviewed that one"


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
    pipeline: Pipeline, event_name: str, plan: str, fork: str, code: int
) -> None:
    needs = {"plan": {"result": plan}, "fork": {"result": fork}}
    assert pipeline.job("plan.yml", "planned", {}, event_name=event_name, needs=needs).code == code
