"""The HTML report as the commands write it: of a plan, a saved plan, drift and an apply, with links to the files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import emulated, invoke, manifest_in
from webchat_sync.forge.environment import source_pages

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MANIFEST = "version: 1\nchannels:\n  - name: Support\n    welcomeMessage: Hi\n  - name: Sales\n"


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return manifest_in(tmp_path, monkeypatch, MANIFEST)


def test_plan_show_drift_and_apply_write_a_page(manifest: Path) -> None:
    with emulated() as api:
        page = ("--render", "html=page.html")
        for command, said in (
            (["plan", manifest.name, "--out", "plan.json"], "Plan: 2 to add"),
            (["show", "plan.json"], "Plan: 2 to add"),
            (["drift", "channels.yaml"], "Live differs from the files"),
            (["apply", "plan.json", "--auto-approve"], "Apply complete!"),
            (["drift", "channels.yaml"], "No drift."),
        ):
            done = api.invoke(*command, *page)
            assert done.code == 0, done
            assert said in Path("page.html").read_text(encoding="utf-8")
            assert Path("page.html").stat().st_mode & 0o077 == 0


def test_the_page_can_go_to_stdout(manifest: Path) -> None:
    with emulated() as api:
        assert api.invoke("plan", manifest, "--format", "html").out.startswith("<!doctype html>")


def test_the_page_of_an_apply_that_failed_says_what_is_done_and_what_is_not(manifest: Path) -> None:
    with emulated() as api:
        api.invoke("apply", manifest, "--auto-approve")
        manifest.write_text(MANIFEST.replace("Hi", "Hello").replace("Sales", "Returns"), encoding="utf-8")
        api.invoke("plan", manifest, "--out", "plan.json")
        manifest.write_text(MANIFEST.replace("Hi", "Ahoy"), encoding="utf-8")
        api.invoke("apply", manifest, "--auto-approve")
        done = api.invoke("apply", "plan.json", "--auto-approve", "--render", "html=page.html")
        assert done.code == 4
        text = Path("page.html").read_text(encoding="utf-8")
        assert "not started" in text
        assert "<h1>Nothing was started." in text, "what it came to is the heading"


def test_the_page_of_a_plan_that_a_guard_refuses_says_so(manifest: Path) -> None:
    manifest.write_text(MANIFEST.replace("channels:", "settings: {prune: true}\nchannels:"), encoding="utf-8")
    with emulated(*({"name": f"<b>Old</b> {number}"} for number in range(5))) as api:
        done = api.invoke("plan", manifest, "--render", "html=page.html")
        assert done.code == 5
        text = Path("page.html").read_text(encoding="utf-8")
        assert "A guard refuses this plan:" in text
        assert "5 of 5 live channels would be deleted" in text
        assert "&lt;b&gt;Old&lt;/b&gt; 0" in text
        assert "use --max-deletes 5" in text
        assert "Pass `--max-deletes=5` to both `webchat-sync plan` and `webchat-sync apply`." in text
        assert api.invoke("plan", manifest, "--render", "html=page.html", "--max-deletes", "5").code == 0
        assert "A guard refuses" not in Path("page.html").read_text(encoding="utf-8")


def test_apply_renders_nothing_but_the_page(manifest: Path) -> None:
    done = invoke("apply", manifest, "--auto-approve", "--render", "markdown=page.md")
    assert done.code == 64
    assert "FORMAT is html" in done.err


def test_a_page_that_cannot_be_written_is_told_before_anything_is_done(manifest: Path) -> None:
    with emulated() as api:
        done = api.invoke("apply", manifest, "--auto-approve", "--render", "html=nowhere/page.html")
        assert done.code == 1
        assert "nowhere" in done.err
        assert not [call for call in api.taken_calls() if call.startswith("POST")]


def test_places_are_linked_where_the_pipeline_says_what_its_commit_is(manifest: Path, tmp_path: Path) -> None:
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/site",
        "GITHUB_SHA": COMMIT,
        "GITHUB_WORKSPACE": str(tmp_path.parent),
    }
    with emulated() as api:
        page = api.invoke("plan", manifest.name, "--format", "html", environ={**api.environ, **environ}).out
    assert f'href="https://github.com/acme/site/blob/{COMMIT}/{tmp_path.name}/channels.yaml#L3"' in page


def test_the_commit_of_a_pull_request_is_the_one_that_was_proposed(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": "f" * 40}}}), encoding="utf-8")
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/site",
        "GITHUB_SHA": COMMIT,
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_EVENT_PATH": str(event),
    }
    assert source_pages(environ, tmp_path / "a b") == f"https://github.com/acme/site/blob/{'f' * 40}/a%20b"
    assert source_pages(environ, tmp_path / "\udcff").endswith("/%FF")


def test_gitlab_shows_its_files_below_another_address(tmp_path: Path) -> None:
    environ = {
        "GITLAB_CI": "true",
        "CI_PROJECT_URL": "https://gitlab.example/acme/site",
        "CI_PROJECT_DIR": str(tmp_path),
        "CI_COMMIT_SHA": COMMIT,
    }
    assert source_pages(environ, tmp_path) == f"https://gitlab.example/acme/site/-/blob/{COMMIT}"


@pytest.mark.parametrize(
    "change",
    [
        {"CI_PROJECT_URL": "javascript:alert(1)//"},
        {"CI_PROJECT_URL": 'https://gitlab.example/"onclick='},
        {"CI_COMMIT_SHA": "../../main"},
        {"CI_PROJECT_DIR": "/somewhere/else"},
        {"CI_PROJECT_DIR": ""},
        {"GITLAB_CI": ""},
    ],
)
def test_without_all_of_it_there_is_no_link(change: dict[str, str], tmp_path: Path) -> None:
    environ = {
        "GITLAB_CI": "true",
        "CI_PROJECT_URL": "https://gitlab.example/acme/site",
        "CI_PROJECT_DIR": str(tmp_path),
        "CI_COMMIT_SHA": COMMIT,
    }
    assert source_pages({**environ, **change}, tmp_path) == ""
