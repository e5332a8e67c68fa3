"""What `init` writes for GitHub, run as by a runner: plan and comment, the reviewed plan on merge, drift at night."""

from __future__ import annotations

from pathlib import Path

import pytest

import workflow_runner
from example_pipeline import example_pipeline
from webchat_sync.cli.starter import Needs, pipelines

pytestmark = pytest.mark.slow


@pytest.mark.variation
def test_a_change_goes_from_the_pull_request_to_the_merge_and_drift_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = Needs(organization=None)
    for made in pipelines("github", folder="channels", branch="main", version="0.1.0", needs=needs):
        name = Path(made.path).name.removeprefix("webchat-sync-")
        (tmp_path / name).write_text(made.text, encoding="utf-8")
    monkeypatch.setattr(workflow_runner, "WORKFLOWS", tmp_path)
    with example_pipeline(tmp_path / "story") as story:
        assert story.plan(100, "a1").code == 0
        (comment,) = story.host.comments
        assert "Hi! How can we help?" in comment["body"]
        assert {call.method for call in story.api.calls} == {"GET"}

        refused = story.apply("push", "b0", head="never-planned")
        assert (refused.code, story.live("Support")["welcomeMessage"]) == (4, "Hello"), refused.log

        merged = story.apply("push", "b1", head="a1")
        assert merged.code == 0, merged.log
        assert story.live("Support")["welcomeMessage"] == "Hi! How can we help?"

        assert story.scheduled("drift").code == 0
        assert story.host.issues == []
        story.api.store.update(
            str(story.live("Support")["organizationId"]), str(story.live("Support")["id"]), {"welcomeMessage": "Bye"}
        )
        assert story.scheduled("drift").code == 0
        (issue,) = story.host.issues
        assert (issue["state"], "Bye" in issue["body"]) == ("open", True)
