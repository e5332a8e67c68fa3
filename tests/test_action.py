"""The GitHub Action, step by step in its own shell, against the emulator and a small GitHub, over HTTP."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from runpy import run_path
from typing import Any

import anyio
import pytest
import yaml

from action_runner import ROOT, Ended, Runner, filled
from applying import KEY
from commands import Emulated, emulated, invoke
from fake_actions import FORK, REPOSITORY, FakeActions
from pipelines import save_plan
from planning import declare
from variations import variation
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.planfile.digest import document_digest
from webchat_sync.render.refusal import REFUSAL

pytestmark = pytest.mark.slow

MANIFEST = """\
version: 1
organization: acme
channels:
  - name: Support
    welcomeMessage: Hi!
  - name: Sales
    theme: dark
"""
HEAD, MERGE = "a1", "b2"
PAGE = effects.html()
FOUND = "run-id=100\nartifact-id=5000\n"
REVIEWED_PLAN = ROOT / "scripts" / "action" / "reviewed_plan.py"
main = run_path(str(REVIEWED_PLAN))["main"]


@pytest.fixture
def api() -> Iterator[Emulated]:
    with emulated({"name": "Support", "welcomeMessage": "Hello"}) as api:
        yield api


@pytest.fixture
def runner(tmp_path: Path, api: Emulated) -> Iterator[Runner]:
    (tmp_path / "repository" / "my channels").mkdir(parents=True)
    (tmp_path / "repository" / "my channels" / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "temporary").mkdir()
    with FakeActions().served() as github:
        environ = {"MOSEND_BASE_URL": api.url}
        yield Runner(tmp_path / "repository", tmp_path / "temporary", github, environ)


INPUTS = {"paths": "my channels/", "api_key": KEY, "comment": "false", "memory": "file"}


def planned(runner: Runner, run: int = 100, **more: str) -> Ended:
    return runner.run(runner.github.start(run, HEAD), command="plan", **INPUTS, **more)


def applied(runner: Runner, *, merge: Mapping[str, Any] | None = None, **more: str) -> Ended:
    return runner.run(runner.github.merge(MERGE, HEAD, **merge or {}), command="apply", **INPUTS, **more)


def test_the_reviewed_plan_goes_from_the_pull_request_to_the_merge(runner: Runner, api: Emulated) -> None:
    plan = planned(runner)
    assert (plan.code, plan.outputs["exit-code"], plan.outputs["has-changes"]) == (0, "2", "true")
    assert (plan.outputs["add"], plan.outputs["change"], plan.outputs["destroy"]) == ("1", "1", "0")
    assert json.loads(Path(plan.outputs["plan"]).read_text(encoding="utf-8"))["summary"]["create"] == 1
    assert "Keep the plan for the merge" in plan.ran
    assert api.taken_calls() == ["GET"]

    merge = applied(runner)
    assert (merge.code, merge.outputs["exit-code"]) == (0, "0")
    assert "Apply complete! Channels: 1 added, 1 changed, 0 destroyed." in merge.log
    assert json.loads(Path(merge.outputs["report"]).read_text(encoding="utf-8"))["outcome"] == "converged"
    assert "Support" in merge.summary
    assert [channel["name"] for channel in api.store.channels("acme")] == ["Support", "Sales"]

    again = planned(runner, run=101)
    assert (again.code, again.outputs["exit-code"], again.outputs["has-changes"]) == (0, "0", "false")


@pytest.mark.variation
def test_of_several_runs_on_the_last_commit_the_newest_plan_counts(runner: Runner, api: Emulated) -> None:
    planned(runner, run=100)
    api.store.update("acme", str(api.store.channels("acme")[0]["id"]), {"welcomeMessage": "Hey"})
    planned(runner, run=101)
    assert applied(runner).code == 0


@pytest.mark.parametrize(
    ("merge", "run", "artifact"),
    [
        pytest.param({"merge_commit_sha": "c3"}, {}, {}, id="no pull request's merge"),
        pytest.param({"merged_at": None}, {}, {}, id="not merged"),
        pytest.param({"base": {"repo": FORK}}, {}, {}, id="merged elsewhere"),
        pytest.param({"head": {"sha": HEAD, "repo": FORK}}, {}, {}, id="came from a fork"),
        pytest.param({"head": {"sha": HEAD, "repo": None}}, {}, {}, id="came from a fork that is gone"),
        pytest.param({"head": {"sha": "a2", "repo": REPOSITORY}}, {}, {}, id="another commit was planned"),
        pytest.param({}, {"conclusion": "failure"}, {}, id="the run failed"),
        pytest.param({}, {"event": "workflow_dispatch"}, {}, id="not the run of a pull request"),
        pytest.param({}, {"head_repository": FORK}, {}, id="the run of a fork"),
        pytest.param({}, {}, {"expired": True}, id="expired"),
        pytest.param({}, {}, {"name": "webchat-sync-plan-staging"}, id="the plan of something else"),
    ],
)
def test_a_plan_counts_only_when_it_was_reviewed_here(
    merge: dict[str, Any], run: dict[str, Any], artifact: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeActions().served() as github:
        environ = reviewed(github)
        assert found(environ, capsys) == (0, FOUND)
        github.pulls[MERGE][0].update(merge)
        github.raw = "repo" in merge.get("head", {}) and merge["head"]["repo"] is None  # which the description forgets
        github.runs[0].update(run)
        github.artifacts[0].update(artifact)
        assert found(environ, capsys) == (4, "")


def reviewed(github: FakeActions) -> dict[str, str]:
    """A plan is reviewed and merged; gives the variables of the push's runner."""
    github.start(100, HEAD)
    github.keep("webchat-sync-plan", "plan.json", b"", run=100)
    push = github.merge(MERGE, HEAD)
    return {"GITHUB_API_URL": github.url, "GITHUB_TOKEN": github.token, **github.variables, **push}


