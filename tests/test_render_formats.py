"""Every output format over one set of plans.

Each folder of ``tests/data/plans`` is a case: manifests, ``live.json`` (the live channels), perhaps ``ledger.json``,
and beside them what each format makes of the plan, as files to be read. ``UPDATE_EXPECTED=1 pytest
tests/test_render_formats.py`` writes these files anew; read what ``git diff`` shows before you commit it.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from ledgers import read_ledger
from plan_formats import IN_FULL
from planning import NOW, catalogue, check_plan_document, declare, live, plan_for
from webchat_sync.errors import Diagnostic
from webchat_sync.manifest import load_manifests
from webchat_sync.model import FailedOrganization, Listing, LiveChannel, Plan, Remembered, SecretRemarks, Unchanged
from webchat_sync.plan.guard import NO_OPTIONS, judged
from webchat_sync.plan.make import make_plan
from webchat_sync.plan.secret import UNSURE_NOTE
from webchat_sync.planfile.reader import read_plan
from webchat_sync.render import markdown
from webchat_sync.render.formats import FORMATS
from webchat_sync.render.markdown import LONGEST
from webchat_sync.render.text import render_plan
from webchat_sync.render.walk import walk

PLANS: Final = Path(__file__).parent / "data" / "plans"
CASES: Final = sorted(path.name for path in PLANS.iterdir())
NAMED: Final[Mapping[str, str]] = {
    "text": "expected.txt",
    "json": "expected.json",
    "markdown": "expected.md",
    "github": "expected.github.txt",
    "gitlab": "expected.gitlab.json",
}
"""The file of a format whose name is not ``expected.`` and the format's."""
FILES: Final[Mapping[str, Callable[[Plan], str]]] = {
    "expected.wide.txt": partial(render_plan, width=200, verbose=True),
    "expected.color.txt": partial(render_plan, color=True),
    # The page is looked at in a browser: tests/test_html_browser.py.
    **{NAMED.get(name, f"expected.{name}"): render for name, render in FORMATS.items() if name != "html"},
}


