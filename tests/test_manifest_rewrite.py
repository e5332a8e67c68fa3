"""What a change leaves as it is: each case is a manifest before and after, to the last blank."""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_files import values
from webchat_sync.model import Json
from webchat_sync.yaml12.document import Source
from webchat_sync.yaml12.layout import lay_out
from webchat_sync.yaml12.lost_comments import lost_comments
from webchat_sync.yaml12.rewrite import rewrite


def changed(before: str, wanted: Json, *, name: str = "x.yaml", environ: Mapping[str, str] | None = None) -> str:
    """``before`` so changed that it is read as ``wanted``."""
    root, *_ = lay_out(Source.of(name, before.encode()), environ or {})
    after, _ = rewrite(before, [(root, wanted)], as_json=name.endswith(".json"))
    assert values(after, name=name) == [wanted]
    return after


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        ("a:   1   # one\nb: 2\n", {"a": 3, "b": 2}, "a:   3   # one\nb: 2\n"),
        ("a: 'x' # q\n", {"a": "y z"}, "a: 'y z' # q\n"),
        ('a: "x"\n', {"a": "no"}, 'a: "no"\n'),
        ("a: x\n", {"a": "no"}, 'a: "no"\n'),
        ("a:\nb: ~\n", {"a": "x", "b": 1}, "a: x\nb: 1\n"),
        ("a: x # c\n", {"a": "l1\nl2\n"}, "a: | # c\n  l1\n  l2\n"),
        ("a: | # c\nb: 1\n", {"a": "x", "b": 1}, "a: x # c\nb: 1\n"),
        ("a:\n  # c\n  x\n", {"a": "l1\nl2\n"}, "a: | # c\n  l1\n  l2\n"),
        ("a: # c\n  >-\n  # x\n", {"a": 1}, "a: 1 # c\n"),
        ("a: |- # c\n   l1\n   l2\n\nb: 1\n", {"a": "l1", "b": 1}, "a: l1 # c\n\nb: 1\n"),
        ("a: |+\n  l1\n\n\nb: 1\n", {"a": "l1\n\n\n", "b": 2}, "a: |+\n  l1\n\n\nb: 2\n"),
        ("a: >\n  folded\n  text\nb: 1\n", {"a": "folded text\n", "b": 2}, "a: >\n  folded\n  text\nb: 2\n"),
        ("a: x\n", {"a": "${HOME} $${"}, "a: $${HOME} $$${\n"),
        ("a: !!str 12\n", {"a": "13"}, 'a: "13"\n'),
        ("a: {b: 1,   c: 2} # c\n", {"a": {"b": 1, "c": 3, "d": [1]}}, "a: {b: 1,   c: 3, d: [1]} # c\n"),
        ("a: { b: 1, c: 2 }\n", {"a": {"c": 2}}, "a: { c: 2 }\n"),
        ("a: {b: , c: }\n", {"a": {"b": None, "c": 1, ",": 2}}, 'a: {b: , c: 1, ",": 2}\n'),
        ("a: {b, c: }\n", {"a": {"b": None, "c": 1}}, "a:\n  b: null\n  c: 1\n"),
        ("a: [x, 'y']\n", {"a": ["y", "z"]}, "a: ['y', 'z']\n"),
        ("a: [b: 1, x] # c\n", {"a": [{"b": 2}, "x"]}, "a: [{ b: 2 }, x] # c\n"),
        ("a: [b: 1, c: 2]\n", {"a": [{"c": 2}, {"b": 1}, {"d": 3}]}, "a: [c: 2, b: 1, { d: 3 }]\n"),
        ("a: [b: 1, # c\n  c: 2 # d\n  ]\n", {"a": [{"b": 1}]}, "a: [b: 1 # c\n  ]\n"),
        ("a: []\n", {"a": [{"b": 1}]}, "a: [{ b: 1 }]\n"),
        ("a: {}\n", {"a": {}, "b": {}}, "a: {}\nb: {}\n"),
        ("a:\n- 1\n", {"a": []}, "a: []\n"),
        ("a:\n- x # x\n# y is\n- y # y\n- z # z\n", {"a": ["x", "z"]}, "a:\n- x # x\n- z # z\n"),
        ("a:\n- x # x\n# y is\n- y # y\n", {"a": ["y", "x"]}, "a:\n# y is\n- y # y\n- x # x\n"),
        ("a:\n  - x # x\n  # y is\n  - y\n", {"a": ["x"]}, "a:\n  - x # x\n"),
        ("a:\n  - x\n\nb: 1\n", {"a": ["x", "w"], "b": 1}, "a:\n  - x\n  - w\n\nb: 1\n"),
        ("a:\n  - - 1\n    - 2\n", {"a": [[1, 3]]}, "a:\n  - - 1\n    - 3\n"),
        ("a: # c\n  # in\n  b: 1\n", {"a": None}, "a: null # c\n"),
        ("a: # c\n  b: 1\nc: 2\n", {"a": {"b": 1, "d": {"e": 1}}, "c": 2}, "a: # c\n  b: 1\n  d:\n    e: 1\nc: 2\n"),
        ("a:\n# b is\n  b: 1\nc: 2\n", {"a": {"d": 3}, "c": 2}, "a:\n  d: 3\nc: 2\n"),
        ("a:\n# x is\n  - x\n  - y\n", {"a": ["z", "y", "x"]}, "a:\n  - z\n  - y\n# x is\n  - x\n"),
        ("a:\n    # x is\n  - x\n# y is\n  - y\n", {"a": ["y", "x"]}, "a:\n# y is\n  - y\n    # x is\n  - x\n"),
        ("- b: 1 # b\n  # c is\n  c: 2\n", [{"c": 2}], "- # c is\n  c: 2\n"),
        ("? a\n: b\n", {"a": "b"}, "? a\n: b\n"),
        ("x:\n  ? a\n  : b\n  d: 1\n", {"x": {"a": "c", "d": 1}}, "x:\n  ? a\n  : c\n  d: 1\n"),
        (
            "d: 1\n# above\n? a # why\n# more\n: b # v\ne: 1\n",
            {"d": 2, "a": {"q": [1]}, "e": 2},
            "d: 2\n# above\n? a # why\n# more\n: # v\n  q: [1]\ne: 2\n",
        ),
        (
            "x:\n  - ? 'a # b' # why\n    : - 1\n      - 2 # two\n    d: 1\n",
            {"x": [{"a # b": [3, 2], "d": 2, "e": 3}]},
            "x:\n  - ? 'a # b' # why\n    : - 3\n      - 2 # two\n    d: 2\n    e: 3\n",
        ),
        ("? |\n  a\n: b # ? no\n# ? no\n? c\n: 1\n", {"a\n": "b", "c": 2}, "? |\n  a\n: b # ? no\n# ? no\n? c\n: 2\n"),
        ("x:\n  ? a\n  d: 1\n", {"x": {"a": None, "d": 2}}, "x:\n  a: null\n  d: 2\n"),
        ("x: {? a : b, d: 1}\n", {"x": {"a": "b", "d": 2}}, "x:\n  a: b\n  d: 2\n"),
        ("a: 1", {"a": 1, "b": 2}, "a: 1\nb: 2"),
        ("a: 1\r\n# c\r\nb: 2\r\n", {"a": 1, "b": "x\ny", "c": 3}, "a: 1\r\n# c\r\nb: |-\r\n  x\r\n  y\r\nc: 3\r\n"),
        ("a: \u2028x # \x85\nb: 1\n", {"a": "\u2028x", "b": 2}, "a: \u2028x # \x85\nb: 2\n"),
        ("😀: 😀 # 😀\nb: 1\n", {"😀": "😀", "b": "😀"}, "😀: 😀 # 😀\nb: 😀\n"),
        ("a: 1\n---\n", {"a": 2}, "a: 2\n---\n"),
    ],
)
def test_only_the_value_that_differs_changes(before: str, wanted: Json, after: str) -> None:
    assert changed(before, wanted) == after


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        ("a: &a 1\nb: *a\n", [1, 2], "a: &a 1\nb: 2\n"),
        ("a: &a 1\nb: *a\n", [2, 1], "a: &a 2\nb: 1\n"),
        ("a: &a 1\nb: *a\n", [2, 2], "a: &a 2\nb: *a\n"),
        ("a: &a {x: 1}\nb: *a # c\n", [{"x": 1}, {"x": 2}], "a: &a {x: 1}\nb: # c\n  x: 2\n"),
        ("a: &a\n  x: 1\nb: *a\n", [None, {"x": 1}], "a: &a null\nb:\n  x: 1\n"),
        ("a: [&x 1, *x]\nb: 2\n", [[1], 2], "a: [&x 1]\nb: 2\n"),
        ("a: [&x 1, 2]\nb: *x\n", [[2], 1], "a: [2]\nb: 1\n"),
        ("a: [&x 1, *x, 2]\nb: 0\n", [[2, 1, 1], 0], "a: [2, 1, 1]\nb: 0\n"),
        ("a: &a 1\nb:\n- *a # c\n# d\n- 2\n", [1, [2, 1]], "a: &a 1\nb:\n# d\n- 2\n- *a # c\n"),
        ("a: [&x {y: 1}, 2] # c\nb: *x\n", [[2, {"y": 1}], {"y": 1}], "a: [2, &x {y: 1}] # c\nb: *x\n"),
        ("a: [&x 1, &x 2]\nb: *x\n", [[2, 1], 2], "a: [2, 1]\nb: 2\n"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n", [{"x": 1}, {"x": 5}], "a: &a {x: 1}\nb:\n  <<: *a\n  x: 5\n"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n", [{"x": 2}, {"x": 1}], "a: &a {x: 2}\nb:\n  <<: *a\n  x: 1\n"),
        ("a: &a {x: 1}\nb:\n  <<: [*a]\n  y: 1\n", [{"x": 1}, {"y": 1}], "a: &a {x: 1}\nb:\n  y: 1\n"),
        ("a: &a {x: 1}\nb: [c: *a, d: 1]\n", [None, [{"c": {"x": 1}}, {"d": 1}]],
         "a: &a null\nb: [{ c: { x: 1 } }, d: 1]\n"),
        ("a: &a 1\nb: [*a, &a 2, *a]\n", [3, [1, 2, 2]], "a: &a 3\nb: [1, &a 2, *a]\n"),
    ],
)  # fmt: skip
def test_what_stands_for_several_places_changes_in_none_but_the_one_that_is_meant(
    before: str, wanted: list[Json], after: str
) -> None:
    assert changed(before, dict(zip("ab", wanted, strict=True))) == after


