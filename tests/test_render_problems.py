from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, FormatChecker

from webchat_sync.errors import Diagnostic, Place
from webchat_sync.render.log_commands import annotation
from webchat_sync.render.problems import as_json, codequality, github, sarif
from webchat_sync.render.problems.diagnostic_id import diagnostic_ids
from webchat_sync.render.problems.excerpt import end_column
from webchat_sync.render.problems.text import render_problems
from webchat_sync.render.text_diff import columns

SARIF = Draft4Validator(
    json.loads((Path(__file__).parent / "data" / "sarif-2.1.0.schema.json").read_text(encoding="utf-8")),
    format_checker=FormatChecker(),
)


def problem(message: str = "wrong", at: tuple[int, int] = (3, 12), **more: Any) -> Diagnostic:
    steps = ("channels", 0, "color")
    more = {"steps": steps, "hint": "Do better.", "code": "form", "line": "    color: red # x", **more}
    return Diagnostic(message, Place("a/b.yaml", *at), **more)


LOST = Diagnostic("nothing there", hint="Look again.", code="no-manifest")


def test_a_problem_is_a_paragraph_with_its_line_and_its_way_out() -> None:
    assert render_problems([problem(), LOST, problem(at=(12, 12), hint="", severity="warning")]).splitlines() == [
        "a/b.yaml:3:12: error: channels[0].color: wrong",
        "  3 |     color: red # x",
        "    |            ^",
        "  Do better.",
        "Error: nothing there",
        "  Look again.",
        "a/b.yaml:12:12: warning: channels[0].color: wrong",
        "  12 |     color: red # x",
        "     |            ^",
    ]


@pytest.mark.parametrize(
    ("line", "column", "shown", "before"),
    [
        ("\tname: x", 8, "    name: x", "    name: "),
        ("漢字: x", 5, "漢字: x", "    " + ": "),
        ("e\u0301: x", 5, "e\u0301: x", "e: "),
        ("a\u202e: x", 5, "a\\u202e: x", "a\\u202e: "),
        ("x:", 3, "x:", "x:"),
        ("x:", 9, "x:", "x:"),
    ],
)
def test_the_caret_stands_below_the_column_as_a_terminal_shows_it(
    line: str, column: int, shown: str, before: str
) -> None:
    _, quoted, caret, _ = render_problems([_at(line, column)]).split("\n")
    assert quoted == f"  3 | {shown}"
    assert caret == f"    | {' ' * len(before)}^"


def _at(text: str, column: int) -> Diagnostic:
    return Diagnostic("wrong", Place("a.yaml", 3, column), hint="Do better.", line=text)


@pytest.mark.parametrize("column", [1, 30, 150, 299, 300])
def test_a_long_line_is_cut_around_the_caret(column: int) -> None:
    line = "".join(chr(ord("a") + index % 26) for index in range(300))
    _, quoted, caret, _ = render_problems([_at(line, column)]).split("\n")
    assert len(quoted) <= 80
    assert quoted[caret.index("^")] == line[column - 1]
    assert ("…" in quoted[:10]) is (column > 100)


@given(st.text(alphabet="ab \t漢\u0301\u202e😀", max_size=200), st.integers(1, 220), st.sampled_from([3, 77_777]))
def test_an_excerpt_and_its_caret_fit_80_columns(line: str, column: int, number: int) -> None:
    problem = Diagnostic("wrong", Place("a.yaml", number, column), line=line)
    for shown in render_problems([problem]).split("\n")[1:]:
        assert columns(shown) <= 80


def test_a_line_that_is_not_known_is_not_shown() -> None:
    assert render_problems([_at("", 3), _at("   ", 3)]).count("|") == 0


@pytest.mark.parametrize(
    ("line", "column", "end"),
    [
        ("color: red # x", 8, 11),
        ("a: [x, 18:00-19:00]", 8, 19),
        ('a: "b \\" c" # x', 4, 12),
        ("a: 'b ''c'' d', x", 4, 15),
        ("a: ${B} x", 4, 5),
        ("key: 1", 1, 4),
        ("x: ", 3, 4),
        ("", 3, 4),
    ],
)
def test_the_end_of_a_range_is_behind_the_word(line: str, column: int, end: int) -> None:
    assert end_column(_at(line, column)) == end


def test_json_is_like_that_of_terraform() -> None:
    warning = problem(severity="warning", line="")
    document = json.loads(as_json.render_problems([problem(), warning, LOST]))
    first, second, third = document.pop("diagnostics")
    assert document == {"format_version": "1.0", "valid": False, "error_count": 2, "warning_count": 1}
    assert first == {
        "severity": "error",
        "summary": "wrong",
        "detail": "Do better.",
        "code": "form",
        "path": "channels[0].color",
        "range": {
            "filename": "a/b.yaml",
            "start": {"line": 3, "column": 12},
            "end": {"line": 3, "column": 15},
        },
        "snippet": {
            "context": "channels[0].color",
            "code": "    color: red # x",
            "start_line": 3,
            "highlight_start_offset": 11,
            "highlight_end_offset": 14,
            "values": [],
        },
    }
    assert (second["snippet"], third["range"], third["snippet"]) == (None, None, None)
    assert json.loads(as_json.render_problems([warning]))["valid"] is True
    assert json.loads(as_json.render_problems([warning], strict=True))["valid"] is False
    assert json.loads(as_json.render_problems([], strict=True))["valid"] is True