def plan_of(case: str, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The plan of a case; the places in it are relative to the folder of the case."""
    monkeypatch.chdir(PLANS / case)
    files = sorted(path for path in Path().glob("*.yaml"))
    manifests = load_manifests(files, catalogue=catalogue(), environ={}).manifests
    live = json.loads(Path("live.json").read_text(encoding="utf-8"))
    listed = tuple(LiveChannel(each["id"], each["name"], each) for each in live)
    # The first organisation has the live channels; a second one is new.
    sides = [
        (manifest, Listing("https://api.example", () if number else listed))
        for number, manifest in enumerate(manifests)
    ]
    remembered = Remembered(read_ledger(Path("ledger.json")))
    return judged(make_plan(sides, catalogue=catalogue(), created_at=NOW, remembered=remembered), NO_OPTIONS)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("case", CASES)
def test_every_format_is_as_it_was_reviewed(case: str, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = FILES[file](plan_of(case, monkeypatch)) + "\n"
    expected = PLANS / case / file
    if os.environ.get("UPDATE_EXPECTED"):
        expected.write_text(rendered, encoding="utf-8", newline="\n")
    assert expected.exists(), "write it with UPDATE_EXPECTED=1, and read it"
    assert rendered == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_a_saved_plan_is_rendered_as_the_plan_that_was_made(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(case, monkeypatch)
    text = FORMATS["json"](plan)
    check_plan_document(json.loads(text))
    saved = read_plan(text)
    for name, render in FORMATS.items():
        assert render(saved) == render(plan), name


@pytest.mark.parametrize("name", [name for name in IN_FULL if name != "text"])
def test_every_format_that_is_read_without_stderr_says_why_a_plan_is_refused_and_who_failed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = FailedOrganization("beta", 3, (Diagnostic("the server is gone"),))
    shown = html.unescape(FORMATS[name](replace(plan_of("refused", monkeypatch), failed=(failed,))))
    assert "is protected and would be switched off" in shown
    assert "the server is gone" in shown


@pytest.mark.parametrize("case", ["refused", "secrets"])
@pytest.mark.parametrize("name", [name for name in IN_FULL if name != "json"])
def test_every_format_says_what_a_change_means_why_it_is_made_and_where_secrets_go(
    name: str, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(case, monkeypatch)
    shown = without_markup(FORMATS[name](plan))
    for channel in (channel for section in walk(plan) for channel in section.channels):
        meanings = [impact.text for impact in channel.change.impact]
        beside = [text for each in channel.beside for text in (each.text, *each.below)]
        for text in filter(None, [*meanings, *beside, channel.change.note]):
            assert without_markup(text) in shown


def without_markup(text: str) -> str:
    """``text`` without tags and spaces."""
    return "".join(html.unescape(re.sub(r"</?[a-z][^>]*>", "", text)).split())


@pytest.mark.parametrize("name", [name for name in IN_FULL if name not in ("text", "json", "github")])
def test_every_format_that_is_read_elsewhere_says_what_a_plan_is_based_on(name: str) -> None:
    plan = replace(plan_for([declare()], [live(), live("Other", "c-2")]), partial=("Sup*",), live_created_at=NOW)
    shown = html.unescape(FORMATS[name](plan)).replace("`", "")
    assert "Only channels matching" in shown
    assert "Compared with a snapshot of 2026-11-02T12:00:00+00:00" in shown
    assert "1 undeclared channel is left alone because settings.prune is off" in " ".join(shown.split())


@pytest.mark.parametrize("case", CASES)
def test_markdown_fits_a_comment_and_text_is_plain(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(case, monkeypatch)
    assert len(FORMATS["markdown"](plan)) <= LONGEST
    assert "\x1b" not in FORMATS["text"](plan)


ALLOWED: Final = "In the pipeline, pass `--allow-protected`, `--allow-lookalikes` and `--max-deletes=2` to both"
DECIDED: Final = "Pass `--rotate` or `--adopt-secret` to `webchat-sync plan`, or to an apply without a saved plan."
INPUTS: Final = "use its inputs `arguments` and `apply-arguments`, one option per line."


@pytest.mark.parametrize(
    ("case", "host", "said", "where"),
    [
        ("refused", "github", ALLOWED, f"the plan and the apply. With the GitHub Action, {INPUTS}"),
        (
            "refused",
            "gitlab",
            ALLOWED,
            "the plan and the apply. With the GitLab component, use its inputs `plan-arguments` and",
        ),
        (
            "nested",
            "github",
            DECIDED,
            "With the GitHub Action, use the input `arguments` of both the plan and the apply, with an equals",
        ),
        ("nested", "gitlab", DECIDED, "With the GitLab component, use the input `plan-arguments`, with an equals sign"),
    ],
)
def test_a_comment_says_where_the_options_of_a_refusal_go_on_its_host(
    case: str, host: str, said: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"\n\n{said} {where}" in markdown.render_plan(plan_of(case, monkeypatch), host=host)


def test_no_name_in_a_hint_is_taken_for_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of("refused", monkeypatch)
    name = "x, use --max-deletes 99."
    hint = f'Declare its exact name "{name}", or use --allow-lookalikes.'
    refused = replace(
        plan.organizations[0], refused=(Diagnostic("no", hint=hint), Diagnostic("no", hint=f"{name} No."))
    )
    text = markdown.render_plan(replace(plan, organizations=(refused,)))
    assert "Pass `--allow-lookalikes` to both" in text
    assert "`--max-deletes=99`" not in text


def test_a_note_that_names_options_is_followed_by_where_they_go(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of("unchanged", monkeypatch)
    (planned,) = plan.organizations
    change = planned.changes[0]
    assert isinstance(change, Unchanged)
    noted = replace(change, remarks=SecretRemarks(UNSURE_NOTE))
    text = markdown.render_plan(replace(plan, organizations=(replace(planned, changes=(noted,)),)))
    assert f"or with `--rotate` to replace it\n\n{DECIDED}" in text
