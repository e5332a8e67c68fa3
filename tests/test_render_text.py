from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning import declare, live, plan_for
from webchat_sync.errors import ApiStatusError, Diagnostic, InputError, Place
from webchat_sync.model import Impact, Json, OperationResult
from webchat_sync.render.paint import AMBER, BLUE, GREEN, RED
from webchat_sync.render.problems.text import render_error, render_problems
from webchat_sync.render.report import render_result
from webchat_sync.render.text import render_plan
from webchat_sync.render.text_diff import columns, compare, wrap
from work import calls_of

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
  ! warning: white on "#fff" is hard to read: the contrast is 1.00:1, below the
      minimum of 3:1
  ! info: a new channel
  + channel "New" {
      + name: "New"
      + color: "#fff"
      + theme: "dark"
    }

  # "Support" will be updated in place, renamed from "Soporte"
  # (channels.yaml:3)
  ! info: agents and reports see "Support" instead of "Soporte"
  ~ channel "Support" {
      ~ name: "Soporte" -> "Support"
      ~ theme: "dark" -> "light"
      - offlineMessage: "Closed"
    }

  # "Legacy" will be destroyed  (channels.yaml:3)
  # (declared with state: absent)
  ! danger: the channel is deleted: its snippet stops working on every site that
      embeds the widget
  - channel "Legacy" {
      - name: "Legacy"
      - enabled: true
    }

1 undeclared channel is left alone because settings.prune is off (-v lists it).

Plan: 1 to add, 1 to change, 1 to destroy."""
    )


def test_a_plan_without_changes_says_so() -> None:
    assert render_plan(plan_for([declare()], [live()])) == "No changes. The live channels match the manifest."


COLOR = re.compile(r"\x1b\[[0-9;]*m")


def test_colours_mark_the_symbols_and_take_nothing_away() -> None:
    plan = plan_for(ALL, LIVE)
    colored = render_plan(plan, color=True)
    assert "\x1b[38;5;28m+\x1b[0m channel" in colored
    assert "! \x1b[1;38;5;160mdanger\x1b[0m: the channel is deleted" in colored
    assert COLOR.sub("", colored) == render_plan(plan)


@pytest.mark.parametrize("color", [GREEN, AMBER, RED, BLUE])
def test_colours_can_be_read_on_a_light_and_on_a_dark_background(color: int) -> None:
    # xterm's 6 × 6 × 6 cube, and the contrast of WCAG 2.2: 3:1 is the least for large texts, 4.5:1 for all.
    levels = [0, 95, 135, 175, 215, 255]
    shares = [levels[(color - 16) // step % 6] / 255 for step in (36, 6, 1)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in shares]
    luminance = sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    assert 1.05 / (luminance + 0.05) > 3.8
    assert (luminance + 0.05) / 0.05 > 3.8


BEFORE = "Hi! Ask us anything about your order.\nWe usually answer within five minutes, and at noon in ten."
AFTER = "Hola! Ask us anything about your order.\nWe usually answer within two minutes, and at noon in ten."


def test_a_long_text_is_wrapped_and_its_difference_marked_by_word() -> None:
    plan = plan_for([declare(welcomeMessage=AFTER)], [live(welcomeMessage=BEFORE)])
    assert """\
      ~ welcomeMessage:
          "[-Hi-]{+Hola+}! Ask us anything about your order.\\n
          We usually answer within [-five-]{+two+} minutes, and at noon in ten."