def test_github_gets_its_escapes() -> None:
    odd = Diagnostic("50% off:\r\n::set-env a,b", Place("a,b:c%.yaml", 1, 2), hint="x", code="form")
    text = "50%25 off:%0D%0A::set-env a,b%0Ax"
    assert github.render_problems([odd, LOST]).splitlines() == [
        "::error file=a%2Cb%3Ac%25.yaml,line=1,col=2,endColumn=3,title=webchat-sync%3A form::" + text,
        "::error title=webchat-sync%3A no-manifest::nothing there%0ALook again.",
    ]


@pytest.mark.parametrize("obeyed", ["##[group]x", "##vso[task.setvariable variable=a]", "\u202e", "\x1b[2J", "\r"])
@pytest.mark.parametrize("title", [False, True])
def test_no_log_gets_what_it_would_obey_from_a_name_of_a_file_or_a_value(obeyed: str, title: bool) -> None:
    place, message = Place(f"a{obeyed}.yaml", 1, 1), f"wrong {obeyed}"
    printed = [
        github.render_problems([Diagnostic(message, place, ("channels", obeyed), hint=obeyed, code=obeyed)]),
        annotation("warning", message, title=obeyed if title else "", place=place),
    ]
    for text in printed:
        assert obeyed not in text
        assert len(text.splitlines()) == 1


def test_github_gets_ten_of_each_severity_errors_first_and_the_number_of_the_others_last() -> None:
    many = [problem(severity="warning"), *[problem(), problem(severity="warning")] * 12]
    lines = github.render_problems(many).splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == ["::error"] * 10 + ["::warning"] * 10 + ["::notice"]
    assert "2 errors, 3 warnings not shown" in lines[-1]
    assert len(github.render_problems(many[:4]).splitlines()) == 4
    assert github.render_problems([]) == ""


def test_sarif_follows_its_schema() -> None:
    odd = Diagnostic("odd", Place("./käse und brot/a#b.yaml", 1, 1), severity="warning", code="not-in-the-list")
    log = json.loads(sarif.render_problems([problem(), odd, LOST]))
    SARIF.validate(log)
    SARIF.validate(json.loads(sarif.render_problems([])))
    (run,) = log["runs"]
    first, second = run["results"]
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "form"
    assert first["message"] == {"text": "wrong. Do better."}
    assert first["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 3,
        "startColumn": 12,
        "endColumn": 15,
        "snippet": {"text": "    color: red # x"},
    }
    assert first["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "channels[0].color"}]
    assert "ruleId" not in second
    assert second["level"] == "warning"
    uri = second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "k%C3%A4se%20und%20brot/a%23b.yaml"
    assert run["invocations"] == [
        {
            "executionSuccessful": False,
            "toolConfigurationNotifications": [{"level": "error", "message": {"text": "nothing there. Look again."}}],
        }
    ]


def test_every_kind_of_problem_is_a_rule() -> None:
    package = Path(sarif.__file__).parents[2]
    sources = [path for room in ("yaml12", "check", "manifest") for path in sorted((package / room).glob("*.py"))]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    assert {code for code in sarif.RULES if f'"{code}"' not in text} == set()
    named = re.findall(r'\b(?:code=|_?CODE: Final = |problem\()"([a-z-]+)"', text)
    assert len(set(named)) > 30
    assert set(named) <= sarif.RULES.keys()
    expected = json.loads((Path(__file__).parent / "data" / "hostile.json").read_text(encoding="utf-8"))
    codes = {each.split(" ")[1] for found in expected.values() for each in found}
    assert codes <= sarif.RULES.keys()


def test_gitlab_gets_an_issue_for_each_problem() -> None:
    issues = json.loads(codequality.render_problems([problem(), problem(severity="warning"), LOST]))
    assert issues[0] == {
        "description": "channels[0].color: wrong. Do better.",
        "check_name": "form",
        "fingerprint": diagnostic_ids([problem()])[0],
        "severity": "major",
        "location": {"path": "a/b.yaml", "lines": {"begin": 3}},
    }
    assert issues[1]["severity"] == "minor"
    assert issues[2]["location"] == {"path": ".", "lines": {"begin": 1}}
    assert len({issue["fingerprint"] for issue in issues}) == 3


def test_a_fingerprint_stays_when_lines_move_and_tells_problems_apart() -> None:
    moved = problem("first at a/b.yaml:9:1", (7, 14), steps=("channels", 4, "color"), line="      color: red # x")
    assert diagnostic_ids([problem("first at a/b.yaml:2:1")]) == diagnostic_ids([moved])
    other = [problem(code="type"), problem(steps=("channels", 0, "theme")), problem(line="    color: blue")]
    assert len({*diagnostic_ids([problem(), problem(), *other, LOST])}) == 6