def test_the_comment_of_an_empty_block_of_text_is_told_as_lost_with_it() -> None:
    before, after = "a: 1\nb: | # c\n", "a: 1\n"
    old, new = (lay_out(Source.of("x.yaml", text.encode()), {}) for text in (before, after))
    assert [comment.text for comment in lost_comments(before, old, after, new)] == ["# c"]


def test_a_variable_stays_as_long_as_it_gives_the_value() -> None:
    before = "a: ${WEBCHAT_A:-1} # c\nb: '${WEBCHAT_A} ${WEBCHAT_B}'\n"
    environ = {"WEBCHAT_A": "1", "WEBCHAT_B": "2"}
    (root,) = lay_out(Source.of("x.yaml", before.encode()), environ)
    assert root.value == {"a": 1, "b": "1 2"}
    after, notes = rewrite(before, [(root, {"a": 2, "b": "1 2"})], as_json=False)
    assert after == "a: 2 # c\nb: '${WEBCHAT_A} ${WEBCHAT_B}'\n"
    assert [(note.path, note.place.line, note.message.split(" no ")[0]) for note in notes] == [
        (("a",), 1, "`${WEBCHAT_A:-1}`")
    ]


def test_lists_on_several_lines_in_brackets_keep_their_lines_and_comments() -> None:
    before = dedent(
        """\
        a: [ # the list
          x, # x
          # y is
          y, # y
          { b: 1 },
        ]
        """
    )
    after = dedent(
        """\
        a: [ # the list
          # y is
          y, # y
          { b: 1, c: z },
          w,
          x, # x
        ]
        """
    )
    assert changed(before, {"a": ["y", {"b": 1, "c": "z"}, "w", "x"]}) == after
    assert changed("a: [x, # x\n  y]\n", {"a": ["y", "x"]}) == "a: [y, x # x\n  ]\n"


