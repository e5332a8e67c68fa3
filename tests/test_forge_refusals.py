"""What hosts of code refuse, drop or lose is told with its reason and a way out, and nothing is made twice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from fake_azure import FakeAzure
from fake_bitbucket import FakeBitbucket
from fake_github import FakeGitHub, fake_github
from fake_gitlab import FakeGitLab
from fake_time import FakeTime
from pipelines import GITHUB, GITLAB, Fake, Host, changed_plan, clean_plan, run_ci
from tls import behind_tls, make_certificate
from webchat_sync.emulator import Fault, Faults
from webchat_sync.emulator.effects import Effect
from webchat_sync.errors import InputError
from webchat_sync.forge.environment import pipeline_host, read_run, run_url
from webchat_sync.forge.github import access

MARKER = "<!-- webchat-sync comment organization=acme label= -->"
LIMITED = [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for installation ID 1."}]

both = pytest.mark.parametrize("host", [GITHUB, GITLAB], ids=repr)


def drift(fake: Fake, folder: Path, plan: Path) -> Any:
    return run_ci("drift", plan, environ=fake.environ(folder, number=None))


@pytest.mark.parametrize(
    ("api_url", "graphql_url", "tls"),
    [
        ("https://api.github.com", "https://api.github.com/graphql", True),
        ("HTTPS://api.github.com", "http://localhost/graphql", True),
        ("http://localhost", "https://api.github.com/graphql", True),
        ("http://localhost", "http://localhost/graphql", False),
    ],
)
def test_certificates_are_verified_wherever_there_are_any(
    api_url: str, graphql_url: str, tls: bool, tmp_path: Path
) -> None:
    environ = FakeGitHub("http://localhost").environ(tmp_path)
    run = read_run({**environ, "GITHUB_API_URL": api_url, "GITHUB_GRAPHQL_URL": graphql_url})
    assert access(run, "").tls == tls


def test_a_certificate_that_is_not_trusted_has_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    with fake_github() as github, behind_tls(github.url, make_certificate(tmp_path / "own.pem")) as url:
        environ = {**github.environ(tmp_path), "GITHUB_API_URL": url, "GITHUB_GRAPHQL_URL": f"{url}/graphql"}
        done = run_ci("comment", changed_plan(tmp_path), environ=environ)
    assert (done.code, len(github.comments)) == (6, 0)
    assert "certificate isn't trusted. Check GITHUB_API_URL. If your company" in done.err
    assert "set SSL_CERT_FILE to its certificate" in done.err


def test_a_rate_limit_of_a_query_is_waited_for(tmp_path: Path) -> None:
    with fake_github() as github:
        github.query_errors = [LIMITED]
        time = FakeTime()
        done = run_ci("comment", changed_plan(tmp_path), environ=github.environ(tmp_path), time=time)
        assert (done.code, len(github.comments)) == (0, 1)
        assert time.seconds >= 60


def test_a_rate_limit_of_a_query_that_is_too_far_off_is_told(tmp_path: Path) -> None:
    with fake_github() as github:
        github.query_errors = [LIMITED]
        github.query_headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(2**32)}
        done = run_ci("comment", changed_plan(tmp_path), environ=github.environ(tmp_path))
        assert done.code == 6
        assert "API rate limit exceeded" in done.err
        assert "You've reached the rate limit. Run this again in" in done.err


@pytest.mark.parametrize("kind", ["FORBIDDEN", "INSUFFICIENT_SCOPES"])
def test_a_query_that_is_refused_says_why(kind: str, tmp_path: Path) -> None:
    with fake_github() as github:
        github.query_errors = [[{"type": kind, "message": "Resource not accessible by integration"}]] * 9
        done = run_ci("comment", changed_plan(tmp_path), environ=github.environ(tmp_path))
        assert done.code == 6
        assert "Resource not accessible by integration" in done.err
        assert "permissions: pull-requests: write" in done.err
        assert len(github.query_errors) == 8, "asked once"


def test_a_query_that_failed_in_passing_is_asked_again(tmp_path: Path) -> None:
    with fake_github() as github:
        github.query_errors = [[{"message": "Something went wrong while executing your query."}]]
        assert run_ci("comment", changed_plan(tmp_path), environ=github.environ(tmp_path)).code == 0


GITHUB_DOCS: Final = {"documentation_url": "https://docs.github.com/rest"}


@pytest.mark.parametrize(
    ("host", "status", "body", "said"),
    [
        (
            GITHUB,
            422,
            {
                "message": "Validation Failed",
                "errors": [{"resource": "Issue", "field": "title", "code": "missing"}],
                **GITHUB_DOCS,
            },
            "Validation Failed; Issue title missing",
        ),
        (
            GITHUB,
            422,
            {
                "message": "Validation Failed",
                "errors": [{"code": "custom", "message": "body is too long"}],
                **GITHUB_DOCS,
            },
            "Validation Failed; body is too long",
        ),
        (GITHUB, 403, {"message": "Same", "errors": ["Same"], **GITHUB_DOCS}, ": Same"),
        (GITLAB, 400, {"message": {"title": ["is too long", "is odd"]}}, "title is too long; title is odd"),
        (GITLAB, 400, {"error": "body is missing"}, ": body is missing"),
        (GITLAB, 401, {"error": "invalid_token", "error_description": "Token was revoked."}, "Token was revoked."),
        (GITLAB, 429, {"message": {"error": "This endpoint has been requested too many times."}}, "too many times"),
    ],
)
def test_the_reasons_of_a_refusal_are_told(
    host: Host, status: int, body: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with host.begin(Faults([Fault(refusing(status, body), "POST", host.comments_path)])) as fake:
        done = run_ci("comment", changed_plan(tmp_path), environ=fake.environ(tmp_path))
        assert (done.code, fake.bodies) == (6, [])
        assert said in done.err


@both
def test_reasons_of_any_shape_are_no_fault_of_ours(host: Host, tmp_path: Path) -> None:
    odd = {"message": "M", "errors": [1, None, {"x": 2}, {"code": 3}], "error_description": [{}]}
    with host.begin(proxy=Faults([Fault(refusing(422, odd), "POST", host.comments_path)])) as fake:
        done = run_ci("comment", changed_plan(tmp_path), environ=fake.environ(tmp_path))
        assert done.code == 6
        assert ": M" in done.err


def refusing(status: int, body: Any) -> Effect:
    """Answers with that, and carries nothing out."""

    async def refuse(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await JSONResponse(body, status)(scope, receive, send)

    return refuse


def test_an_issue_whose_label_was_dropped_is_found_by_its_marker(tmp_path: Path) -> None:
    with fake_github() as github:
        github.drops_labels = True
        for _ in range(150):
            github.issue("another", "another", [], "mallory")
        said = [drift(github, tmp_path, plan(tmp_path)).out.partition(":")[0] for plan in (changed_plan,) * 3]
        assert said == ["Opened the issue", "The issue is already up to date", "The issue is already up to date"]
        assert drift(github, tmp_path, clean_plan(tmp_path)).out.startswith(
            "Closed the issue, since nothing has drifted"
        )
        assert drift(github, tmp_path, changed_plan(tmp_path)).out.startswith("Reopened the issue")
        assert len(github.issues) == 151


def meanwhile(fake_of: list[Fake], change: Any) -> Any:
    """An effect that changes something just before the call is carried out."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        change(fake_of[0])
        await app(scope, receive, send)

    return act


