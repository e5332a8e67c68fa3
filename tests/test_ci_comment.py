from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from fake_github import MOST_CHARACTERS, REPOSITORY, TOKEN, FakeGitHub, fake_github
from fake_gitlab import fake_gitlab
from fake_time import FakeTime
from pipelines import GITHUB, GITLAB, Host, changed_plan, clean_plan, refused_plan, run_ci, save_plan
from planning import NOW, catalogue, declare, live
from scripted_server import ScriptedServer
from variations import variation
from webchat_sync.create_once import LOOKS
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.emulator.effects import Effect
from webchat_sync.forge.environment import read_run
from webchat_sync.model import Listing, Manifest
from webchat_sync.plan.make import make_plan
from webchat_sync.planfile.writer import render_plan

pytestmark = pytest.mark.slow

MARKER = "<!-- webchat-sync comment organization=acme label=production -->"
SUMMARY = 1024 * 1024
OF_A_FORK = {
    "event": "pull_request",
    "pull_requests": [],
    "head_branch": "fix",
    "head_repository": {"owner": {"login": "fork"}},
}


def after_workflow(changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The event of a run that follows a workflow, about the pull request 5 but for ``changes``."""
    pull = {"number": 5, "base": {"repo": {"id": 1}}, "head": {"repo": {"id": 1}, "sha": "abc"}, **changes}
    run: dict[str, Any] = {"event": "pull_request", "head_sha": "abc", "head_branch": "fix", "pull_requests": [pull]}
    run |= {"head_repository": {"id": 1, "owner": {"login": "acme"}}, **more}
    return {"repository": {"id": 1}, "workflow_run": run}


both = pytest.mark.parametrize("host", [GITHUB, GITLAB], ids=repr)
PLACES = {
    GITHUB: "With the GitHub Action, use its inputs `arguments` and `apply-arguments`.",
    GITLAB: "With the GitLab component, use its inputs `plan-arguments` and `apply-arguments`.",
}


def comment(plan: Path, environ: dict[str, str], *more: str, time: FakeTime | None = None) -> Any:
    return run_ci("comment", plan, "--label", "production", *more, environ=environ, time=time)


@both
def test_the_comment_and_the_summary_say_what_a_guard_refuses_and_the_way_out(host: Host, tmp_path: Path) -> None:
    said = (
        "**A guard refuses this plan:**\n\n"
        '- channel `"Support"` is protected and would be switched off. Remove `sync.protect` from its declaration '
        "first, in a separate change, or use `--allow-protected`.\n\n"
        "In the pipeline, pass `--allow-protected` to both the plan and the apply. "
        f"{PLACES[host]}\n"
    )
    with host.begin(None) as fake:
        summary = tmp_path / "summary.md"
        environ = {**fake.environ(tmp_path), "GITHUB_STEP_SUMMARY": str(summary)}
        assert comment(refused_plan(tmp_path), environ).code == 0
        assert said in fake.bodies[0]
        assert host is GITLAB or said in summary.read_text(encoding="utf-8")
        assert comment(changed_plan(tmp_path), environ).code == 0
        assert "refuses" not in fake.bodies[0]


@both
def test_one_comment_is_posted_found_again_and_brought_up_to_date(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        environ = fake.environ(tmp_path)
        posted = comment(changed_plan(tmp_path), environ)
        assert posted.out.startswith("Posted the comment: https://")
        assert fake.methods == ["POST"]
        (body,) = fake.bodies
        assert body.startswith(f"{MARKER}\n<!-- webchat-sync plan organization=acme digest=sha256:")
        assert "### `production`: Plan: 0 to add, 1 to change, 0 to destroy." in body
        assert "[The run that reported this](https://git" in body
        fake.calls.clear()

        again = comment(changed_plan(tmp_path), environ)
        assert again.out.startswith("The comment is already up to date: https://")
        assert fake.methods == []

        assert comment(clean_plan(tmp_path), environ).out.startswith("Updated the comment: https://")
        assert fake.methods == [host.edit]
        (body,) = fake.bodies
        assert "No changes. The live channels match the manifest." in body


def test_a_comment_is_found_again_however_the_bot_is_called(tmp_path: Path) -> None:
    with fake_github() as github:
        environ = github.environ(tmp_path)
        comment(changed_plan(tmp_path), environ)
        github.viewer = "github-actions"
        assert comment(clean_plan(tmp_path), environ).out.startswith("Updated the comment")
        assert len(github.comments) == 1


@both
def test_an_organization_more_or_less_is_told_in_the_same_comment(host: Host, tmp_path: Path) -> None:
    def plan(*organizations: str) -> Path:
        sides = [(Manifest(each, (declare(),)), Listing("https://api.example", ())) for each in organizations]
        file = tmp_path / f"{'-'.join(organizations)}.json"
        file.write_text(render_plan(make_plan(sides, catalogue=catalogue(), created_at=NOW)), encoding="utf-8")
        return file

    with host.begin(None) as fake:
        environ = fake.environ(tmp_path)
        assert comment(plan("acme"), environ).out.startswith("Posted the comment")
        assert comment(plan("acme", "beta"), environ).out.startswith("Updated the comment")
        assert comment(plan("beta"), environ).out.startswith("Updated the comment")
        assert len(fake.bodies) == 1
        assert comment(plan("gamma"), environ).out.startswith("Posted the comment")


@both
def test_the_page_is_linked_where_there_is_one(host: Host, tmp_path: Path) -> None:
    url = "https://github.com/acme/chat/actions/runs/1/artifacts/5"
    with host.begin(None) as fake:
        environ = fake.environ(tmp_path)
        assert comment(changed_plan(tmp_path), environ, "--report-url", url).code == 0
        assert f"[See it before and after]({url}) · [The run that reported this](https://git" in fake.bodies[0]
        assert comment(changed_plan(tmp_path), environ, "--report-url", "").code == 0
        assert "See it before and after" not in fake.bodies[0]
        if summary := environ.get("GITHUB_STEP_SUMMARY"):
            assert f"[See it before and after]({url})" in Path(summary).read_text(encoding="utf-8")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a) [b](https://c", "page.html", "https://a b"])
def test_a_page_at_no_address_is_wrong_usage(url: str, tmp_path: Path) -> None:
    done = comment(changed_plan(tmp_path), {}, "--report-url", url)
    assert done.code == 64
    assert "isn't a URL" in done.err


@both
def test_a_plan_without_changes_is_commented_too(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        assert comment(clean_plan(tmp_path), fake.environ(tmp_path)).code == 0
        assert "No changes." in fake.bodies[0]


@pytest.mark.alike
@both
def test_the_comment_is_found_on_whatever_page_it_is(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        for number in range(150):
            fake.say(f"remark {number}")
        fake.say(f"{MARKER}\r\nan old plan")
        for number in range(150):
            fake.say(f"remark {number}\n{MARKER}\nis only quoted here")
        assert comment(changed_plan(tmp_path), fake.environ(tmp_path)).out.startswith("Updated the comment")
        assert fake.methods == [host.edit]
        assert "1 to change" in fake.bodies[150]


@both
def test_what_others_wrote_is_left_alone_whatever_it_begins_with(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        fake.say(f"{MARKER}\nNo changes.", stranger=True)
        done = comment(changed_plan(tmp_path), fake.environ(tmp_path))
        assert done.out.startswith("Posted the comment")
        assert done.err == "Left 1 comment with the same marker alone because someone else wrote it.\n"
        assert fake.bodies[0] == f"{MARKER}\nNo changes."
        assert fake.methods == ["POST"]


@both
def test_of_several_the_newest_is_kept_and_the_others_are_deleted(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        for number in range(3):
            fake.say(f"{MARKER}\nplan {number}")
        other = fake.say("<!-- webchat-sync comment organization=acme label=staging -->\nstaging")
        newest = fake.bodies[2]
        done = comment(changed_plan(tmp_path), fake.environ(tmp_path))
        assert done.out.startswith("Updated the comment")
        assert done.err == "Deleted 2 older comments with the same marker.\n"
        assert fake.methods == [host.edit, "DELETE", "DELETE"]
        kept, staging = fake.bodies
        assert (kept != newest, staging) == (True, other["body"])


@both
@pytest.mark.parametrize(
    "effect",
    [
        effects.drop(after_commit=True),
        effects.status(502, after_commit=True),
        effects.html(after_commit=True),
        effects.empty(after_commit=True),
        effects.cut(),
        effects.drop(),
        effects.status(503),
    ],
    ids=["drop", "502", "html", "empty", "cut", "drop-before", "503-before"],
)
def test_a_post_whose_answer_is_lost_never_makes_a_second_comment(host: Host, tmp_path: Path, effect: Effect) -> None:
    proxy = Faults([Fault(effect, "POST", host.comments_path, nth=1)])
    with host.begin(proxy=proxy) as fake:
        assert comment(changed_plan(tmp_path), fake.environ(tmp_path)).out.startswith("Posted the comment")
        assert len(fake.bodies) == 1


@both
def test_a_post_that_never_succeeds_ends_in_doubt(host: Host, tmp_path: Path) -> None:
    time = FakeTime()
    with host.begin(Faults([Fault(effects.drop(), "POST", host.comments_path)])) as fake:
        done = comment(changed_plan(tmp_path), fake.environ(tmp_path), time=time)
        assert (done.code, fake.bodies) == (6, [])
        assert fake.methods == ["POST"] * 3
        assert time.waits == list(LOOKS) * 3


@both
def test_two_runs_that_post_in_the_same_moment_leave_one_comment(host: Host, tmp_path: Path) -> None:
    async def beside(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        fake.say(f"{MARKER}\nthat of the other run")
        await app(scope, receive, send)

    with host.begin(Faults([Fault(beside, "POST", host.comments_path)])) as fake:
        assert comment(changed_plan(tmp_path), fake.environ(tmp_path)).out.startswith("Posted the comment")
        (body,) = fake.bodies
        assert "1 to change" in body


@both
@pytest.mark.parametrize(("status", "code"), [(404, 0), (403, 6)])
def test_a_comment_that_somebody_deletes_meanwhile_is_well(host: Host, tmp_path: Path, status: int, code: int) -> None:
    with host.begin(Faults([Fault(effects.status(status), "DELETE")])) as fake:
        fake.say(f"{MARKER}\n1")
        fake.say(f"{MARKER}\n2")
        assert comment(changed_plan(tmp_path), fake.environ(tmp_path)).code == code


def limited(status: int, headers: dict[str, str], message: str) -> Effect:
    async def act(_app: ASGIApp, _scope: Scope, _receive: Receive, send: Send) -> None:
        body = json.dumps({"message": message}).encode()
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    return act


@pytest.mark.parametrize(
    ("status", "headers", "message", "wait"),
    [
        (429, {"retry-after": "7"}, "Too Many Requests", 7.0),
        (429, {}, "Too Many Requests", 60.0),
        (403, {"retry-after": "9"}, "You have exceeded a secondary rate limit.", 9.0),
        (403, {}, "You have exceeded a secondary rate limit. Please wait a few minutes", 60.0),
        # 2026-11-02T12:00:30Z, half a minute from the time of the run.
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1793620830"}, "API rate limit exceeded", 30.0),
        (502, {}, "Bad Gateway", 0.0),
    ],
)
@both
def test_limits_and_failures_that_pass_are_waited_for(
    host: Host, tmp_path: Path, status: int, headers: dict[str, str], message: str, wait: float
) -> None:
    time = FakeTime()
    fault = Fault(limited(status, headers, message), "GET", host.comments_path, nth=1)
    with host.begin(Faults([fault])) as fake:
        assert comment(changed_plan(tmp_path), fake.environ(tmp_path), time=time).code == 0
        assert time.waits == [wait]
        assert len(fake.bodies) == 1


def test_a_limit_that_lasts_longer_than_a_minute_is_not_waited_for(tmp_path: Path) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1793624400"}
    fault = Fault(limited(403, headers, "API rate limit exceeded"), "GET")
    with fake_github(Faults([fault])) as github:
        done = comment(changed_plan(tmp_path), github.environ(tmp_path))
        assert (done.code, "You've reached the rate limit. Run this again in 60 min." in done.err) == (6, True)


def test_a_token_that_only_reads_is_told_what_it_lacks_after_the_summary_is_written(tmp_path: Path) -> None:
    with fake_github() as github:
        done = comment(changed_plan(tmp_path), github.environ(tmp_path, token=GITHUB.read_token))
        assert (done.code, done.out, github.bodies) == (6, "", [])
        assert "HTTP 403 Forbidden: Resource not accessible by integration" in done.err
        assert "permissions: pull-requests: write" in done.err
        assert "workflow_run" in done.err
        assert "1 to change" in (tmp_path / "summary.md").read_text()


def test_a_token_of_gitlab_that_only_reads_is_told_what_it_lacks(tmp_path: Path) -> None:
    with fake_gitlab() as gitlab:
        done = comment(changed_plan(tmp_path), gitlab.environ(tmp_path, token=GITLAB.read_token))
        assert (done.code, "project access token with the scope `api`" in done.err) == (6, True)


@both
@pytest.mark.parametrize(
    ("token", "code", "said"),
    [
        ("", 1, "_TOKEN isn't set or is empty"),
        ("with a blank", 1, "contains a character that no token has"),
        ("unknown-token-0123456789", 6, "HTTP 401 Unauthorized"),
    ],
)
def test_a_token_that_is_missing_or_wrong(host: Host, tmp_path: Path, token: str, code: int, said: str) -> None:
    with host.begin(None) as fake:
        done = comment(changed_plan(tmp_path), fake.environ(tmp_path, token=token))
        assert (done.code, said in done.err) == (code, True)
        assert "GITHUB_TOKEN" in done.err or "GITLAB_TOKEN" in done.err


@both
def test_a_host_that_repeats_the_token_is_not_quoted(host: Host, tmp_path: Path) -> None:
    with host.begin(Faults([Fault(effects.status(422, message=f"no {host.token}!"), "POST")])) as fake:
        done = comment(changed_plan(tmp_path), fake.environ(tmp_path))
        assert done.code == 6  # run_ci looks for the token


@both
def test_a_redirect_is_not_followed_with_the_token(host: Host, tmp_path: Path) -> None:
    with ScriptedServer() as elsewhere:
        proxy = Faults([Fault(effects.redirect(elsewhere.url, status=307), path=host.comments_path)])
        with host.begin(proxy=proxy) as fake:
            done = comment(changed_plan(tmp_path), fake.environ(tmp_path))
        assert (done.code, "a redirect to" in done.err) == (6, True)
        assert elsewhere.requests == []


@both
@pytest.mark.parametrize("effect", [effects.html(), effects.empty()], ids=["html", "empty"])
def test_an_answer_that_is_not_of_the_api_is_no_empty_list(host: Host, tmp_path: Path, effect: Effect) -> None:
    with host.begin(proxy=Faults([Fault(effect, "GET", host.comments_path)])) as fake:
        done = comment(changed_plan(tmp_path), fake.environ(tmp_path))
        assert (done.code, "doesn't have the format of this API" in done.err) == (6, True)
        assert fake.methods == []


def test_a_host_that_cannot_be_reached(tmp_path: Path) -> None:
    environ = {**FakeGitHub("http://127.0.0.1:9").environ(tmp_path), "GITHUB_GRAPHQL_URL": "http://127.0.0.1:9/graphql"}
    done = comment(changed_plan(tmp_path), environ)
    assert (done.code, "Check GITHUB_API_URL" in done.err) == (6, True)


def test_an_address_that_is_none_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    done = comment(changed_plan(tmp_path), {**FakeGitHub("nowhere").environ(tmp_path)})
    assert (done.code, "GITHUB_API_URL: the base URL" in done.err) == (1, True)


def test_outside_of_a_pull_request_there_is_the_summary_alone(tmp_path: Path) -> None:
    with fake_github() as github:
        environ = github.environ(tmp_path, number=None, token="")
        done = comment(changed_plan(tmp_path), environ)
        said = "This run isn't for a pull or merge request, so only the job summary was written.\n"
        assert (done.code, done.out, github.calls) == (0, said, [])
        assert "1 to change" in (tmp_path / "summary.md").read_text()
        done = comment(changed_plan(tmp_path), environ, "--no-summary")
        assert done.out == "This run isn't for a pull or merge request, so nothing was written.\n"


def test_a_merge_pipeline_that_is_about_no_request_says_nothing(tmp_path: Path) -> None:
    with fake_gitlab() as gitlab:
        done = comment(changed_plan(tmp_path), gitlab.environ(tmp_path, number=None))
        assert (done.code, done.out.endswith("nothing was written.\n"), gitlab.calls) == (0, True, [])


def test_without_a_pipeline_it_is_told_what_else_there_is(tmp_path: Path) -> None:
    done = comment(changed_plan(tmp_path), {})
    assert (done.code, "`show --format markdown`" in done.err) == (1, True)


@pytest.mark.parametrize("name", ["GITHUB_REPOSITORY"])
def test_a_variable_that_the_host_always_sets_and_that_is_missing(tmp_path: Path, name: str) -> None:
    environ = FakeGitHub("http://127.0.0.1:9").environ(tmp_path)
    del environ[name]
    done = comment(changed_plan(tmp_path), environ)
    assert (done.code, f"the variable {name} isn't set" in done.err) == (1, True)


def test_a_run_that_has_no_page_is_not_linked(tmp_path: Path) -> None:
    with fake_github() as github:
        environ = github.environ(tmp_path)
        del environ["GITHUB_RUN_ID"]
        assert comment(changed_plan(tmp_path), environ).code == 0
        assert "](" not in github.bodies[0]


def test_a_long_plan_is_cut_to_what_the_host_takes(tmp_path: Path) -> None:
    declared = [declare(f"Channel {number}", welcomeMessage="Hello! " * 60) for number in range(160)]
    plan = save_plan(tmp_path, declared, [])
    with fake_github() as github:
        assert comment(plan, github.environ(tmp_path)).code == 0
        (body,) = github.bodies
        assert MOST_CHARACTERS - 5_000 < len(body) <= MOST_CHARACTERS
        assert "are left out to stay within" in body
    with fake_gitlab() as gitlab:
        assert comment(plan, gitlab.environ(tmp_path)).code == 0
        assert "left out" not in gitlab.bodies[0]


@pytest.mark.parametrize(("channels", "taken"), [variation(420, 0), (60, SUMMARY - 60_000)])
def test_the_summary_is_appended_and_stays_within_its_bytes(tmp_path: Path, channels: int, taken: int) -> None:
    """The plan takes more than there's room for, with up to three bytes for a character."""
    texts = dict.fromkeys(
        ("welcomeMessage", "offlineMessage", "offlineSuccessMessage", "offlineButtonText"), "你好！" * 80
    )
    plan = save_plan(tmp_path, [declare(f"Kanal 频道 {number}", **texts) for number in range(channels)], [])
    summary = tmp_path / "summary.md"
    summary.write_bytes(b"x" * taken)
    with fake_github() as github:
        assert comment(plan, github.environ(tmp_path)).code == 0
    written = summary.read_bytes()
    assert written[:taken] == b"x" * taken
    assert SUMMARY * 0.9 < len(written) <= SUMMARY
    assert "left out to stay within" in written[taken:].decode()
    assert SUMMARY - len(written) < 30_000 or not taken


def test_a_full_summary_is_left_as_it_is(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_bytes(b"x" * SUMMARY)
    with fake_github() as github:
        done = comment(changed_plan(tmp_path), github.environ(tmp_path))
        assert (done.code, done.err) == (0, "The job summary has no room left for the plan.\n")
        assert summary.stat().st_size == SUMMARY
        assert len(github.bodies) == 1


def test_a_summary_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    environ = FakeGitHub("http://127.0.0.1:9").environ(tmp_path) | {"GITHUB_STEP_SUMMARY": str(tmp_path)}
    done = comment(changed_plan(tmp_path), environ)
    assert (done.code, "can't write" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("event", "ref", "number", "head"),
    [
        ('{"pull_request": {"number": 3}}', "", 3, ""),
        ('{"issue": {"number": 4, "pull_request": {}}}', "refs/heads/main", 4, ""),
        ('{"issue": {"number": 4}}', "refs/heads/main", None, ""),
        (json.dumps(after_workflow({})), "refs/heads/main", 5, ""),
        (json.dumps(after_workflow({"base": {"repo": {"id": 777}}})), "refs/heads/main", None, "acme:fix"),
        (
            json.dumps(after_workflow({"head": {"repo": {"id": 1}, "sha": "other"}})),
            "refs/heads/main",
            None,
            "acme:fix",
        ),
        (json.dumps(after_workflow({}, head_repository={"id": 9, "owner": {"login": "fork"}})), "", None, "fork:fix"),
        (json.dumps(after_workflow({}, event="push")), "refs/heads/main", None, ""),
        (json.dumps({"workflow_run": OF_A_FORK}), "refs/heads/main", None, "fork:fix"),
        ('{"workflow_run": {"event": "push", "pull_requests": []}}', "refs/heads/main", None, ""),
        ("[]", "refs/pull/6/merge", 6, ""),
        ("no JSON", "refs/tags/v1", None, ""),
    ],
)
def test_the_pull_request_is_told_from_the_event_or_the_ref(
    tmp_path: Path, event: str, ref: str, number: int | None, head: str
) -> None:
    file = tmp_path / "event.json"
    file.write_text(event)
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b", "GITHUB_EVENT_PATH": str(file), "GITHUB_REF": ref}
    run = read_run(environ)
    assert (run.number, run.head, run.summary, run.run_url) == (number, head, None, "")
    assert (run.api_url, run.graphql_url) == ("https://api.github.com", "https://api.github.com/graphql")


@pytest.mark.parametrize(
    "event", ['{"pull_request": {}}', '{"workflow_run": {"event": "pull_request", "pull_requests": [1]}}']
)
def test_an_event_of_another_shape_is_refused_with_words(tmp_path: Path, event: str) -> None:
    with fake_github() as github:
        environ = github.environ(tmp_path)
        (tmp_path / "event.json").write_text(event)
        done = comment(changed_plan(tmp_path), environ)
        assert (done.code, github.comments) == (1, [])
        assert "the file in GITHUB_EVENT_PATH doesn't have the format of a GitHub event" in done.err


def test_an_enterprise_server_has_its_own_address_for_graphql() -> None:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b", "GITHUB_API_URL": "https://git.example/api/v3"}
    assert read_run(environ).graphql_url == "https://git.example/api/graphql"


def test_after_a_workflow_of_a_fork_the_pull_request_is_looked_up(tmp_path: Path) -> None:
    with fake_github() as github:
        environ = github.environ(tmp_path, number=None)
        (tmp_path / "event.json").write_text(json.dumps({"workflow_run": OF_A_FORK}))
        assert comment(changed_plan(tmp_path), environ).out.startswith("This run isn't for")
        github.pulls += [{"number": 7, "head": {"label": "fork:fix"}}, {"number": 9, "head": {"label": "x:fix"}}]
        assert comment(changed_plan(tmp_path), environ).out.startswith("Posted the comment")
        assert github.comments[0]["number"] == 7


def test_a_pipeline_of_a_fork_writes_to_the_project_of_the_merge_request(tmp_path: Path) -> None:
    with fake_gitlab() as gitlab:
        environ = gitlab.environ(tmp_path)
        environ |= {"CI_PROJECT_ID": "43", "CI_MERGE_REQUEST_PROJECT_ID": environ["CI_PROJECT_ID"]}
        assert comment(changed_plan(tmp_path), environ).code == 0
        assert len(gitlab.bodies) == 1


def test_notes_that_gitlab_writes_itself_are_no_comments_of_ours(tmp_path: Path) -> None:
    with fake_gitlab() as gitlab:
        gitlab.note("merge_requests/7", f"{MARKER}\nchanged the description", system=True)
        assert comment(changed_plan(tmp_path), gitlab.environ(tmp_path)).out.startswith("Posted the comment")


def test_names_and_labels_cannot_break_out_of_the_marker(tmp_path: Path) -> None:
    with fake_github() as github:
        plan = save_plan(tmp_path, [declare("--> <b>")], [live("--> <b>")])
        done = run_ci("comment", plan, "--label", "--> <script> `x`", environ=github.environ(tmp_path))
        assert done.code == 0
        first, second, title = github.bodies[0].split("\n")[:3]
        assert first.count("-->") == second.count("-->") == 1
        assert first.endswith("label=-%2D%3E%20%3Cscript%3E%20%60x%60 -->")
        assert title == "### `` --> <script> `x` ``: No changes. The live channels match the manifest."


def test_no_call_goes_anywhere_else(tmp_path: Path) -> None:
    with fake_github() as github:
        comment(changed_plan(tmp_path), github.environ(tmp_path))
        assert [(each.method, each.path) for each in github.calls] == [
            ("POST", "/graphql"),
            ("GET", f"/repos/{REPOSITORY}/issues/7/comments"),
            ("POST", f"/repos/{REPOSITORY}/issues/7/comments"),
            ("GET", f"/repos/{REPOSITORY}/issues/7/comments"),
        ]
        assert TOKEN not in github.bodies[0]


@pytest.mark.parametrize(
    ("command", "way_out"),
    [
        ("comment", "Elsewhere, print the text with `show --format markdown`."),
        ("drift", "Elsewhere, print the text with `drift --format markdown`."),
        ("adopt", "Elsewhere, run `adopt`, which edits the files, and commit them yourself."),
    ],
)
def test_outside_a_pipeline_each_command_names_its_own_way(command: str, way_out: str, tmp_path: Path) -> None:
    refused = run_ci(command, changed_plan(tmp_path), environ={})
    assert refused.code == 1
    assert "this isn't a job of GitHub Actions" in refused.err
    assert way_out in refused.err
