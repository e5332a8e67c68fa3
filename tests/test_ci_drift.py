from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from commands import emulated
from fake_github import TOKEN, fake_github
from pipelines import GITHUB, GITLAB, Fake, Host, changed_plan, clean_plan, run_ci, save_plan
from planning import declare, live, plan_for
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.emulator.effects import Effect
from webchat_sync.planfile.writer import render_plan
from webchat_sync.render.comment import LONGEST_TITLE, drift_title

MARKER = "<!-- webchat-sync drift organization=acme label=production "

both = pytest.mark.parametrize("host", [GITHUB, GITLAB], ids=repr)


def drift(fake: Fake, folder: Path, plan: Path, label: str = "production") -> str:
    """What is said, without the URL."""
    done = run_ci("drift", plan, "--label", label, environ=fake.environ(folder, number=None))
    assert (done.code, done.err) == (0, "")
    return done.out.partition(": https://")[0].rstrip()


@both
def test_the_issue_is_opened_updated_closed_and_opened_again(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        assert drift(fake, tmp_path, clean_plan(tmp_path)) == "No drift, and no open issue."
        assert fake.methods == []

        assert drift(fake, tmp_path, changed_plan(tmp_path)) == "Opened the issue"
        ((is_open, body),) = fake.states
        assert (is_open, body.startswith(MARKER), "1 to change" in body) == (True, True, True)
        assert fake.issues[0]["title"] == "Web-chat channels have drifted from Git: production"
        assert "webchat-sync-drift" in json.dumps(fake.issues[0]["labels"])
        fake.calls.clear()

        assert drift(fake, tmp_path, changed_plan(tmp_path)) == "The issue is already up to date"
        assert fake.methods == []

        assert drift(fake, tmp_path, changed_plan(tmp_path, "#111111")) == "Updated the issue"
        assert (fake.methods, "#111111" in fake.states[0][1]) == ([host.edit], True)

        assert drift(fake, tmp_path, clean_plan(tmp_path)) == "Closed the issue, since nothing has drifted"
        ((is_open, body),) = fake.states
        assert (is_open, "#111111" in body) == (False, True)
        (farewell,) = fake.bodies
        assert "No more drift: 1 declared channel is live as declared in Git." in farewell
        fake.calls.clear()

        assert drift(fake, tmp_path, clean_plan(tmp_path)) == "No drift, and no open issue."
        assert fake.methods == []

        assert drift(fake, tmp_path, changed_plan(tmp_path)) == "Reopened the issue"
        ((is_open, body),) = fake.states
        assert (is_open, "#0f766e" in body) == (True, True)


@both
def test_the_same_drift_found_later_is_not_written_again(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        drift(fake, tmp_path, changed_plan(tmp_path))
        noted = fake.states[0][1] + "\n\nAna looks into it."
        fake.issues[0].update({"body": noted, "description": noted})
        later = replace(
            plan_for([declare(color="#0f766e")], [live(color="#ffffff")]), created_at=datetime(2026, 12, 1, tzinfo=UTC)
        )
        file = tmp_path / "later.json"
        file.write_text(render_plan(later))
        assert drift(fake, tmp_path, file) == "The issue is already up to date"
        assert fake.states[0][1].endswith("Ana looks into it.")


@both
def test_an_issue_with_text_above_its_marker_is_still_ours(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        drift(fake, tmp_path, changed_plan(tmp_path))
        noted = "Ana looks into it.\r\n\r\n" + fake.states[0][1].replace("\n", "\r\n")
        fake.issues[0].update({"body": noted, "description": noted})
        assert drift(fake, tmp_path, changed_plan(tmp_path)) == "The issue is already up to date"
        assert drift(fake, tmp_path, changed_plan(tmp_path, "#111111")) == "Updated the issue"
        fake.issues[0].update({"body": noted, "description": noted})
        assert drift(fake, tmp_path, clean_plan(tmp_path)) == "Closed the issue, since nothing has drifted"
        assert [is_open for is_open, _ in fake.states] == [False]


@both
def test_each_label_and_each_target_has_an_issue_of_its_own(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        drift(fake, tmp_path, changed_plan(tmp_path))
        assert drift(fake, tmp_path, changed_plan(tmp_path), "staging") == "Opened the issue"
        assert drift(fake, tmp_path, clean_plan(tmp_path), "staging") == "Closed the issue, since nothing has drifted"
        partial = replace(plan_for([], []), partial=("Sup*",))
        file = tmp_path / "partial.json"
        file.write_text(render_plan(partial))
        assert drift(fake, tmp_path, file) == "No drift, and no open issue."
        assert [is_open for is_open, _ in fake.states] == [True, False]


@both
def test_the_issues_of_others_are_left_alone(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        fake.report("t", f"{MARKER}state=0 -->", stranger=True)
        assert drift(fake, tmp_path, clean_plan(tmp_path)) == "No drift, and no open issue."
        assert drift(fake, tmp_path, changed_plan(tmp_path)) == "Opened the issue"
        assert fake.states[0] == (True, f"{MARKER}state=0 -->")


@both
def test_of_several_issues_the_newest_is_kept_and_the_others_are_closed(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        for number in range(150):
            fake.report("t", f"{MARKER}state={number} -->" if number in {0, 1} else "another")
        assert drift(fake, tmp_path, changed_plan(tmp_path)) == "Updated the issue"
        assert [is_open for is_open, _ in fake.states[:3]] == [False, True, True]
        assert drift(fake, tmp_path, clean_plan(tmp_path)) == "Closed the issue, since nothing has drifted"
        assert [is_open for is_open, _ in fake.states[:3]] == [False, False, True]


@both
@pytest.mark.parametrize("effect", [effects.drop(after_commit=True), effects.status(502), effects.html()])
def test_an_issue_whose_answer_is_lost_is_opened_once(host: Host, tmp_path: Path, effect: Effect) -> None:
    with host.begin(proxy=Faults([Fault(effect, "POST", host.issues_path, nth=1)])) as fake:
        assert drift(fake, tmp_path, changed_plan(tmp_path)) == "Opened the issue"
        assert len(fake.states) == 1


@both
@pytest.mark.parametrize("effect", [effects.drop(after_commit=True), effects.drop()], ids=["made", "not-made"])
def test_the_farewell_whose_answer_is_lost_is_said_once(host: Host, tmp_path: Path, effect: Effect) -> None:
    with host.begin(proxy=Faults([Fault(effect, "POST", "*/issues/*/[cn]o*", nth=1)])) as fake:
        drift(fake, tmp_path, changed_plan(tmp_path))
        assert drift(fake, tmp_path, clean_plan(tmp_path)) == "Closed the issue, since nothing has drifted"
        assert len(fake.bodies) == 1


@both
def test_two_runs_that_open_an_issue_in_the_same_moment_leave_one_open(host: Host, tmp_path: Path) -> None:
    async def beside(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        fake.report("that of the other run", f"{MARKER}state=0 -->")
        await app(scope, receive, send)

    with host.begin(Faults([Fault(beside, "POST", host.issues_path)])) as fake:
        assert drift(fake, tmp_path, changed_plan(tmp_path)) == "Opened the issue"
        assert [is_open for is_open, _ in fake.states] == [False, True]


def test_a_pull_request_with_the_label_is_no_issue(tmp_path: Path) -> None:
    urls = dict.fromkeys(("url", "html_url", "diff_url", "patch_url"), "https://github.com/acme/web/pull/3")
    with fake_github() as github:
        github.issue("t", f"{MARKER}state=0 -->", ["webchat-sync-drift"], pull_request=urls)
        assert drift(github, tmp_path, clean_plan(tmp_path)) == "No drift, and no open issue."


@both
def test_a_token_that_may_not_open_issues_is_told_what_it_lacks(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        environ = fake.environ(tmp_path, number=None, token=host.read_token)
        done = run_ci("drift", changed_plan(tmp_path), environ=environ)
        assert done.code == 6
        assert "permissions: issues: write" in done.err or "project access token" in done.err


def test_a_title_is_one_short_line() -> None:
    long = drift_title(plan_for([], []), "a\nb" * 300)
    assert (len(long), "\n" in long, long[-1]) == (LONGEST_TITLE, False, "…")
    assert drift_title(plan_for([], []), "") == "Web-chat channels have drifted from Git: acme"


@pytest.mark.variation
def test_a_plan_of_a_thousand_channels_fits_into_the_issue(tmp_path: Path) -> None:
    declared = [declare(f"Channel {number}", welcomeMessage="Hello! " * 60) for number in range(1000)]
    with fake_github() as github:
        assert drift(github, tmp_path, save_plan(tmp_path, declared, [])) == "Opened the issue"
        assert "left out to stay within" in github.states[0][1]


def test_a_plan_that_is_none_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text("{}")
    done = run_ci("drift", file, environ={"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": TOKEN})
    assert (done.code, "isn't a plan" in done.err) == (1, True)


def test_from_a_plan_to_the_comment_to_drift_and_the_issue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    manifest = tmp_path / "channels.yaml"
    manifest.write_text('version: 1\nchannels:\n  - name: Support\n    color: "#0f766e"\n')
    with emulated({"name": "Support", "color": "#ffffff"}) as api, fake_github() as github:
        assert api.invoke("plan", manifest, "--out", "plan.json").code == 0
        assert run_ci("comment", "plan.json", environ=github.environ(tmp_path)).out.startswith("Posted the comment")
        assert api.invoke("apply", "plan.json", "--auto-approve").code == 0
        found = api.invoke("drift", manifest, "--detailed-exitcode", "--out", "drift.json")
        assert (found.code, found.last_line) == (0, "No drift. The live channels match the files.")
        assert drift(github, tmp_path, Path("drift.json")) == "No drift, and no open issue."

        (support,) = api.store.channels("acme")
        api.store.update("acme", str(support["id"]), {"color": "#000000"})
        assert api.invoke("drift", manifest, "--detailed-exitcode", "--out", "drift.json").code == 2
        assert drift(github, tmp_path, Path("drift.json")) == "Opened the issue"
        assert "#000000" in github.states[0][1]
        assert api.invoke("apply", manifest, "--auto-approve").code == 0
        assert api.invoke("drift", manifest, "--detailed-exitcode", "--out", "drift.json").code == 0
        assert drift(github, tmp_path, Path("drift.json")) == "Closed the issue, since nothing has drifted"