""" in render_plan(plan)
    assert "\x1b[9;38;5;160mfive\x1b[0m\x1b[4;38;5;28mtwo\x1b[0m minutes" in render_plan(plan, color=True)
    assert f"~ welcomeMessage: {json.dumps(BEFORE)} -> {json.dumps(AFTER)}\n" in render_plan(plan, width=250)


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("color", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, color: bool) -> None:
    texts = [f"{word} 你好 word\nñandú {'-' * 7} " * 9 for word in ("old", "new")]
    items: list[list[Json]] = [[{"label": "Name", "help": text, "options": [text, "no"]}] for text in texts]
    declared = [declare(welcomeMessage=texts[1], prechatFields=items[1]), declare("New", offlineMessage=texts[0])]
    text = render_plan(
        plan_for(declared, [live("Support", "c-1", welcomeMessage=texts[0], prechatFields=items[0])]),
        width=width,
        color=color,
    )
    assert max(columns(line) for line in text.splitlines()) <= width


@given(st.text(alphabet='ab [-]{+}\n\\"é', max_size=60), st.text(alphabet='ab [-]{+}\n\\"é', max_size=60))
def test_both_texts_can_be_read_from_the_difference(before: str, after: str) -> None:
    pieces = compare(before, after)
    assert "".join(text for mark, text in pieces if mark != "+") == before
    assert "".join(text for mark, text in pieces if mark != "-") == after
    lines = wrap(pieces, lambda piece: piece[1], width=20, first=10)
    assert "".join("".join(lines).split()) == "".join("".join(text for _, text in pieces).split())


def calls_to_compare(before: str, after: str) -> int:
    compare("loads", "difflib")
    return calls_of(partial(compare, before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (lambda words: "go " * words, lambda words: "a " + "go " * words + "b"),
        (lambda words: "x " + "a b " * words, lambda words: "y " + "b a " * words),
        (lambda words: "".join(f"w{number} " for number in range(words)), lambda words: "none " * words),
        (
            lambda words: "start " + "same words " * words + "end",
            lambda words: "begin " + "same words " * words + "stop",
        ),
        (
            lambda words: "".join(f"w{number} old{number} " for number in range(words)),
            lambda words: "".join(f"w{number} new{number} " for number in range(words)),
        ),
    ],
)
def test_the_work_of_comparing_grows_no_faster_than_the_texts(
    before: Callable[[int], str], after: Callable[[int], str]
) -> None:
    few, many = (calls_to_compare(before(words), after(words)) for words in (100, 1000))
    assert many <= 12 * few
    assert many <= 40 * 2000


def test_what_repeats_itself_is_shown_as_a_whole() -> None:
    before, after = "x " + "a b " * 100 + "1", "y " + "b a " * 100 + "2"
    assert compare(before, after) == [("-", before), ("+", after)]
    assert compare("one go " + "go " * 500 + "end", "two go " + "go " * 500 + "end") == [
        ("-", "one"),
        ("+", "two"),
        (" ", " go " + "go " * 500 + "end"),
    ]


def test_a_value_cannot_pretend_to_be_a_difference() -> None:
    before, after = "x" * 80, f"{'x' * 70} {{+added+}} [-removed-]"
    text = render_plan(plan_for([declare(welcomeMessage=after)], [live(welcomeMessage=before)]))
    assert r"\u007b+added+\u007d" in text
    assert r"\u005b-removed-\u005d" in text
    assert "{+added" not in text
    assert "[-removed" not in text


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("command", ["##[add-mask]x", "##vso[task.setvariable]x", "a b " * 30 + "::error::x"])
def test_no_value_is_taken_for_a_command_by_the_log_of_a_runner(command: str) -> None:
    values = [command, command * 2]
    for width in range(40, 140):
        text = render_plan(plan_for([declare(welcomeMessage=values[0])], [live(welcomeMessage=values[1])]), width=width)
        assert "##[" not in text
        assert "##vso[" not in text
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_unchanged_fields_are_counted_or_shown() -> None:
    plan = plan_for(
        [declare(theme="dark", color="#000", botEnabled=True)], [live(theme="light", color="#000", botEnabled=True)]
    )
    assert '      ~ theme: "light" -> "dark"\n      # (3 unchanged fields)\n    }' in render_plan(plan)
    shown = render_plan(plan, verbose=True)
    assert '        color: "#000"\n' in shown
    assert "unchanged" not in shown


WEEK: Json = {"timezone": "America/Bogota", "days": {"mon": ["09:00-18:00"]}}
LONGER: Json = {"timezone": "America/Bogota", "days": {"mon": ["09:00-18:00"], "sat": ["09:00-13:00"]}}


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (
            {"operatingHours": WEEK},
            LONGER,
            [
                "~ operatingHours Sat: closed -> 09:00–13:00",
                "~ operatingHours: 9 h a week -> 13 h a week, +4 h a week",
            ],
        ),
        ({"operatingHours": None}, WEEK, ["+ operatingHours: 9 h a week", "+ operatingHours Mon: 09:00–18:00"]),
        ({"operatingHours": WEEK}, None, ["- operatingHours: 9 h a week", "- operatingHours Tue–Sun: closed"]),
        ({"operatingHours": WEEK}, {"always": True}, ["+ operatingHours.always: true"]),
        ({}, WEEK, ["~ operatingHours: (unknown) -> {"]),
    ],
)
def test_operating_hours_are_told_as_time_where_they_can_be(
    before: dict[str, Json], after: Json, lines: list[str]
) -> None:
    text = render_plan(plan_for([declare(operatingHours=after)], [live("Support", "c-1", **before)]))
    for line in lines:
        assert f"      {line}" in text


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
  ! info: a new channel
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
        Diagnostic('unknown field "colour"', place, ("channels", 0, "colour"), 'did you mean "color"?'),
        Diagnostic("no API key is given", hint="Set MOSEND_API_KEY."),
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
    operation = plan_for([declare("\x1b[2J")], []).organizations[0].active_changes[0].operations[0]
    error = ApiStatusError("400", method="POST", path="/x", status=400, messages=["bad\x1b"], request_id="r-1")
    assert (
        render_result(OperationResult("acme", "\x1b[2J", operation, "failed", error=error))
        == '"\\u001b[2J": failed: POST /x: 400: bad\\u001b (request id r-1)'
    )


def test_a_plan_that_somebody_else_wrote_may_say_nothing_of_a_change() -> None:
    plan = plan_for([declare(color="#000000")], [live(color="#ffffff")])
    (organization,) = plan.organizations
    silent = replace(organization.active_changes[0], impact=(Impact("info", "x", "", "color"),))
    text = render_plan(replace(plan, organizations=(replace(organization, changes=(silent,)),)))
    assert "info: \n" in text
