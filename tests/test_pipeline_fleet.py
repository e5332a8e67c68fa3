"""The fleets of examples/github and examples/gitlab: the shards of their jobs, one comment, one issue."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from starlette.responses import JSONResponse

from commands import Emulated, emulated
from example_pipeline import OF_PULL, Pipeline, example_pipeline
from fake_gitlab import fake_gitlab
from repositories import commit, repository
from test_gitlab_component import ROOT, plain, run
from webchat_sync.emulator import build_app, serve

pytestmark = pytest.mark.slow

SHARDS: Final = (1, 2, 3, 4)
FLEET: Final = {
    f"channels/{number}.yaml": f"version: 1\norganization: org-{number}\nchannels: [{{name: Support}}]\n"
    for number in range(10)
}


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    with example_pipeline(tmp_path) as pipeline:
        pipeline.declare(FLEET)
        yield pipeline


@pytest.mark.variation
def test_the_matrix_on_github_plans_comments_and_applies(pipeline: Pipeline) -> None:
    event = {**pipeline.about(7), **pipeline.runner.github.start(100, "a1")}
    for shard in SHARDS:
        planned = pipeline.job(
            "fleet-plan.yml", "plan", event, matrix={"shard": str(shard)}, event_name="pull_request", event=OF_PULL
        )
        assert planned.code == 0, planned.log
        assert f"Shard {shard}/4: " in planned.log
    said = pipeline.job(
        "fleet-plan.yml",
        "comment",
        event,
        needs={"plan": {"result": "success"}},
        event_name="pull_request",
        event=OF_PULL,
    )
    assert said.code == 0, said.log
    (comment,) = pipeline.host.comments
    assert "Plan: 10 to add, 0 to change, 0 to destroy." in comment["body"]
    merged = pipeline.runner.github.merge("b1", "a1")
    # All at once, and none waits for another's lock.
    given = {"event_name": "push", "inputs": {"apply_arguments": "--lock-timeout=0"}}
    with ThreadPoolExecutor() as jobs:
        shares = [
            jobs.submit(pipeline.job, "fleet-apply.yml", "apply", merged, matrix={"shard": str(shard)}, **given)
            for shard in SHARDS
        ]
    assert [share.result().code for share in shares] == [0] * len(SHARDS), [share.result().log for share in shares]
    store = pipeline.api.store
    assert [len(store.channels(f"org-{number}")) for number in range(10)] == [1] * 10


def fleet_jobs() -> dict[str, Any]:
    """The jobs of the fleet over those of the plain example, as GitLab merges them."""
    over = yaml.safe_load((ROOT / "examples/gitlab/fleet.gitlab-ci.yml").read_text(encoding="utf-8"))
    assert over.pop("include") == [{"local": "plain.gitlab-ci.yml"}]
    jobs = plain()
    return {name: {**jobs.get(name, {}), **over.get(name, {})} for name in {**jobs, **over}}


@pytest.mark.variation
def test_the_parallel_jobs_on_gitlab_plan_comment_apply_and_look_for_drift(tmp_path: Path) -> None:
    jobs = fleet_jobs()
    commit(repository(tmp_path), FLEET)
    assert jobs["plan"]["parallel"] == jobs["drift"]["parallel"] == len(SHARDS)
    for name, verb in (("comment", "plan"), ("apply", "plan"), ("issue", "drift")):
        assert " ".join(f"{verb}-{shard}.json" for shard in SHARDS) in jobs[name]["script"][-1]
    assert jobs["plan"]["allow_failure"] == {"exit_codes": [1, 6]}
    with emulated() as api, fake_gitlab() as gitlab, troubled(api, "org-7") as url:
        shared = {**api.environ, "MOSEND_BASE_URL": url}
        shares = [run(jobs["plan"], tmp_path, **shared, **node("plan", index)) for index in SHARDS]
        assert sorted(share.returncode for share in shares) == [0, 0, 0, 6], [share.stderr for share in shares]
        host = gitlab.environ(tmp_path, number=7)
        commented = run(jobs["comment"], tmp_path, **host)
        assert commented.returncode == 0, commented.stderr
        (body,) = gitlab.bodies
        assert "Plan: 9 to add, 0 to change, 0 to destroy. 1 organisation failed and is left out." in body
        applied = run(jobs["apply"], tmp_path, **shared)
        assert applied.returncode == 6
        assert [len(api.store.channels(f"org-{number}")) for number in range(10)] == [1] * 7 + [0] + [1] * 2
        seen = [run(jobs["drift"], tmp_path, **shared, **node("drift", index)) for index in SHARDS]
        assert sorted(share.returncode for share in seen) == [0, 0, 0, 6], [share.stderr for share in seen]
        kept = run(jobs["issue"], tmp_path, **gitlab.environ(tmp_path, number=None))
        assert kept.returncode == 0, kept.stderr
        assert "but 1 organisation failed." in kept.stdout


def test_the_drift_of_the_plain_example_is_told_beside_an_organisation_that_fails(tmp_path: Path) -> None:
    commit(repository(tmp_path), FLEET)
    with emulated() as api, fake_gitlab() as gitlab, troubled(api, "org-7") as url:
        environ = {**api.environ, "MOSEND_BASE_URL": url, **gitlab.environ(tmp_path, number=None)}
        drifted = run(plain()["drift"], tmp_path, **environ)
        assert drifted.returncode == 6, drifted.stderr
        assert "Opened the issue" in drifted.stdout
        failed = json.loads((tmp_path / "drift.json").read_text(encoding="utf-8"))["failed"]
        assert [one["organization"] for one in failed] == ["org-7"]


def test_the_drift_is_told_beside_an_organisation_whose_files_are_wrong(tmp_path: Path) -> None:
    """Somebody deleted a pinned channel, which nothing can be compared with: exit code 1, of one organisation."""
    pinned = "version: 1\norganization: org-x\nchannels: [{name: Support, sync: {id: gone}}]\n"
    commit(repository(tmp_path), {**FLEET, "channels/x.yaml": pinned})
    with emulated() as api, fake_gitlab() as gitlab:
        drifted = run(plain()["drift"], tmp_path, **api.environ, **gitlab.environ(tmp_path, number=None))
        assert drifted.returncode == 1, drifted.stderr
        assert "Opened the issue" in drifted.stdout
        assert 'organisation "org-x"' in drifted.stderr
        (tmp_path / "channels/x.yaml").write_text("version: 2\n", encoding="utf-8")
        commit(tmp_path, {})
        wrong = run(plain()["drift"], tmp_path, **api.environ, **gitlab.environ(tmp_path, number=None))
        assert (wrong.returncode, "issue" in wrong.stdout) == (1, False)


@pytest.mark.variation
def test_on_github_the_drift_is_told_beside_an_organisation_whose_files_are_wrong(pipeline: Pipeline) -> None:
    pinned = "version: 1\norganization: org-x\nchannels: [{name: Support, sync: {id: gone}}]\n"
    pipeline.declare({**FLEET, "channels/x.yaml": pinned})
    drifted = pipeline.scheduled("drift")
    assert drifted.code == 1, drifted.log
    assert "Opened the issue" in drifted.log
    assert len(pipeline.host.issues) == 1


def node(job: str, index: int) -> dict[str, str]:
    """What GitLab tells the jobs of `parallel`."""
    return {"CI_NODE_INDEX": str(index), "CI_NODE_TOTAL": "4", "CI_JOB_NAME": f"{job} {index}/4"}


def troubled(api: Emulated, organization: str) -> Any:
    """The address of the emulator with a revoked key for one organisation."""
    app = build_app(api.store)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        refused = JSONResponse({"statusCode": 401, "error": "Unauthorized", "message": "revoked"}, 401)
        mine = re.match(rf"/organizations/{organization}/", scope.get("path", ""))
        await (refused if mine else app)(scope, receive, send)

    return serve(answer)
