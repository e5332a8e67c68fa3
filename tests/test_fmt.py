"""The canonical layout: the same values, the same comments, and nothing more to do the second time."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from commands import invoke
from planning import catalogue, live
from sizes import examples
from test_adopt import Case, cases
from test_convergence import fields
from webchat_sync.manifest.fmt import canonical
from webchat_sync.manifest.write import write_manifest
from webchat_sync.yaml12.document import Source

PRETTIER: Final = "WEBCHAT_SYNC_PRETTIER"
"""The variable with Prettier's program, which `.ci/run` installs where npm is."""

WIDTH: Final = 120
"""The print width that the guide names."""

EXAMPLES: Final = Path(__file__).parents[1] / "examples"

MESSY = """\
# Head
---
{version: 1, channels: [{name: X}]} # tail
---
defaults:
  color: "#0f766e" # brand
version: 1


channels:
  # first
  - sync: {id: "5"}   # pin
    # about theme
    theme: ${WEBCHAT_THEME:-dark}
    name: "Support" # the first
    allowedDomains:
      - a.example
      - "b.example" # ours
    prechatFields:   # ask
      - { label: Email, required: true }

      - label: Phone
        # why
        required: false
    offlineMessage: "Bye\\nSoon"
    botEnabled: True

    operatingHours:
        # zone
        timezone: "UTC"
        days: { mon: ["09:00-13:00", '14:00-18:00'] }
  -   # odd
      name: Sales
      welcomeMessage: >
        folded
        text
      enabled: "${WEBCHAT_ON}"
      allowedDomains: [a, # one
        b]
organization: ${MOSEND_ORG_ID}
# The end
"""
NEAT = """\
# Head
---
version: 1
channels:
  - { name: X }
# tail
---
version: 1
organization: ${MOSEND_ORG_ID}
defaults:
  color: "#0f766e" # brand


channels:
  # first
  - name: Support # the first
    allowedDomains:
      - a.example
      - b.example # ours
    botEnabled: true

    operatingHours:
      # zone
      timezone: UTC
      days: { mon: ["09:00-13:00", "14:00-18:00"] }
    offlineMessage: |-
      Bye
      Soon
    prechatFields: # ask
      - { label: Email, required: true }

      - label: Phone
        # why
        required: false
    # about theme
    theme: ${WEBCHAT_THEME:-dark}
    sync: { id: "5" } # pin
  # odd
  - name: Sales
    enabled: "${WEBCHAT_ON}"
    welcomeMessage: |
      folded text
    allowedDomains:
      - a # one
      - b
# The end
""".replace("\n\n\n", "\n\n")


def laid(text: str, name: str = "a.yaml") -> str:
    """The text laid out anew, which is done once and for all."""
    source = Source.of(name, text.encode())
    data = canonical(source, catalogue())
    assert isinstance(data, bytes), data
    assert canonical(Source.of(name, data), catalogue()) == data
    return data.decode()


def test_a_messy_file_becomes_neat() -> None:
    assert laid(MESSY) == NEAT
    assert laid(MESSY.replace("\n", "\r\n")) == NEAT.replace("\n", "\r\n")
    assert laid(f"\ufeff{MESSY}") == f"\ufeff{NEAT}"


HEAD = "version: 1\nchannels:\n  - name: A\n"
UNDER = f"{HEAD}    # under A\n  # under channels\n# under all\n"