@both
def test_a_comment_that_was_deleted_since_it_was_listed_is_posted_anew(host: Host, tmp_path: Path) -> None:
    fakes: list[Fake] = []

    def delete(fake: Any) -> None:
        (fake.comments if host is GITHUB else fake.notes).clear()

    with host.begin(Faults([Fault(meanwhile(fakes, delete), host.edit, nth=1)])) as fake:
        fakes.append(fake)
        fake.say(f"{MARKER}\nan old plan")
        done = run_ci("comment", changed_plan(tmp_path), environ=fake.environ(tmp_path))
        assert (done.code, done.out.partition(":")[0]) == (0, "Posted the comment"), done.err
        assert len(fake.bodies) == 1
        assert "1 to change" in fake.bodies[0]


def test_an_issue_that_was_deleted_since_it_was_listed_is_opened_anew(tmp_path: Path) -> None:
    fakes: list[Fake] = []
    deleting = Fault(meanwhile(fakes, lambda fake: fake.issues.clear()), "PATCH", nth=1)
    with fake_github(Faults([deleting])) as github:
        fakes.append(github)
        drift(github, tmp_path, changed_plan(tmp_path))
        done = drift(github, tmp_path, changed_plan(tmp_path, "#111111"))
        assert done.out.startswith("Opened the issue")
        assert len(github.issues) == 1


