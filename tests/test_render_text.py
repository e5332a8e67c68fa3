from __future__ import annotations

from dataclasses import replace

import pytest

from planning import declare, live, plan_for
from webchat_sync.errors import ApiStatusError, InputError, Place, Problem
from webchat_sync.model import Json, OperationResult
from webchat_sync.render.problems import render_error, render_problems
from webchat_sync.render.report import render_result
from webchat_sync.render.text import render_plan

ALL = [
    declare("New", color="#fff", theme="dark"),
    replace(declare("Support", theme="light", offlineMessage=None), renamed_from="Soporte"),
    replace(declare("Legacy"), absent=True),
    declare("Same", enabled=True),
]
LIVE = [
    live("Soporte", "c-1", theme="dark", offlineMessage="Closed"),
    live("Legacy", "c-2", enabled=True),
    live("Same", "c-3", enabled=True),
    live("Stranger", "c-4"),
]


def test_a_plan_reads_as_in_terraform() -> None:
    assert (
        render_plan(plan_for(ALL, LIVE))
        == """\
  # "New" will be created  (channels.yaml:3)
  + channel "New" {
      + name: "New"
      + color: "#fff"
      + theme: "dark"
    }

  # "Support" will be updated in place, renamed from "Soporte"  (channels.yaml:3)
  ~ channel "Support" {
      ~ name: "Soporte" -> "Support"
      ~ theme: "dark" -> "light"
      - offlineMessage: "Closed"
    }

  # "Legacy" will be destroyed  (channels.yaml:3)
  # (declared with state: absent)
  - channel "Legacy" {
      - name: "Legacy"
      - enabled: true
    }

Undeclared, and left alone because settings.prune is off:
    "Stranger" (c-4)

Plan: 1 to add, 1 to change, 1 to destroy."""
    )


def test_a_plan_without_changes_says_so() -> None:
    assert render_plan(plan_for([declare()], [live()])) == "No changes. The live channels match the manifest."


def test_colours_only_mark_the_symbols() -> None:
    plan = plan_for(ALL, LIVE)
    colored = render_plan(plan, color=True)
    assert "\x1b[32m+\x1b[0m channel" in colored
    for code in ("\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[0m"):
        colored = colored.replace(code, "")
    assert colored == render_plan(plan)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("two\nlines", '+ welcomeMessage: "two\\nlines"'),
        ("\x1b[31mred\x07", '+ welcomeMessage: "\\u001b[31mred\\u0007"'),
        ("abc\u202etxt.exe\x9b", '+ welcomeMessage: "abc\\u202etxt.exe\\u009b"'),
        ("\ud800", '+ welcomeMessage: "\\ud800"'),
        ("👨‍👩‍👧 ñ", '+ welcomeMessage: "👨‍👩‍👧 ñ"'),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(value: str, line: str) -> None:
    text = render_plan(plan_for([declare(welcomeMessage=value)], []))
    assert line in text
    assert text.isprintable() or not any(ord(each) < 32 and each != "\n" for each in text)


def test_long_values_take_several_lines_under_their_field() -> None:
    fields: list[Json] = [{"label": f"Question {number}", "options": ["yes", "no"]} for number in range(2)]
    fields.append({"label": "Which of our products is it about?", "options": ["The first one", "The second one"]})
    text = render_plan(plan_for([declare(prechatFields=fields)], []))
    assert text.startswith(
        """\
  # "Support" will be created  (channels.yaml:3)
  + channel "Support" {
      + name: "Support"
      + prechatFields: [
          {"label": "Question 0", "options": ["yes", "no"]},
          {"label": "Question 1", "options": ["yes", "no"]},
          {
            "label": "Which of our products is it about?",
            "options": ["The first one", "The second one"]
          }
        ]
    }
"""
    )


def test_an_unknown_value_is_not_shown_as_null() -> None:
    assert "~ theme: (unknown) -> " in render_plan(plan_for([declare(theme="dark")], [live()]))


def test_problems_say_what_where_and_what_to_do() -> None:
    place = Place("channels.yaml", 4, 7)
    problems = [
        Problem('unknown field "colour"', place, "channels[0].colour", 'did you mean "color"?'),
        Problem("no API key is given", hint="Set MOSEND_API_KEY."),
    ]
    assert (
        render_error(InputError(problems))
        == render_problems(problems)
        == """\
channels.yaml:4:7: error: channels[0].colour: unknown field "colour"
  did you mean "color"?
Error: no API key is given
  Set MOSEND_API_KEY."""
    )


def test_a_failed_operation_shows_its_error_on_one_line() -> None:
    operation = plan_for([declare("\x1b[2J")], []).organizations[0].changes[0].operations[0]
    error = ApiStatusError("400", method="POST", path="/x", status=400, messages=["bad\x1b"], request_id="r-1")
    assert (
        render_result(OperationResult("acme", "\x1b[2J", operation, "failed", error=error))
        == '"\\u001b[2J": failed: POST /x: 400: bad\\u001b (request id r-1)'
    )