def test_json_stays_json() -> None:
    before = '{\n  "a": ["x\\ud83d\\ude00", 1],\n  "b\\ud83d\\ude00": {"c": null},\n  "d": []\n}\n'
    wanted: Json = {"a": [1, "no", "\x7f\u2028"], "b😀": {"c": {}, "${e}": "${f}"}, "d": [{"x": 1.5}]}
    after = changed(before, wanted, name="x.json")
    assert after == (
        '{\n  "a": [1, "no", "\\u007f\\u2028"],\n'
        '  "b\\ud83d\\ude00": {"c": {}, "${e}": "$${f}"},\n  "d": [{"x": 1.5}]\n}\n'
    )
    assert json.loads(after)


BLOCK = """\
a: # the list
  # about x
  - x # x
  # about y
  # and more
  - y
  # a section

  # about z
  - z: 1
  # the end
b: 1
"""


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        (["y", {"z": 1}], ["# about y", "# and more", "- y", "# a section", "", "# about z", "- z: 1"]),
        ([{"z": 1}, "x"], ["# a section", "", "# about z", "- z: 1", "# about x", "- x # x"]),
        (["y", "x"], ["# about y", "# and more", "- y", "# about x", "- x # x", "# a section"]),
        (["w", "x", "y"], ["- w", "# about x", "- x # x", "# about y", "# and more", "- y", "# a section"]),
        (["x", {"z": 2}], ["# about x", "- x # x", "- z: 2", "# a section"]),
        (["x", "y", {"z": 1}], BLOCK.splitlines()[1:-2]),
    ],
)
def test_comments_stay_with_their_item_also_the_first_one_and_when_it_goes(wanted: Json, lines: list[str]) -> None:
    after = changed(BLOCK, {"a": wanted, "b": 1})
    shown = [line.strip() for line in after.splitlines()]
    assert [shown[0], *shown[-2:]] == ["a: # the list", "# the end", "b: 1"]
    assert [line for line in shown[1:-2] if line] == [line.strip() for line in lines if line]


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        ("a:\n  # b is\n  b: 1\n  # c is\n  c: 2\n", {"c": 2}, "a:\n  # c is\n  c: 2\n"),
        ("a: &x\n  # b is\n  b: 1\n  c: 2\n", {"c": 2}, "a: &x\n  c: 2\n"),
        ("a: # why\n  b: 1 # b\n  c: 2 # c\n", {"c": 2}, "a: # why\n  c: 2 # c\n"),
        (
            "a: [ # all\n  # x is\n  x,\n  # y is\n  y\n]\n",
            ["y", "x"],
            "a: [ # all\n  # y is\n  y,\n  # x is\n  x\n]\n",
        ),
        ("a: [\n  # x is\n  x, # x\n  y\n]\n", ["y"], "a: [\n  y\n]\n"),
        ("a: [x, y, z]\n", ["z", "x"], "a: [z, x]\n"),
        ("a: [x # isn't z\n]\n", ["x", "z"], "a: [x, # isn't z\nz\n]\n"),
        ("a: [x, # \"x\"\n  y # 'y'\n]\n", ["x", "y", "z"], "a: [x, # \"x\"\n  y, # 'y'\n  z\n]\n"),
        ("a: [ # it's x\n  x, y]\n", ["y", "x"], "a: [ # it's x\n  y,\n  x]\n"),
        ("a: [\n  # all\n\n  x, y]\n", ["y"], "a: [\n  # all\n  y]\n"),
        ("a: [x]# c\n", ["x", "z"], "a: [x, z]# c\n"),
        ("a: [[x]# c\n  ]\n", [["x"], "z"], "a: [[x],# c\nz\n  ]\n"),
    ],
)
def test_the_comments_of_first_entries_stay_with_them(before: str, wanted: Json, after: str) -> None:
    assert changed(before, {"a": wanted}) == after


