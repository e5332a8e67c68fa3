from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from commands import Finished, emulated, invoke
from webchat_sync.model import Plan
from webchat_sync.render.formats import FORMATS

MANIFEST = """\
version: 1
channels:
  - name: Support
    theme: dark
    color: "#000"
    allowedDomains: [www.example.com]
"""
LIVE = {"name": "Support", "id": "c-1", "theme": "light", "color": "#000", "allowedDomains": ["a.example"]}


@pytest.fixture(autouse=True)
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
    return tmp_path / "channels.yaml"


def test_one_run_writes_every_format_and_exits_as_it_would() -> None:
    renders = [f"--render={name}=out.{name}" for name in FORMATS]
    with emulated(LIVE) as api:
        planned = api.invoke("plan", "--format", "json", "--detailed-exitcode", "--out", "plan.json", *renders)
    assert (planned.code, planned.json()["summary"]["update"]) == (2, 1)
    written = {name: Path(f"out.{name}").read_text(encoding="utf-8") for name in FORMATS}
    assert written["json"] == planned.out == Path("plan.json").read_text(encoding="utf-8")
    assert "+ allowedDomains" in written["text"]
    assert written["markdown"].startswith("<!-- webchat-sync plan organization=acme ")
    assert "::error file=channels.yaml,line=6,col=21,title=danger domain-removed::" in written["github"]
    assert json.loads(written["gitlab"]) == {"create": 0, "update": 1, "delete": 0}
    assert stat.S_IMODE(Path("out.markdown").stat().st_mode) == 0o600

    for name in FORMATS:
        assert invoke("show", "plan.json", "--format", name).out == written[name]
    again = invoke("show", "plan.json", "--render", "markdown=again.md", "--render", "json=again.json", "--quiet")
    assert (again.code, again.out) == (0, "Plan: 0 to add, 1 to change, 0 to destroy.\n")
    assert Path("again.md").read_text(encoding="utf-8") == written["markdown"]
    assert Path("again.json").read_text(encoding="utf-8") == written["json"]


def test_a_plan_that_is_refused_is_rendered_all_the_same(manifest: Path) -> None:
    manifest.write_text("settings: {prune: true}\nversion: 1\nchannels: [{name: New}]\n", encoding="utf-8")
    with emulated(*({"name": f"Stranger {number}"} for number in range(3))) as api:
        refused = api.invoke("plan", "--render", "gitlab=report.json", "--format", "json")
    assert (refused.code, refused.json()["summary"]["delete"]) == (5, 3)
    assert json.loads(Path("report.json").read_text(encoding="utf-8"))["delete"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--render", "pdf=x"], '"pdf=x" isn\'t FORMAT=FILE, where FORMAT is text, json, '),
        (["--render", "markdown"], "isn't FORMAT=FILE"),
        (["--render", "markdown="], "isn't FORMAT=FILE"),
        (["--render", "markdown=x", "--render", "json=x"], '"x" is used twice'),
        (["--verbose", "--quiet"], "can't be used together"),
        (["--format", "pdf"], '"pdf" isn\'t one of'),
    ],
)
def test_wrong_usage_says_what_is_right(arguments: list[str], said: str) -> None:
    for command in (["plan"], ["show", "plan.json"]):
        wrong = invoke(*command, *arguments)
        assert (wrong.code, wrong.out) == (64, "")
        assert said in wrong.err


def test_a_file_that_cannot_be_written_is_told_before_anything_is_shown() -> None:
    with emulated(LIVE) as api:
        failed = api.invoke("plan", "--render", "json=no/such/folder/plan.json")
    assert (failed.code, failed.out) == (1, "")
    assert "can't write" in failed.err


def test_unchanged_fields_are_counted_shown_or_left_out_with_all_the_rest() -> None:
    with emulated(LIVE) as api:
        assert "      # (2 unchanged fields)" in api.invoke("plan").out
        assert '        color: "#000"' in api.invoke("plan", "--verbose").out
        assert api.invoke("plan", "-q").out == "Plan: 0 to add, 1 to change, 0 to destroy.\n"


def test_the_width_of_the_terminal_is_used(manifest: Path) -> None:
    text = "We answer within five minutes. " * 5
    manifest.write_text(f"{MANIFEST}    welcomeMessage: {text}\n", encoding="utf-8")
    with emulated(LIVE) as api:
        narrow, wide = (api.invoke("plan", columns=columns).out for columns in (80, 250))
        applied = api.invoke("apply", "--auto-approve", columns=250).out
    assert max(map(len, narrow.splitlines())) <= 80
    assert text.strip() in wide
    assert wide.strip() in applied


def test_a_format_is_a_function_from_a_plan_to_its_text() -> None:
    assert (
        FORMATS["gitlab"](Plan(datetime(2026, 11, 2, 12, tzinfo=UTC), ())) == '{"create": 0, "update": 0, "delete": 0}'
    )


def test_apply_shows_as_much_of_the_plan_as_it_is_told_to(manifest: Path) -> None:
    text = "version: 1\norganization: acme\nchannels:\n  - {name: Support, theme: THEME, botEnabled: true}\n"
    with emulated({"name": "Support", "theme": "auto", "botEnabled": True}) as api:

        def apply(theme: str, *options: str, **world: Any) -> Finished:
            manifest.write_text(text.replace("THEME", theme), encoding="utf-8")
            return api.invoke("apply", manifest, *options, **world)

        done = "Apply complete! Channels: 0 added, 1 changed, 0 destroyed.\n"
        assert apply("dark", "--auto-approve", "--quiet").out == done
        assert apply("dark", "--auto-approve", "--quiet").out == "No changes. The live channels match the manifest.\n"
        asked = apply("light", "--quiet", interactive=True, stdin="yes\n")
        # Before 8.4, click prints the blank behind a question to stdout.
        assert asked.out.replace("\n ", "\n") == f"Plan: 0 to add, 1 to change, 0 to destroy.\n{done}"
        assert "botEnabled: true" in apply("dark", "--auto-approve", "--verbose").out
        assert "(2 unchanged fields)" in apply("light", "--auto-approve").out
        assert apply("light", "--auto-approve", "--verbose", "--quiet").code == 64
