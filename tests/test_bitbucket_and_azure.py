"""``ci comment`` on Bitbucket and on Azure DevOps: one comment, ours and nobody else's, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

import fake_azure
import fake_bitbucket
from commands import Finished
from fake_bitbucket import FakeBitbucket
from html_plans import hostile_plan, many_channels
from pipelines import changed_plan, clean_plan, refused_plan, run_ci
from webchat_sync.cli.saved import read_saved_plan
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.errors import Diagnostic
from webchat_sync.forge.environment import read_run, run_url
from webchat_sync.model import FailedOrganization, Plan
from webchat_sync.planfile.writer import render_plan
from webchat_sync.render.comment import render_comment

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Other:
    """One of the two hosts, and what a comment of ours begins with on it."""

    name: str
    begin: Callable[..., AbstractContextManager[Any]]
    read_token: str
    marker: str
    permission: str
    edit: str

    def __repr__(self) -> str:
        return self.name


BITBUCKET: Final = Other(
    "bitbucket",
    fake_bitbucket.fake_bitbucket,
    fake_bitbucket.READ_TOKEN,
    "[//]: # (webchat-sync comment organization=acme label=)",
    "pullrequest:write",
    "PUT",
)
AZURE: Final = Other(
    "azure",
    fake_azure.fake_azure,
    fake_azure.READ_TOKEN,
    "<!-- webchat-sync comment organization=acme label= -->",
    "Contribute to pull requests",
    "PATCH",
)
both = pytest.mark.parametrize("host", [BITBUCKET, AZURE], ids=repr)
users = pytest.mark.parametrize("knows_users", [True, False])


def comment(plan: Path, fake: Any, folder: Path, *more: str, **options: Any) -> Finished:
    return run_ci("comment", plan, *more, environ=fake.environ(folder, **options))


def saved(folder: Path, plan: Plan) -> Path:
    file = folder / "plan.json"
    file.write_text(render_plan(plan), encoding="utf-8")
    return file


@both
def test_one_comment_is_posted_found_again_and_brought_up_to_date(host: Other, tmp_path: Path) -> None:
    with host.begin() as fake:
        posted = comment(changed_plan(tmp_path), fake, tmp_path)
        assert posted.out.startswith("Posted the comment: http"), posted.err
        (body,) = fake.bodies
        assert body.startswith(f"{host.marker}\n")
        assert "### Plan: 0 to add, 1 to change, 0 to destroy." in body
        assert "[The run that reported this](http" in body
        assert comment(changed_plan(tmp_path), fake, tmp_path).out.startswith("The comment is already up to date")
        assert comment(clean_plan(tmp_path), fake, tmp_path).out.startswith("Updated the comment")
        assert fake.methods == ["POST", host.edit]
        assert "No changes" in fake.bodies[0]


@both
def test_the_comment_says_what_a_guard_refuses_and_what_failed(host: Other, tmp_path: Path) -> None:
    failed = FailedOrganization("other", 6, (Diagnostic("GET /x: 401 Unauthorized"),))
    plan = replace(read_saved_plan(refused_plan(tmp_path)), failed=(failed,))
    with host.begin() as fake:
        assert comment(saved(tmp_path, plan), fake, tmp_path).code == 0
        (body,) = fake.bodies
        assert "**A guard refuses this plan:**" in body
        assert 'channel `"Support"` is protected and would be switched off.' in body
        assert "use `--allow-protected`" in body
        assert "Pass `--allow-protected` to both `webchat-sync plan` and `webchat-sync apply`." in body
        assert "401 Unauthorized" in body


@both
def test_where_the_token_may_not_know_whose_it_is_a_new_comment_replaces_the_old_one(
    host: Other, tmp_path: Path
) -> None:
    with host.begin() as fake:
        fake.knows_users = False
        fake.say(f"{host.marker}\nof a stranger", stranger=True)
        for plan in (changed_plan(tmp_path), clean_plan(tmp_path)):
            assert comment(plan, fake, tmp_path).out.startswith("Posted the comment")
        assert fake.methods == ["POST", "POST", "DELETE"]
        stranger, ours = fake.bodies
        assert "of a stranger" in stranger
        assert "No changes" in ours


@both
@users
def test_what_others_wrote_is_left_alone(host: Other, knows_users: bool, tmp_path: Path) -> None:
    with host.begin() as fake:
        fake.knows_users = knows_users
        first = comment(changed_plan(tmp_path), fake, tmp_path)
        copy = fake.say(fake.bodies[0], stranger=True)
        again = comment(changed_plan(tmp_path), fake, tmp_path)
        assert (first.code, again.code) == (0, 0), again.err
        assert "1 comment with the same marker alone" in again.err
        assert copy in (fake.comments if isinstance(fake, FakeBitbucket) else fake.threads)
        assert len(fake.bodies) == 2


@both
@users
@pytest.mark.parametrize(
    "effect",
    [effects.drop(after_commit=True), effects.status(502, after_commit=True), effects.html(after_commit=True)],
    ids=["drop", "502", "html"],
)
def test_a_post_whose_answer_is_lost_makes_no_second_comment(
    host: Other, knows_users: bool, effect: effects.Effect, tmp_path: Path
) -> None:
    with host.begin(proxy=Faults([Fault(effect, "POST", nth=1)])) as fake:
        fake.knows_users = knows_users
        assert comment(changed_plan(tmp_path), fake, tmp_path).code == 0
        assert len(fake.bodies) == 1


@both
def test_a_token_that_may_not_write_is_told_what_it_needs(host: Other, tmp_path: Path) -> None:
    with host.begin() as fake:
        done = comment(changed_plan(tmp_path), fake, tmp_path, token=host.read_token)
        assert done.code == 6
        assert host.permission in done.err
        assert fake.bodies == []
        for token, code in (("wrong-token-1234567890", 6), ("", 1), ("two words", 1)):
            done = comment(changed_plan(tmp_path), fake, tmp_path, token=token)
            assert (done.code, host.permission in done.err or "no token has" in done.err) == (code, True), done.err


@both
def test_outside_of_a_pull_request_there_is_nothing_to_write(host: Other, tmp_path: Path) -> None:
    with host.begin() as fake:
        done = comment(changed_plan(tmp_path), fake, tmp_path, number=None)
        assert done.out == "This run isn't for a pull or merge request, so nothing was written.\n"


@both
def test_issues_are_told_to_be_kept_elsewhere(host: Other, tmp_path: Path) -> None:
    with host.begin() as fake:
        done = run_ci("drift", changed_plan(tmp_path), environ=fake.environ(tmp_path))
        assert done.code == 1
        assert "issues are supported on GitHub and GitLab only" in done.err
        assert "drift --detailed-exitcode" in done.err
        assert fake.calls == []


@both
def test_adopt_requests_are_refused_for_the_host_and_not_for_its_branch(host: Other, tmp_path: Path) -> None:
    with host.begin() as fake:
        done = run_ci("adopt", tmp_path / "channels", environ=fake.environ(tmp_path))
        assert done.code == 1
        assert done.err == (
            "Error: adopt requests are supported on GitHub and GitLab only\n"
            "  Run `webchat-sync adopt`, which edits the files, and commit them yourself.\n"
        )
        assert fake.calls == []


@both
def test_a_variable_that_is_missing_is_named(host: Other, tmp_path: Path) -> None:
    with host.begin() as fake:
        missing = "BITBUCKET_REPO_SLUG" if host is BITBUCKET else "SYSTEM_COLLECTIONURI"
        environ = {name: value for name, value in fake.environ(tmp_path).items() if name != missing}
        done = run_ci("comment", changed_plan(tmp_path), environ=environ)
        assert (done.code, f"the variable {missing} isn't set" in done.err) == (1, True)


def test_the_comment_is_found_on_whatever_page_it_is(tmp_path: Path) -> None:
    with fake_bitbucket.fake_bitbucket() as fake:
        comment(changed_plan(tmp_path), fake, tmp_path)
        for _ in range(250):
            fake.say("LGTM", stranger=True)
        assert comment(clean_plan(tmp_path), fake, tmp_path).out.startswith("Updated the comment")
        assert len(fake.bodies) == 251


def test_a_deleted_comment_of_bitbucket_is_none(tmp_path: Path) -> None:
    with fake_bitbucket.fake_bitbucket() as fake:
        comment(changed_plan(tmp_path), fake, tmp_path)
        fake.comments[0]["deleted"] = True
        assert comment(changed_plan(tmp_path), fake, tmp_path).out.startswith("Posted the comment")


def test_threads_that_azure_or_reviewers_began_are_none_of_ours(tmp_path: Path) -> None:
    with fake_azure.fake_azure() as fake:
        fake.say("The pull request is mergeable", kind="system")
        fake.say("Why?", stranger=True, status="active")
        assert comment(changed_plan(tmp_path), fake, tmp_path).code == 0
        assert fake.threads[2]["status"] == "closed", "an open thread may forbid the merge"


@pytest.mark.alike
@pytest.mark.parametrize(
    "make_plan", [lambda: many_channels(300), lambda: hostile_plan("http://127.0.0.1:9")], ids=["many", "hostile"]
)
def test_without_html_a_comment_has_none_and_keeps_to_its_limit(make_plan: Callable[[], Plan]) -> None:
    plan = make_plan()
    body = render_comment(plan, label="a|b", run_url="https://x.example/1", longest=32_768, with_html=False)
    assert len(body) <= 32_768
    outside = "".join(part for number, part in enumerate(body.split("```")) if number % 2 == 0)
    for tag in ("<details", "<summary", "<br>", "<!--"):
        assert tag not in outside
    if "Channel 299" in repr(plan):
        assert "more left out to stay within 32," in body


def test_without_html_a_comment_says_what_the_plan_was_made_against() -> None:
    plan = replace(many_channels(1), live_created_at=datetime(2026, 11, 1, tzinfo=UTC))
    body = render_comment(plan, label="a", run_url="", longest=32_768, with_html=False)
    assert "Compared with a snapshot of" in body


@both
def test_the_memory_gets_the_same_url_of_the_run_as_the_comment(host: Other, tmp_path: Path) -> None:
    with host.begin() as fake:
        environ = fake.environ(tmp_path)
        assert run_url(environ) == read_run(environ).run_url
        assert run_url(environ).startswith("http")