@pytest.mark.parametrize(
    ("text", "neat"),
    [
        ("{version: 1, channels: []}\n", "version: 1\nchannels: []\n"),
        ("version: 1\nchannels:\n", "version: 1\nchannels: null\n"),
        ("version: 1\nchannels:\n- name: A", HEAD),
        (f"{HEAD}    theme: !!str dark\n", f"{HEAD}    theme: !!str dark\n"),
        (f"{HEAD}    color: '${{X}}'\n", f'{HEAD}    color: "${{X}}"\n'),
        (f"{HEAD}    color: |-\n      ${{X}}\n", f'{HEAD}    color: "${{X}}"\n'),
        (f"{HEAD}    color: a $${{X\n", f"{HEAD}    color: a $${{X\n"),
        (f"{HEAD}    allowedDomains: ['${{X}}', 'b, c']\n", f"{HEAD}    allowedDomains: [\"${{X}}\", \"b, c\"]\n"),
        (f"{HEAD}    allowedDomains:\n    - a, ${{X}}\n", f"{HEAD}    allowedDomains:\n      - a, ${{X}}\n"),
        (f"{HEAD}    x: 0x1F\n", f"{HEAD}    x: 0x1F\n"),
        (f"{HEAD}    x: ~\n", f"{HEAD}    x: null\n"),
        (f"{HEAD}    x: |+ # c\n      a\n\n", f'{HEAD}    x: "a\\n\\n" # c\n'),
        (f"{HEAD}    x: [ # c\n      # d\n    ]\n", f"{HEAD}    # c\n    # d\n    x: []\n"),
        (f"{HEAD}  - {{ # c\n    }}\n", f"{HEAD}  - {{}} # c\n"),
        (f"{HEAD}    x: [[ # c\n      1]]\n", f"{HEAD}    x:\n      # c\n      - [1]\n"),
        (f"{HEAD}    x: {{a: 1, # c\n      b: \"d\\ne\"}}\n",
         f"{HEAD}    x:\n      a: 1 # c\n      b: |-\n        d\n        e\n"),
        (f"{HEAD}    x: &a\n      # c\n      b: 1\n", f"{HEAD}    x: &a\n      # c\n      b: 1\n"),
        (f"{HEAD}    x: &a [ # c\n      1]\n", f"{HEAD}    x: &a\n      # c\n      - 1\n"),
        (f"{HEAD}    x:\n      - {{b: 1, # c\n        d: 2}} # e\n",
         f"{HEAD}    x:\n      # e\n      - b: 1 # c\n        d: 2\n"),
        (f"{HEAD}    x:\n      - &a # c\n        b: 1\n", f"{HEAD}    x:\n      # c\n      - &a\n        b: 1\n"),
        ("&a # c\nversion: 1\nchannels: []\n", "&a\n# c\nversion: 1\nchannels: []\n"),
        (f"{HEAD}    x: plain\n      and folded ${{X}}\n", f"{HEAD}    x: plain and folded ${{X}}\n"),
        (f"{HEAD}    x: [[1], []] # c\n", f"{HEAD}    x: # c\n      - [1]\n      - []\n"),
        (f"{HEAD}    x: [[[1], 2, [[]]]]\n", f"{HEAD}    x:\n      - - [1]\n        - 2\n        - - []\n"),
        ("version: 1\n? x\n: [1] # c\n", "version: 1\nx: [1] # c\n"),
        (UNDER, UNDER),
        (f"{HEAD}    x:\n    - a\n    # in x\n    z: 1\n", f"{HEAD}    x: [a]\n    # in x\n    z: 1\n"),
        (f"{HEAD}    x:\n     - a\n     # in x\n    z: 1\n", f"{HEAD}    x:\n      - a\n      # in x\n    z: 1\n"),
        (f"{HEAD}    x: [] # c\n", f"{HEAD}    x: [] # c\n"),
        (f"{HEAD}    x: | # c\n      a\n      b\n", f"{HEAD}    x: | # c\n      a\n      b\n"),
        (f"{HEAD}    x: # c\n      # d\n      [a] # e\n", f"{HEAD}    # c\n    # d\n    x: [a] # e\n"),
        (f"{HEAD}    x: &a {{b: 1}}\n    z: *a\n", f"{HEAD}    x: &a {{ b: 1 }}\n    z: *a\n"),
        (
            f"version: 1\nx-a: &a # c\n  b: 1\nchannels:\n- <<: *a\n  name: A\n",  # noqa: F541 - as the others
            "version: 1\nx-a: &a # c\n  b: 1\nchannels:\n  - <<: *a\n    name: A\n",
        ),
        (f"{HEAD}    allowedDomains: [&a a.com, 'b', *a]\n", f"{HEAD}    allowedDomains: [&a a.com, b, *a]\n"),
        (f"{HEAD}    allowedDomains:\n    - &a a.com\n    - *a\n", f"{HEAD}    allowedDomains: [&a a.com, *a]\n"),
        (
            f"channels:\n- theme: dark\n  name: &a A\n  <<: {{x: 1}}\nversion: 1\n",  # noqa: F541 - as the others
            "version: 1\nchannels:\n  - <<: { x: 1 }\n    name: &a A\n    theme: dark\n",
        ),
        (  # an alias comes after its anchor, and keeps the one of two with the same name that it means
            f"{HEAD}    theme: &a dark\n    color: *a\n    welcomeMessage: &a hi\n    botEnabled: true\n",
            f"{HEAD}    botEnabled: true\n    theme: &a dark\n    color: *a\n    welcomeMessage: &a hi\n",
        ),
        (
            f"{HEAD}    x: {{{', '.join(f'key{number}: value' for number in range(8))}}}\n",
            f"{HEAD}    x:\n" + "".join(f"      key{number}: value\n" for number in range(8)),
        ),
        ("# a\n\n\n# b\nversion: 1\n\n\n\nchannels: []\n\n\n", "# a\n\n# b\nversion: 1\n\nchannels: []\n"),
        # tags
        (f"{HEAD}    x: !!str |  # c\n      a\n      b\n", f"{HEAD}    x: !!str | # c\n      a\n      b\n"),
        (f"{HEAD}    x: &a !!str >\n      a\n      b\n", f"{HEAD}    x: &a !!str |\n      a b\n"),
        (f"{HEAD}    x: !!str |+\n      a\n\n    z: 1\n", f'{HEAD}    x: !!str "a\\n\\n"\n    z: 1\n'),
        (f"{HEAD}    x: !!str 'a\n\n      b'\n", f"{HEAD}    x: !!str |-\n      a\n      b\n"),
        (f"{HEAD}    x: ! '1'\n    z: !!str\n", f'{HEAD}    x: ! "1"\n    z: !!str ""\n'),
        (f"{HEAD}    x: &a\n      !!str b: 1\n", f"{HEAD}    x: &a\n      b: 1\n"),
        (f"{HEAD}    x: !!str '${{X}}'\n", f'{HEAD}    x: !!str "${{X}}"\n'),
        # variables
        (f"{HEAD}    x: ${{X}}\n\n      b\n", f"{HEAD}    x: |-\n      ${{X}}\n      b\n"),
        (f"{HEAD}    x: !!int ${{X}}\n", f"{HEAD}    x: !!int ${{X}}\n"),
        (f"{HEAD}    x: [!!bool '${{X:-true}}']\n", f"{HEAD}    x:\n      - !!bool '${{X:-true}}'\n"),
        # pairs in brackets without braces
        (f"{HEAD}    x: [a: 1 # c\n      ]\n", f"{HEAD}    x:\n      - {{ a: 1 }} # c\n"),
        (f"{HEAD}    x: [a: 1\n      # c\n      ]\n", f"{HEAD}    x:\n      - {{ a: 1 }}\n      # c\n"),
        (f"{HEAD}    x: [a: # c\n      1, # d\n      b]\n", f"{HEAD}    x:\n      # d\n      - a: 1 # c\n      - b\n"),
        # white space and line breaks
        ("version: 1\nx:\n  # c\n\n\n# d\n", "version: 1\nx: null\n# c\n\n# d\n"),
        ('version: 1\nx: "a\\n"\n   \n# c\n', "version: 1\nx: |\n  a\n\n# c\n"),
        ("# c \t\nversion: 1\n# d \n---  \nversion: 1\n", "# c\nversion: 1\n# d\n---\nversion: 1\n"),
        (f"{HEAD}    # a\u2028b\x85c\u2029d\n# e\n", f"{HEAD}    # a\u2028b\x85c\u2029d\n# e\n"),
        (f"# a\n{HEAD}  # b\n# c\n".replace("\n", "\r"), f"# a\n{HEAD}  # b\n# c\n"),
        ("# a\n# b\r\nversion: 1\n# c\n", "# a\r\n# b\r\nversion: 1\r\n# c\r\n"),
    ],
)  # fmt: skip
def test_the_layout_of(text: str, neat: str) -> None:
    assert laid(text) == neat


