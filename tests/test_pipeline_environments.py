"""The two environments of examples/github: a plan and a comment for each, staging applied before production."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from documented import Fence, read_page
from example_pipeline import OF_PULL, Pipeline, example_pipeline
from workflow_runner import WORKFLOWS

pytestmark = pytest.mark.slow

GUIDE: Final = Path(__file__).parents[1] / "docs" / "how-to" / "environments.md"
FILES: Final = {
    "channels/support.yaml": """\
version: 1
organization: ${MOSEND_ORG_ID}
channels:
  - name: Support
    welcomeMessage: Hi! How can we help?
    allowedDomains: ["www.${WEBCHAT_SITE:-example.com}"]
""",
    "staging.yaml": "version: 1\nchannels: [{name: Support, welcomeMessage: This is a test.}]\n",
}


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    with example_pipeline(tmp_path) as pipeline:
        pipeline.declare(FILES)
        yield pipeline


@pytest.mark.variation
def test_each_environment_is_planned_with_its_own_overlay_and_staging_is_applied_first(pipeline: Pipeline) -> None:
    environments = yaml.safe_load((WORKFLOWS / "environments-plan.yml").read_text(encoding="utf-8"))["jobs"]["plan"]
    event = {**pipeline.about(7), **pipeline.runner.github.start(100, "a1")}
    for environment in environments["strategy"]["matrix"]["include"]:
        planned = pipeline.job(
            "environments-plan.yml", "plan", event, matrix=environment, event_name="pull_request", event=OF_PULL
        )
        assert planned.code == 0, planned.log
    assert [
        [text in comment["body"] for text in ("This is a test.", "Hi! How can we help?")]
        for comment in pipeline.host.comments
    ] == [[True, False], [False, True]]

    merged = pipeline.runner.github.merge("b1", "a1")
    for job in ("staging", "production"):
        applied = pipeline.job("environments-apply.yml", job, merged, event_name="push")
        assert applied.code == 0, applied.log
    (staging,), (production,) = (pipeline.api.store.channels(name) for name in ("acme-staging", "acme"))
    assert staging["welcomeMessage"] == "This is a test."
    assert staging["allowedDomains"] == ["www.staging.example.com"]
    assert production["welcomeMessage"] == "Hi! How can we help?"
    assert production["allowedDomains"] == ["www.example.com"]


def test_the_guide_shows_the_whole_workflows() -> None:
    fences = [part for part in read_page(GUIDE.read_text(encoding="utf-8")) if isinstance(part, Fence)]
    shown = {Path(fence.title).name: fence.text for fence in fences if fence.title.endswith(".yml")}
    assert shown == {file.name: file.read_text(encoding="utf-8") for file in WORKFLOWS.glob("environments-*.yml")}