def test_a_repository_without_issues_is_told_as_such(tmp_path: Path) -> None:
    with fake_github() as github:
        github.issues_off = True
        done = drift(github, tmp_path, changed_plan(tmp_path))
        assert done.code == 6
        assert "Issues are disabled for this repo" in done.err
        assert "Turn on issues in the repository's settings" in done.err


def test_a_locked_conversation_is_told_as_such(tmp_path: Path) -> None:
    with fake_github() as github:
        github.locked = {7}
        done = run_ci("comment", changed_plan(tmp_path), environ=github.environ(tmp_path))
        assert done.code == 6
        assert "The conversation is locked: unlock it" in done.err


def test_a_locked_issue_is_closed_without_a_word(tmp_path: Path) -> None:
    with fake_github() as github:
        drift(github, tmp_path, changed_plan(tmp_path))
        github.locked = {each["number"] for each in github.issues}
        done = drift(github, tmp_path, clean_plan(tmp_path))
        assert (done.code, done.out.startswith("Closed the issue, since nothing has drifted")) == (0, True), done.err
        assert [is_open for is_open, _ in github.states] == [False]
        assert github.comments == []


@pytest.mark.parametrize("fake", [FakeGitHub, FakeGitLab, FakeBitbucket, FakeAzure])
def test_a_variable_of_the_host_that_no_url_can_have_is_refused_by_its_name(
    fake: type[FakeGitHub | FakeGitLab | FakeBitbucket | FakeAzure], tmp_path: Path
) -> None:
    environ = fake("http://localhost").environ(tmp_path)
    read = [name for name in environ if name not in {"CI", "GITHUB_EVENT_PATH", "GITHUB_STEP_SUMMARY"}]
    for name in read:
        flawed = {**environ, name: f"{environ[name]}\udcff"}
        assert run_url(flawed).isprintable()
        if pipeline_host(flawed) is None or name.endswith("TOKEN"):
            continue
        with pytest.raises(InputError) as refused:
            read_run(flawed)
        assert refused.value.problems[0].message == f"the variable {name} isn't valid UTF-8"


@pytest.mark.parametrize(
    ("fake", "name"),
    [
        (FakeGitLab, "CI_MERGE_REQUEST_IID"),
        (FakeBitbucket, "BITBUCKET_PR_ID"),
        (FakeAzure, "SYSTEM_PULLREQUEST_PULLREQUESTID"),
    ],
)
def test_a_number_that_no_request_has_is_none(tmp_path: Path, fake: type[Fake], name: str) -> None:
    environ = fake("http://127.0.0.1:9").environ(tmp_path)
    assert read_run({**environ, name: "7"}).number == 7
    for written in ("9" * 5000, "1e3", "-1", "²", ""):
        assert read_run({**environ, name: written}).number is None


def test_an_event_in_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    environ = FakeGitHub("http://127.0.0.1:9").environ(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert read_run({**environ, "GITHUB_EVENT_PATH": str(tmp_path / "pipe")}).number == 7  # of its ref