texts = st.sampled_from(["w", "x", "y", "z", "x #1", "'#'"])


@given(st.lists(texts, unique=True, min_size=1), st.lists(texts, unique=True), st.booleans(), st.data())
def test_every_comment_is_with_its_item_or_told_as_lost(
    old: list[str], new: list[str], flow: bool, data: st.DataObject
) -> None:
    marks = [data.draw(st.sampled_from(["above", "behind", "both", "none"])) for _ in old]
    lines = ["a: [" if flow else "a:"]
    for text, mark in zip(old, marks, strict=True):
        lines += [f"  # above {text}"] if mark in ("above", "both") else []
        item = f"  {json.dumps(text)}," if flow else f"  - {json.dumps(text)}"
        lines.append(f"{item} # behind {text}" if mark in ("behind", "both") else item)
    before = "\n".join([*lines, *(["]"] if flow else []), "b: 1", ""])
    source = Source.of("x.yaml", before.encode())
    roots = lay_out(source, {})
    after, _ = rewrite(before, [(roots[0], {"a": [*new], "b": 1})], as_json=False)
    assert values(after) == [{"a": new, "b": 1}]
    lost = [
        comment.text
        for comment in lost_comments(before, roots, after, lay_out(Source.of("x.yaml", after.encode()), {}))
    ]
    shown = after.split("\n")
    for text, mark in zip(old, marks, strict=True):
        for place in ("above", "behind"):
            if mark not in (place, "both"):
                continue
            comment = f"# {place} {text}"
            standing = [number for number, line in enumerate(shown) if line.endswith(comment)]
            assert bool(standing) != (comment in lost)
            if text in new and standing:
                own = shown[standing[0] + 1] if place == "above" else shown[standing[0]]
                assert json.dumps(text) in own.partition(" # behind")[0] or text in own