def test_json_has_two_blanks_a_level_and_the_same_order() -> None:
    text = '{"channels": [{"sync": {"id": "1"}, "name": "\\u00e9 ${X}", "x": 1.0}], "version": 1}'
    assert laid(text, "a.json") == (
        '{\n  "version": 1,\n  "channels": [\n    {\n      "name": "é ${X}",\n      "x": 1.0,\n'
        '      "sync": {\n        "id": "1"\n      }\n    }\n  ]\n}\n'
    )


@pytest.mark.parametrize(
    ("inside", "neat"),
    [
        ('"x": "$${X} ${X}"', '"x": "$${X} ${X}"'),
        ('"x": "\\u202e\\u007f \\ud83d\\ude00"', '"x": "\\u202e\\u007f 😀"'),
        ('"x": 1e2, "": 1.0', '"x": 100.0,\n  "": 1.0'),
        ("x: &a 'y', z: *a,", '"x": "y",\n  "z": "y"'),
    ],
)
def test_json_says_the_same_with_its_own_line_ends(inside: str, neat: str) -> None:
    for line_break in ("\n", "\r\n"):
        text = f'{{"version": 1,\n{inside}}}\n---\n{{"version": 2}}\n'.replace("\n", line_break)
        expected = f'{{\n  "version": 1,\n  {neat}\n}}\n---\n{{\n  "version": 2\n}}\n'
        assert laid(text, "a.json") == expected.replace("\n", line_break)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("version: 1\n? [a]\n: 1\n", ""),
        ("version: 1\n&a key: 1\n", "this key has an anchor"),
        ("version: 1\n? x # c\n: [1]\n", "or its own comment"),
        ("version: 1\r? x # c\r: [1]\r", "or its own comment"),
        ("version: 1\nx: [!!int a, '${X}'] # ${X}\n", "the tag `!!int` doesn't fit this value"),
        ("version: 1\nversion: 1\n", "twice"),
        ("version: [\n", ""),
    ],
)
def test_what_cannot_be_laid_out_is_a_problem_and_stays(text: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(text.encode())
    problems = canonical(Source.of("a.yaml", text.encode()), catalogue())
    assert not isinstance(problems, bytes)
    assert any(reason in problem.message for problem in problems)
    assert invoke("fmt", file).code == 1
    assert file.read_bytes() == text.encode()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.yaml", "- a\n-    b\n"),
        ("text.yml", "hello\n"),
        ("text.json", '"x"'),
        ("x.toml", 'name = "x"\n'),
        ("table.toml", "[a]\nb = 1\n"),
        ("second.yaml", "version: 1\nchannels: []\n---\n[1,   2]\n"),
        ("other.yaml", "services:\n    web: {}\n"),
        ("empty.yaml", "# nothing\n"),
    ],
)
@pytest.mark.parametrize("as_folder", [False, True], ids=["file", "folder"])
def test_what_is_no_manifest_is_an_error_as_in_validate_and_stays(
    name: str, text: str, as_folder: bool, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    path = tmp_path if as_folder else file
    checked = invoke("validate", path)
    for arguments in (["--check"], []):
        done = invoke("fmt", path, *arguments)
        assert (done.code, done.out, file.read_text(encoding="utf-8")) == (1, "", text)
        assert [line for line in done.err.splitlines() if " error: " in line] == [
            line for line in (checked.out + checked.err).splitlines() if " error: " in line
        ]
        assert "rror: " in done.err


@pytest.mark.parametrize("text", ["{{&k a: 1}}", "[{{? &k a : 1}}]", "\r\n      \u2028é: 1\r\n      &k a: 1"])
def test_a_key_that_cannot_be_laid_out_has_its_own_place(text: str) -> None:
    text = f"{HEAD}    x: {text.format()}\n"
    problems = canonical(Source.of("a.yaml", text.encode()), catalogue())
    assert isinstance(problems, list)
    (place,) = [problem.place for problem in problems]
    assert place is not None
    assert re.split("\r\n|\n", text)[place.line - 1][place.column - 1 :].startswith("&k a")


def test_a_file_with_errors_does_not_keep_the_others_from_being_formatted(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("version: [\n", encoding="utf-8")
    (tmp_path / "ugly.yaml").write_text("version: 1\nchannels:\n- name: A\n", encoding="utf-8")
    checked = invoke("fmt", "--check", tmp_path)
    assert (checked.code, "+  - name: A\n" in checked.out, "broken.yaml:2:1: error:" in checked.err) == (1, True, True)
    done = invoke("fmt", tmp_path)
    assert (done.code, (tmp_path / "ugly.yaml").read_text(encoding="utf-8")) == (1, HEAD)
    assert done.err.startswith(f"Wrote {tmp_path / 'ugly.yaml'}.\n")
    assert "broken.yaml:2:1: error:" in done.err


@pytest.mark.parametrize("key", ["' #'", '" #"', "'it''s # it'", "!!str ' #'"])
def test_a_key_that_looks_like_a_comment_is_none(key: str) -> None:
    text = f"version: 1\ndefaults:\n  operatingHours: {{a: {{{key}: null}}}} # real\nchannels: []\n"
    assert laid(text).count("#") == 2


@pytest.mark.slow
@settings(
    max_examples=examples(60, thorough=600),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(cases())
def test_any_manifest_says_the_same_laid_out_anew_with_all_its_comments(case: Case) -> None:
    new = laid(case.text)  # which reads both
    assert [comment for comment in case.comments if comment not in new] == []


@pytest.mark.parametrize(
    ("text", "neat"),
    [
        ("\n\nversion: 1\n", "version: 1\n"),
        ("# a\n\n \n\n# b\n\n\nversion: 1\n", "# a\n\n# b\n\nversion: 1\n"),
        ("version: 1\n\n\n# a\n\n\n# b\n\n\n", "version: 1\n\n# a\n\n# b\n"),
        ("version: 1\n---\n\n\n# a\n\n\nversion: 1\n", "version: 1\n---\n\n# a\n\nversion: 1\n"),
        ("\r\n\r\nversion: 1\r\n\r\n\r\n# a\r\n", "version: 1\r\n\r\n# a\r\n"),
        ("{version: 1} # a\n\n\n# b\n", "version: 1\n# a\n\n# b\n"),
    ],
)
def test_a_single_empty_line_is_left_around_documents_too(text: str, neat: str) -> None:
    assert laid(text) == neat


def test_many_spaces_around_documents_take_no_time() -> None:
    comment = f"#{' ' * 500_000}x\n"  # an hour, if they were searched from every one of them
    assert laid(f"{comment}\n\n\nversion: 1\n{comment}") == f"{comment}\nversion: 1\n{comment}"


IN_LINES = """\
version: 1
channels:
  - # 1
    # 2
    name: A # 3
    # 4
    prechatFields: # 5
      # 6
      - # 7
        # 8
        - # 9
          # 10
          a: 1 # 11
          # 12
        # 13
      # 14
    # 15
    theme: # 16
      # 17
      dark # 18
    x: # 19
      # 20
      [] # 21
    y: [ # 22
      # 23
    ]
    z: | # 24
      text
    # 25
  # 26
# 27
"""
IN_BRACKETS = """\
version: 1
channels: [ # 1
  # 2
  {name: A, # 3
    # 4
    allowedDomains: [ # 5
      # 6
      a.com, # 7
      # 8
      b.com # 9
      # 10
    ],
    # 11
    operatingHours: { # 12
      # 13
      timezone: UTC, # 14
      days: {} # 15
      # 16
    }
    # 17
  }
  # 18
]
# 19
"""


@pytest.mark.parametrize("text", [IN_LINES, IN_BRACKETS], ids=["lines", "brackets"])
def test_comments_stay_in_their_order(text: str) -> None:
    """All of them at once, and each with the one that follows it."""
    last = max(map(int, re.findall(r"# (\d+)", text)))
    kept = [list(range(1, last + 1)), *([first, first + 1] for first in range(1, last))]
    for numbers in kept:
        some = re.sub(r" *# (\d+)", lambda comment: comment[0] if int(comment[1]) in numbers else "", text)  # noqa: B023 - used at once
        assert [int(number) for number in re.findall(r"# (\d+)", laid(some))] == numbers


PARTS: Final = ("x", "&a x", "&b y", "*a", "*b")


@settings(max_examples=examples(60, thorough=600), deadline=None)
@given(st.permutations([*"pqrstuvw", "name", "color", "theme", "sync"]), st.data())
def test_anchors_anywhere_are_kept_and_only_hold_their_own_keys_back(keys: list[str], data: st.DataObject) -> None:
    lines, free = ["version: 1", "x-all: [&a 1, &b 2]", "channels:"], []
    for key in keys:
        value = data.draw(st.sampled_from([*PARTS, f"[{PARTS[1]}, {PARTS[4]}]", "\n    - *a\n    - &b z"]))
        value = "{id: &c x}" if key == "sync" else "N" if key == "name" else value
        lines.append(f"{'  ' if lines[-1] != 'channels:' else '- '}{key}: {value}")
        free += [key] if value in ("x", "N", "{id: &c x}") else []
    new = laid("\n".join(lines) + "\n")
    order = re.findall(r"^(?:  - |    )(\w+):", new, re.MULTILINE)
    ranked = ["name", "color", "theme", *(key for key in keys if len(key) == 1), "sync"]
    assert [key for key in order if key in free] == [key for key in ranked if key in free]
    assert sorted(order) == sorted(keys)


@pytest.mark.slow
@settings(max_examples=examples(60, thorough=600), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(fields, max_size=3))
def test_what_import_writes_is_neat(channels: list[dict[str, object]]) -> None:
    listed = [live(f"Channel {number}", f"c-{number}", **values) for number, values in enumerate(channels)]  # type: ignore[arg-type]  # values of JSON
    text = write_manifest("acme", listed, catalogue=catalogue())
    assume("? " not in text)  # an empty key, which is neater without
    source = Source.of("a.yaml", text.encode())
    assert canonical(source, catalogue()) == text.encode()


def test_a_no_break_space_is_a_letter() -> None:
    text = 'version: 1\ndefaults:\n  operatingHours:\n    "a":\n    - \xa0: null\n'
    assert "- \xa0: null\n" in laid(text)


def test_check_shows_the_edit_and_writes_nothing(tmp_path: Path) -> None:
    file, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    file.write_text(MESSY, encoding="utf-8")
    other.write_text(NEAT, encoding="utf-8")
    checked = invoke("fmt", tmp_path, "--check")
    assert (checked.code, file.read_text(encoding="utf-8")) == (2, MESSY)
    assert f"--- {file.as_posix()}\n+++ " in checked.out
    assert "b.yaml" not in checked.out
    done = invoke("fmt", tmp_path)
    assert (done.code, done.err, file.read_text(encoding="utf-8")) == (0, f"Wrote {file}.\n", NEAT)
    assert invoke("fmt", tmp_path, "--check").code == 0
    assert invoke("fmt", tmp_path).err == "Nothing to format.\n"
    assert invoke("fmt", tmp_path / "none.yaml").code == 1


def test_problems_are_listed_by_place_as_validate_lists_them(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        "version: 1\norganization: a\nchannels:\n  - name: A\n    color: [mk_live_ab12.K3yHq5rTj1uXo6iEa\n",
        encoding="utf-8",
    )
    done = invoke("fmt", file)
    assert [line.split(": ")[0] for line in done.err.splitlines()[::2]] == [f"{file}:5:12", f"{file}:5:13"]
    assert invoke("validate", file).err == f"{done.err}Not valid: 2 errors.\n"


@pytest.mark.parametrize("folder", ["azure", "bitbucket", "github", "gitlab", "organization", "quickstart"])
def test_the_examples_are_laid_out_canonically(folder: str) -> None:
    done = invoke("fmt", "--check", EXAMPLES / folder)
    assert (done.code, done.err) == (0, "Nothing to format.\n"), done.out


def test_what_init_writes_is_laid_out_canonically(tmp_path: Path) -> None:
    assert invoke("init", tmp_path / "channels", "--host", "none", "--org", "12e3-acme").code == 0
    assert invoke("fmt", "--check", tmp_path / "channels").code == 0


@pytest.mark.slow
@pytest.mark.skipif(PRETTIER not in os.environ, reason=f"{PRETTIER} is not set; see CONTRIBUTING.md")
def test_prettier_leaves_what_is_formatted_as_it_is(tmp_path: Path) -> None:
    manifests = [file.read_text(encoding="utf-8") for file in EXAMPLES.rglob("channels/*.yaml")]

    @settings(max_examples=examples(50, thorough=300), suppress_health_check=list(HealthCheck))
    @given(channels=st.lists(fields, max_size=3))
    def imported(channels: list[dict[str, object]]) -> None:
        listed = [live(f"Channel {number}", f"c-{number}", **values) for number, values in enumerate(channels)]  # type: ignore[arg-type]  # values of JSON
        text = write_manifest("acme", listed, catalogue=catalogue())
        wide = any(len(line) > WIDTH and line.endswith(("]", "}")) for line in text.split("\n"))
        assume("? " not in text and not wide)  # an empty key is neater without; many short items stay on one line
        manifests.append(text)

    imported()
    for number, text in enumerate(manifests):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    command = [os.environ[PRETTIER], "--check", "--print-width", str(WIDTH), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