def found(environ: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main("webchat-sync-plan", environ, sleep=pytest.fail)
    out, err = capsys.readouterr()
    assert ("No reviewed plan was found" in err) == (code == 4)
    return code, out


@pytest.mark.parametrize(
    ("name", "plans", "code", "said"),
    [
        ("reviewed_plan.py", 1, 6, "the runner didn't set GITHUB_API_URL"),
        ("same_changes.py", 2, 0, ""),
        ("plan_outputs.py", 1, 0, "has-changes=true"),
        ("old_commit.py", 0, 0, "The run continues without this check"),
    ],
)
def test_each_script_is_a_program(name: str, plans: int, code: int, said: str, tmp_path: Path) -> None:
    """Without anything that another module has imported."""
    plan = save_plan(tmp_path, [declare("Support")], [])
    script = [sys.executable, "-I", str(REVIEWED_PLAN.with_name(name)), *[str(plan)] * plans]
    done = subprocess.run(script, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize(
    ("trouble", "tries"),
    [
        pytest.param(effects.status(502), 5, id="5xx"),
        pytest.param(effects.status(429), 5, id="too many requests"),
        pytest.param(effects.status(403, retry_after=9), 5, id="a rate limit"),
        pytest.param(effects.drop(), 5, id="no answer"),
        pytest.param(effects.status(403), 1, id="a token without the right"),
        pytest.param(PAGE, 5, id="no JSON"),
    ],
)
def test_a_github_that_does_not_answer_is_asked_again_and_is_no_missing_plan(
    trouble: effects.Effect, tries: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for last, code in ((tries, 6), (tries - 1, 0)):
        faults = Faults([Fault(trouble, path="*/pulls", nth=frozenset(range(1, last + 1)))])
        # A page of HTML is no answer of GitHub's: it comes from a proxy.
        with FakeActions().served(*([None, faults] if trouble is PAGE else [faults])) as github:
            pauses: list[float] = []
            assert main("webchat-sync-plan", reviewed(github), sleep=pauses.append) == code
        out, err = capsys.readouterr()
        assert pauses == sorted(pauses)
        assert len(pauses) == tries - 1
        assert out == ("" if code else FOUND)
        unread = "Can't get the reviewed plan from GitHub: .* If the problem was temporary, run this job again"
        assert bool(re.match(unread, err)) == (code == 6)


@pytest.mark.parametrize(
    ("variables", "pull", "said"),
    [
        ({"GITHUB_REPOSITORY_ID": ""}, {}, "the runner didn't set GITHUB_REPOSITORY_ID"),
        ({"GITHUB_SHA": ""}, {}, "the runner didn't set GITHUB_SHA"),
        ({"GITHUB_TOKEN": ""}, {}, "github-token is empty"),
        ({}, {"number": 7}, "'merged_at'"),
    ],
)
def test_what_is_missing_is_told_in_words(
    variables: dict[str, str], pull: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeActions().served() as github:
        environ = {**reviewed(github), **variables}
        if pull:
            github.pulls[MERGE], github.raw = [pull], True
        assert main("webchat-sync-plan", environ, sleep=pytest.fail) == 6
    out, err = capsys.readouterr()
    assert (out, said in err, err.count("\n")) == ("", True, 1)


def test_more_than_a_page_of_runs_on_one_commit_is_looked_through(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeActions().served() as github:
        environ = reviewed(github)
        github.runs[:0] = [{**github.runs[0], "id": number} for number in range(1000, 1240)]
        assert found(environ, capsys) == (0, FOUND)


TWO = (("c1" * 20, "a1"), ("c2" * 20, "a2"))
"""Two pull requests that are merged in one push: the commit of each merge, and its last commit."""


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda github: github.requests.clear(), ""),
        (lambda github: github.artifacts[0].update(expired=True), "this push merged 2 requests at once"),
        (lambda github: github.runs[1].update(conclusion="failure"), "this push merged 2 requests at once"),
        (lambda github: github.pulls[TWO[1][0]][0]["head"].update(repo=FORK), "came from a fork"),
        (lambda github: github.pulls[TWO[0][0]][0].update(merged_at=None), f"{TWO[0][0]} isn't the merge of a pull"),
        (lambda github: github.pulls.pop(TWO[0][0]), f"{TWO[0][0]} isn't the merge of a pull request"),
    ],
)
def test_the_plans_of_two_requests_in_one_push_are_found_if_both_were_reviewed(
    spoil: Callable[[FakeActions], object], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeActions().served() as github:
        environ = reviewed(github)
        github.start(101, "a2")
        github.keep("webchat-sync-plan", "plan.json", b"the second", run=101)
        environ |= github.push(tmp_path / "event.json", *TWO)
        spoil(github)
        (tmp_path / "plans").mkdir()
        code = main("webchat-sync-plan", environ, folder=str(tmp_path / "plans"), sleep=pytest.fail)
    out, err = capsys.readouterr()
    assert (code, out, said in err) == (4 if said else 0, "", True), err
    kept = {file.read_bytes() for file in (tmp_path / "plans").iterdir()}
    assert kept == (set() if said else {b"", b"the second"})


def in_queue(runner: Runner) -> None:
    """Two pull requests are planned, each from what was live and merged before: one changes Support, one adds Sales."""
    file = runner.workspace / "my channels" / "channels.yaml"
    for run, head, text in (
        (100, "a1", MANIFEST.replace("  - name: Sales\n    theme: dark\n", "")),
        (101, "a2", MANIFEST.replace("Hi!", "Hello")),
    ):
        file.write_text(text, encoding="utf-8")
        assert runner.run(runner.github.start(run, head), command="plan", **INPUTS).code == 0
    file.write_text(MANIFEST, encoding="utf-8")


def test_two_requests_that_a_queue_merges_in_one_push_are_applied_together(runner: Runner, api: Emulated) -> None:
    in_queue(runner)
    event = runner.github.push(runner.temporary / "event.json", *TWO)
    merge = runner.run(event, command="apply", **INPUTS)
    assert merge.code == 0, merge.log
    assert [channel["name"] for channel in api.store.channels("acme")] == ["Support", "Sales"]
    assert api.store.channels("acme")[0]["welcomeMessage"] == "Hi!"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        variation(lambda github: github.artifacts[0].update(expired=True), "this push merged 2 requests at once"),
        variation(lambda github: github.runs[1].update(conclusion="failure"), "this push merged 2 requests at once"),
        variation(lambda github: github.pulls.pop(TWO[0][0]), f"{TWO[0][0]} isn't the merge of a pull request"),
        (lambda github: github.files.update({5002: github.files[5000]}), "none of the requests had this change"),
    ],
)
def test_of_two_requests_in_one_push_each_must_have_been_reviewed(
    spoil: Callable[[FakeActions], object], said: str, runner: Runner, api: Emulated
) -> None:
    in_queue(runner)
    event = runner.github.push(runner.temporary / "event.json", *TWO)
    spoil(runner.github)
    merge = runner.run(event, command="apply", **INPUTS)
    assert (merge.code, merge.outputs["exit-code"], said in merge.log) == (4, "4", True), merge.log
    assert set(api.taken_calls()) == {"GET"}


@pytest.mark.variation
def test_a_request_whose_commits_were_rebased_is_one_request(runner: Runner) -> None:
    planned(runner)
    github = runner.github
    event = github.push(runner.temporary / "event.json", ("c1" * 20, HEAD), ("c2" * 20, HEAD))
    (pull,) = github.pulls["c2" * 20]
    github.pulls["c1" * 20] = [pull]
    github.keep("webchat-sync-plan", *github.files[5000], run=100)
    merge = runner.run(event, command="apply", **INPUTS)
    assert (merge.code, "Get the reviewed plan" in merge.ran) == (0, True), merge.log


@pytest.mark.variation
def test_an_enterprise_server_has_older_artifacts(runner: Runner, api: Emulated) -> None:
    runner.environ = {**runner.environ, "GITHUB_SERVER_URL": "https://github.example.com"}
    plan, merge = planned(runner), applied(runner)
    assert (plan.code, merge.code) == (0, 0), merge.log
    older = "Keep the plan for the merge on GitHub Enterprise Server"
    assert (older in plan.ran, "Keep the plan for the merge" in plan.ran) == (True, False)
    assert "Get the reviewed plan" not in merge.ran
    assert len(api.store.channels("acme")) == 2


@pytest.mark.alike
@pytest.mark.parametrize("given", [{}, {"MOSEND_API_KEY": "mk_test_other.key"}])
def test_an_input_that_is_empty_leaves_the_runners_own_variable_alone(
    given: dict[str, str], runner: Runner, api: Emulated
) -> None:
    """A machine of your own has them in its environment, which no expression can see."""
    machine = {
        "MOSEND_API_KEY": KEY,
        "MOSEND_ORG_ID": "acme",
        "WEBCHAT_SYNC_ALLOW_ENV": "GREETING",
        "WEBCHAT_SYNC_ALLOW_PATHS": f"{runner.temporary}/*",
        "GREETING": "Hi!",
    }
    manifest = runner.workspace / "my channels" / "channels.yaml"
    manifest.write_text(
        MANIFEST.replace("acme", "${MOSEND_ORG_ID}").replace("Hi!", "${GREETING}")
        + f"settings: {{ledger: {runner.temporary}/ledger.json}}\n",
        encoding="utf-8",
    )
    runner.machine = machine
    inputs = {"paths": "my channels/", "reviewed": "none", "memory": "file", "api_key": KEY if given else ""}
    ended = runner.run(given, command="apply", **inputs)
    assert ended.code == 0, ended.log
    assert api.store.channels("acme")[0]["welcomeMessage"] == "Hi!"


def test_paths_outside_of_the_repository_are_the_operators_choice(runner: Runner) -> None:
    manifest = runner.workspace / "my channels" / "channels.yaml"
    manifest.write_text(f"{MANIFEST}settings: {{ledger: {runner.temporary}/ledger.json}}\n", encoding="utf-8")
    assert runner.run(command="plan", **INPUTS).code == 1
    allowed = runner.run(command="plan", allow_path=f"/nowhere\n{runner.temporary}/*", **INPUTS)
    assert allowed.code == 0, allowed.log


OLD, NEW = "0d" * 20, "0e" * 20


@pytest.mark.alike
@pytest.mark.parametrize(
    ("event", "more", "code"),
    [
        pytest.param({"GITHUB_EVENT_NAME": "workflow_dispatch"}, {}, 5, id="by hand"),
        variation({"GITHUB_EVENT_NAME": "schedule", "GITHUB_RUN_ATTEMPT": "2"}, {}, 5, id="a schedule, repeated"),
        pytest.param({"GITHUB_EVENT_NAME": "push", "GITHUB_RUN_ATTEMPT": "2"}, {}, 5, id="a push, repeated"),
        pytest.param({"GITHUB_EVENT_NAME": "push"}, {}, 0, id="a push that waited"),
        pytest.param({"GITHUB_EVENT_NAME": "workflow_dispatch"}, {"allow_old_commit": "true"}, 0, id="meant"),
        pytest.param(
            {"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_TOKEN": "of the job"},
            {"allow_old_commit": "true"},
            *(0,),
            id="meant, in a job with a token",
        ),
        variation({"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_SHA": NEW}, {}, 0, id="the head"),
        variation({"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_REF": "refs/tags/v1"}, {}, 0, id="a tag"),
        variation({"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_REF": "refs/heads/x/y"}, {}, 0, id="gone"),
    ],
)
def test_an_old_commit_is_not_rolled_back_to_by_mistake(
    event: dict[str, str], more: dict[str, str], code: int, runner: Runner, api: Emulated
) -> None:
    runner.github.heads["main"] = NEW
    run = {"GITHUB_SHA": OLD, "GITHUB_REF": "refs/heads/main", **event}
    ended = runner.run(run, command="apply", reviewed="none", **INPUTS, **more)
    assert (ended.code, ended.outputs["exit-code"]) == (code, str(code)), ended.log
    assert ("allow-old-commit" in ended.log) == (code == 5)
    if code:
        assert api.taken_calls() == []


@pytest.mark.parametrize(("option", "code"), [([], 5), variation(["--allow-old-commit"], 0)])
def test_an_apply_without_the_action_refuses_an_old_commit_too(option: list[str], code: int, runner: Runner) -> None:
    runner.github.heads["release/1"] = NEW
    environ = {
        **runner.environ,
        **runner.github.variables,
        "MOSEND_API_KEY": KEY,
        "GITHUB_ACTIONS": "true",
        "GITHUB_TOKEN": runner.github.token,
        "GITHUB_API_URL": runner.github.url,
        "GITHUB_REF": "refs/heads/release/1",
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_SHA": OLD,
    }
    manifest = runner.workspace / "my channels"
    done = invoke("apply", manifest, "--auto-approve", *option, environ=environ, sleep=anyio.sleep)
    assert done.code == code, done.err
    unknown = invoke("apply", manifest, "--auto-approve", *option, environ={**environ, "GITHUB_TOKEN": ""})
    assert unknown.code == 0, unknown.err
    assert ("GITHUB_TOKEN isn't set" in unknown.err) == (not option)


def test_a_github_that_cannot_be_asked_is_told_by_the_exit_code(runner: Runner, api: Emulated) -> None:
    planned(runner)
    with FakeActions().served(Faults([Fault(effects.status(403))])) as refusing:
        runner.github = refusing
        merge = applied(runner)
    assert (merge.code, merge.outputs["exit-code"]) == (6, "6")
    assert set(api.taken_calls()) == {"GET"}


@pytest.mark.variation
def test_without_a_reviewed_plan_nothing_is_applied(runner: Runner, api: Emulated) -> None:
    merge = applied(runner)
    assert (merge.code, merge.outputs["exit-code"]) == (4, "4")
    assert "No reviewed plan was found" in merge.log
    assert "Apply" not in merge.ran
    assert api.taken_calls() == ["GET"]


@pytest.mark.variation
def test_a_plan_is_stale_when_the_channel_was_changed_since(runner: Runner, api: Emulated) -> None:
    planned(runner)
    api.store.update("acme", str(api.store.channels("acme")[0]["id"]), {"welcomeMessage": "Hey"})
    merge = applied(runner)
    assert (merge.code, merge.outputs["exit-code"], merge.outputs["report"]) == (4, "4", "")
    assert "no longer match the reviewed plan" in merge.log
    assert set(api.taken_calls()) == {"GET"}


@pytest.mark.variation
def test_an_artifact_cannot_ask_for_more_than_the_merged_manifests(runner: Runner, api: Emulated) -> None:
    manifest = runner.workspace / "my channels" / "channels.yaml"
    manifest.write_text(MANIFEST.replace("Hi!", "Visit evil.example"), encoding="utf-8")
    planned(runner)
    manifest.write_text(MANIFEST, encoding="utf-8")
    merge = applied(runner)
    assert merge.code == 4
    assert "no longer match the reviewed plan" in merge.log
    assert set(api.taken_calls()) == {"GET"}


PROTECTED = "version: 1\norganization: acme\nchannels: [{name: Support, enabled: false, sync: {protect: true}}]\n"


def test_an_artifact_cannot_talk_a_guard_away(runner: Runner, api: Emulated) -> None:
    (runner.workspace / "my channels" / "channels.yaml").write_text(PROTECTED, encoding="utf-8")
    planned(runner)
    name, content = runner.github.files[5000]
    document = json.loads(content)
    assert applied(runner).code == 5, "the guard of the plan that the merge made"
    document["organizations"][0]["changes"][0]["protected"] = False
    document["digest"] = document_digest({key: value for key, value in document.items() if key != "digest"})
    runner.github.files[5000] = (name, json.dumps(document).encode())
    merge = applied(runner)
    assert merge.code == 4
    assert 'channel "Support" of acme: protected)' in merge.log
    assert set(api.taken_calls()) == {"GET"}
    assert api.store.channels("acme")[0]["enabled"] is True


@pytest.mark.variation
def test_an_artifact_that_is_no_plan_is_refused(runner: Runner, api: Emulated) -> None:
    planned(runner)
    runner.github.files[5000] = ("plan.json", b'{"format_version": "1.3", "organizations": []}')
    assert applied(runner).code == 4
    runner.github.files[5000] = ("plan.json", b"[]")
    assert applied(runner).code == 1
    assert set(api.taken_calls()) == {"GET"}


@pytest.mark.variation
def test_a_merge_that_changes_nothing_needs_no_reviewed_plan(runner: Runner, api: Emulated) -> None:
    assert runner.run(command="apply", reviewed="none", **INPUTS).code == 0
    api.taken_calls()
    merge = applied(runner)
    assert merge.code == 0
    assert "No changes" in merge.log
    assert runner.github.requests == []
    assert set(api.taken_calls()) == {"GET"}


def test_what_the_guards_refuse_is_shown_and_fails(runner: Runner, api: Emulated) -> None:
    manifest = runner.workspace / "my channels" / "channels.yaml"
    manifest.write_text(
        "version: 1\norganization: acme\nchannels: [{name: Support, enabled: false, sync: {protect: true}}]\n",
        encoding="utf-8",
    )
    plan = planned(runner)
    assert (plan.code, plan.outputs["exit-code"], plan.outputs["change"]) == (5, "5", "1")
    assert [kept["name"] for kept in runner.github.artifacts] == ["webchat-sync-plan", "webchat-sync-plan.html"]
    assert "title=refused by a guard::channel" in plan.log
    refused = runner.run(command="apply", reviewed="none", **INPUTS)
    assert (refused.code, REFUSAL in refused.summary) == (5, True)
    assert set(api.taken_calls()) == {"GET"}
    allowed = {"apply_arguments": "--max-deletes\n3\n--allow-protected\n--parallelism=1"}
    applied = runner.run(command="apply", reviewed="none", **INPUTS, **allowed)
    assert (applied.code, REFUSAL in applied.summary) == (0, False), applied.log
    assert api.store.channels("acme")[0]["enabled"] is False


@pytest.mark.parametrize(
    ("declared", "guard"),
    [
        ("channels: [{name: Support, identityRequired: true}]", "--strict"),
        ("channels: [{name: Support, sync: {state: absent}}]", "--max-deletes=0"),
    ],
)
def test_a_guard_of_the_plan_holds_for_the_apply(runner: Runner, api: Emulated, declared: str, guard: str) -> None:
    """And it refuses a plan for all organisations, so none of them counts as the one that failed."""
    manifest = runner.workspace / "my channels" / "channels.yaml"
    manifest.write_text(f"version: 1\norganization: acme\n{declared}\n", encoding="utf-8")
    for inputs in ({"command": "plan", "failed_organizations": "warn"}, {"command": "apply", "reviewed": "none"}):
        refused = runner.run(**inputs, **INPUTS, arguments=guard)
        assert (refused.code, refused.outputs["exit-code"]) == (5, "5"), refused.log
    assert REFUSAL in refused.summary
    assert set(api.taken_calls()) == {"GET"}


def test_problems_become_annotations_and_nothing_is_planned(runner: Runner, api: Emulated) -> None:
    (runner.workspace / "my channels" / "channels.yaml").write_text("version: 1\nchannels: [{}]\n", encoding="utf-8")
    for command in ("validate", "plan"):
        ended = runner.run(command=command, organization="acme", **INPUTS)
        assert (ended.code, ended.outputs["exit-code"], ended.outputs["plan"]) == (1, "1", "")
        assert "::error file=my channels/channels.yaml,line=2" in ended.log
    assert api.taken_calls() == []
    assert runner.github.artifacts == []


def test_an_organisation_that_nobody_named_is_not_an_empty_one(runner: Runner) -> None:
    manifest = runner.workspace / "my channels" / "channels.yaml"
    manifest.write_text(MANIFEST.replace("acme", "${MOSEND_ORG_ID}"), encoding="utf-8")
    assert "`MOSEND_ORG_ID` isn't set" in runner.run(command="validate", **INPUTS).log
    assert runner.run(command="validate", organization="acme", **INPUTS).code == 0
    assert runner.run({"MOSEND_ORG_ID": "acme"}, command="validate", **INPUTS).code == 0


def test_a_refused_key_is_told_by_the_exit_code(runner: Runner) -> None:
    with emulated(faults=Faults([Fault(effects.status(401))])) as refusing:
        ended = runner.run({"MOSEND_BASE_URL": refusing.url}, command="plan", **INPUTS)
    assert (ended.code, ended.outputs["exit-code"], ended.outputs["has-changes"]) == (6, "6", "")


def test_inputs_are_neither_run_nor_globbed_and_lists_end_at_line_ends(runner: Runner) -> None:
    overlay = runner.workspace / "over lay.yaml"
    overlay.write_text("channels: [{name: Support, color: '#0f766e'}]\n", encoding="utf-8")
    (runner.workspace / "a*").mkdir()
    (runner.workspace / "ab").mkdir()
    (runner.workspace / "ab" / "broken.yaml").write_text("broken", encoding="utf-8")
    (runner.workspace / "a*" / "more.yaml").write_text(
        "version: 1\norganization: acme\nchannels: []\n", encoding="utf-8"
    )
    ended = runner.run(
        command="validate", paths="my channels/\na*\n", overlays="\nover lay.yaml\n", organization="acme"
    )
    assert ended.code == 0, ended.log
    for each in ("$(touch run)", "`touch run`", "; touch run", "'\"; touch run"):
        rest = dict.fromkeys(("overlays", "arguments", "organization", "label", "api_key", "python_version"), each)
        assert runner.run(command="validate", paths=each).code == 1
        assert runner.run(command="drift", **rest).code == 1
        assert runner.run(command=each).code == 64
    assert not [*runner.workspace.parent.rglob("run")]


def test_the_key_is_in_no_output_file_or_log(runner: Runner) -> None:
    ended = [planned(runner), applied(runner)]
    files = [path for each in ended for path in each.machine.temporary.rglob("*") if path.is_file()]
    assert {"plan.json", "report.json", "summary"} <= {path.name for path in files}
    secret = KEY.partition(".")[2]
    assert not [path for path in files if secret.encode() in path.read_bytes()]
    assert not [each for each in ended if secret in each.log or secret in str(each.outputs)]


@pytest.mark.parametrize("wrong", [{"command": "destroy"}, {"command": "apply", "reviewed": "no"}])
def test_a_wrong_input_ends_the_run_before_anything_else(runner: Runner, wrong: dict[str, str]) -> None:
    ended = runner.run(**wrong)
    assert (ended.code, ended.ran) == (64, ("Check the inputs",))
    assert "::error::webchat-sync: " in ended.log


@pytest.mark.installs
def test_what_the_action_installs_runs(runner: Runner) -> None:
    assert runner.install() == 0
    program = runner.temporary / "webchat-sync" / "bin" / "webchat-sync"
    assert runner.file("path") == f"{program.parent}\n"
    version = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("webchat-sync ")


def test_an_option_that_decides_about_a_secret_goes_to_the_plan_and_to_the_apply(runner: Runner, api: Emulated) -> None:
    (channel,) = api.store.channels("acme")
    api.store.rotate_identity_secret("acme", str(channel["id"]))
    sink = "sync: {identitySecret: {deliver: [{file: site.secret}]}}"
    declared = f"version: 1\norganization: acme\nchannels:\n  - name: Support\n    identityRequired: true\n    {sink}\n"
    (runner.workspace / "my channels" / "channels.yaml").write_text(declared, encoding="utf-8")

    assert planned(runner, arguments="--rotate=Support").code == 0
    unlike = applied(runner)
    assert unlike.outputs["exit-code"] == "4"
    assert "the merged manifests no longer match the reviewed plan" in unlike.log
    merge = applied(runner, arguments="--rotate=Support")
    assert merge.code == 0, merge.log
    assert api.store.channels("acme")[0]["identityRequired"] is True


@pytest.mark.parametrize(
    ("memory", "given", "token"),
    [
        ("git", "", "of the job"),
        ("git#refs/team/memory", "", "of the job"),
        ("git#refs/team/memory", "own", "own"),
        ("https://git.example.com/acme/memory.git", "", ""),
        ("https://git.example.com/acme/memory.git", "own", "own"),
        ("file", "", ""),
    ],
)
def test_the_token_of_the_job_is_for_a_memory_in_this_repository(memory: str, given: str, token: str) -> None:
    inputs = {"memory": memory, "memory-token": given, "github-token": "of the job"}
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    expressions = [
        step["env"]["INPUT_MEMORY_TOKEN"]
        for step in action["runs"]["steps"]
        if "INPUT_MEMORY_TOKEN" in step.get("env", {})
    ]
    assert len(expressions) == 2
    assert [filled(text, {"inputs": inputs}) for text in expressions] == [token, token]


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        pytest.param("settings: {apiKeyEnv: MOSEND_API_KEY_NONE}\nchannels: [{name: A}]\n", 1, id="no key"),
        variation("channels: [{name: A, sync: {id: gone}}]\n", 1, id="a pinned channel that was deleted"),
    ],
)
def test_an_organisation_that_fails_does_not_stop_the_others(
    api: Emulated, runner: Runner, manifest: str, code: int
) -> None:
    file = runner.workspace / "my channels" / "other.yaml"
    file.write_text(f"version: 1\norganization: other\n{manifest}", encoding="utf-8")
    assert runner.run(command="plan", failed_organizations="warn", **INPUTS).code == 0
    applied = runner.run(command="apply", reviewed="none", **INPUTS)
    assert (applied.code, 'organisation "other"' in applied.log) == (code, True), applied.log
    assert {channel["name"] for channel in api.store.channels("acme")} == {"Support", "Sales"}
    file.write_text("version: 2\n", encoding="utf-8")
    assert runner.run(command="plan", failed_organizations="warn", **INPUTS).code == 1
