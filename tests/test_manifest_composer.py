from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from manifest_files import flaws, values
from sizes import size
from variations import variation
from webchat_sync.errors import Diagnostic
from webchat_sync.model import Json
from webchat_sync.yaml12.composer import compose
from webchat_sync.yaml12.document import Document, Source
from webchat_sync.yaml12.policy import Policy
from webchat_sync.yaml12.stream import Parser, SlowParser
from webchat_sync.yaml12.troubles import MOST_PROBLEMS

PARSERS = [yaml.CSafeLoader, SlowParser]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("white", ["\t", " \t", "\t ", "  \t  ", "\t# note", "  \t\t# note"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_white_space_of_an_empty_line_or_before_a_comment_can_have_tabs(parser: Parser, white: str, end: str) -> None:
    lines = [
        white,
        "a:",
        white,
        "  b:",
        white,
        "    - 1",
        white,
        "    - 2",
        white,
        '  "\u2028": [3,',
        white,
        "    4]",
        white,
    ]
    text = end.join([*lines, "  d: |", "    x", "    \t", "    y", "  e: 5", *([white] if end == "\n" else []), ""])
    reading = compose(Source.of("a.yaml", text.encode()), parser=parser)
    assert reading.problems == []
    (document,) = reading.documents
    assert document.value == {"a": {"b": [1, 2], "\u2028": [3, 4], "d": "x\n\t\ny\n", "e": 5}}
    assert str(document.place(("a", "e"))) == "a.yaml:18:6"


@pytest.mark.parametrize("parser", PARSERS)
def test_lines_of_quoted_or_plain_text_that_only_have_a_tab_are_empty(parser: Parser) -> None:
    text = "a: one\n\t\n  two\nb: 'one\n\t\n  two'\nc: \"one\n\t\n  two\"\n"
    (document,) = compose(Source.of("a.yaml", text.encode()), parser=parser).documents
    assert document.value == dict.fromkeys("abc", "one\ntwo")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None),
        ("~", None),
        ("Null", None),
        ("nULL", "nULL"),
        ("true", True),
        ("FALSE", False),
        *((word, word) for word in ("no", "on", "Yes", "y", "off", "tRUE")),
        ("18:00", "18:00"),
        ("2026-10-01", "2026-10-01"),
        ("1_000", "1_000"),
        ("010", 10),
        ("-0", 0),
        ("+12", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b1", "0b1"),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        (".", "."),
        ("1.2.3", "1.2.3"),
        ("٣", "٣"),
        ("'1'", "1"),
        ('"\\x41\\u00e9\\U0001F600\\/"', "Aé😀/"),
        ("'it''s'", "it's"),
        ("|\n  a\n\n   b\n", "a\n\n b\n"),
        (">-\n  a\n  b\n", "a b"),
        ("!!str 1", "1"),
        ("! 1", "1"),
        ("!!float 1", 1.0),
        ('!!int "0x10"', 16),
        ("!!bool true", True),
        ("!!null ''", None),
        ("!!map {a: 1}", {"a": 1}),
        ("!!seq [1]", [1]),
        ("&a x", "x"),
        ("http://x/#y", "http://x/#y"),
        ("[09:00-13:00, a:b]", ["09:00-13:00", "a:b"]),
    ],
)
@pytest.mark.parametrize("parser", PARSERS)
def test_scalars_are_read_as_yaml_1_2_reads_them(parser: Parser, written: str, value: Json) -> None:
    (document,) = values(f"a: {written}\n", parser=parser)
    assert document == {"a": value}
    assert isinstance(document, dict)
    assert type(document["a"]) is type(value)


@pytest.mark.parametrize("parser", PARSERS)
def test_anchors_aliases_and_merges_give_what_they_stand_for(
    parser: Parser,
) -> None:
    text = """\
    base: &base {a: 1, b: &list [x, &y y]}
    other: &other {b: 2, c: 3}
    copy: *base
    item: [*y, *list]
    explicit: {b: mine, <<: *base}
    several: {<<: [*other, *base, {d: 4}]}
    text: {"<<": 1, '<<x': 2}
    &key name: 1
    *key : 2
    """
    (document,) = values(text.replace("    *key : 2\n", ""), parser=parser)
    base = {"a": 1, "b": ["x", "y"]}
    assert document == {
        "base": base,
        "other": {"b": 2, "c": 3},
        "copy": base,
        "item": ["y", ["x", "y"]],
        "explicit": {"b": "mine", "a": 1},
        "several": {"b": 2, "c": 3, "a": 1, "d": 4},
        "text": {"<<": 1, "<<x": 2},
        "name": 1,
    }
    assert values("a: &k x\n*k : 1\n", parser=parser) == [{"a": "x", "x": 1}]
    assert flaws(text, parser=parser) == ["9:5 name: this key appears twice; first at x.yaml:8:5"]


def test_documents_are_apart_and_empty_ones_are_skipped() -> None:
    assert values("---\n---\na: &x 1\n...\n---\n# nothing\n--- {b: 2}\n") == [{"a": 1}, {"b": 2}]
    assert values("--- ''\n--- ~\n") == ["", None]
    assert flaws("a: &x 1\n---\nb: *x\n") == ["3:4 b: there's no anchor `&x` before this alias"]
    assert [*values(""), *values("# only a comment\n"), *values("\ufeff")] == []


def test_marks_and_line_ends_of_other_systems_change_nothing() -> None:
    text = "a: 1\nb: |\n  x\n  y\nc: [1, 2]\n"
    for same in (text, text.replace("\n", "\r\n"), text.replace("\n", "\r"), "\ufeff" + text):
        assert values(same) == [{"a": 1, "b": "x\ny\n", "c": [1, 2]}]
    assert flaws("\ufeffa: @\r\n") == ["1:4 : a value can't begin with `@`"]
    assert flaws("\ufeffa: 1\r\na: 2\r\n") == ["2:1 a: this key appears twice; first at x.yaml:1:1"]


@pytest.mark.parametrize("parser", PARSERS)
def test_characters_that_only_yaml_1_1_breaks_lines_at_are_kept(
    parser: Parser,
) -> None:
    text = "a: x\u2028y\nb: 'x\u0085y \ue000'\nc: |\n  x\u2029y\n\u0085: 1\nd: 2\nd: 3\n"
    reading = compose(Source.of("x.yaml", text.encode()), parser=parser)
    documents, problems = reading.documents, reading.problems
    assert [document.value for document in documents] == [
        {"a": "x\u2028y", "b": "x\u0085y \ue000", "c": "x\u2029y\n", "\u0085": 1, "d": 2}
    ]
    assert [problem.place and problem.place.line for problem in problems] == [7]


def test_json_is_read_as_json() -> None:
    text = '{\n\t"a": "\\ud83d\\ude00 \\\\ud83d\\\\ude00 \\/ \u2028",\n\t"b":[1.5e3,null,true],"c":{}\n}\n'
    assert values(text, name="x.json") == [{"a": "😀 \\ud83d\\ude00 / \u2028", "b": [1500.0, None, True], "c": {}}]
    half = compose(Source.of("x.json", b'{"a": "\\ud83d x"}')).problems
    assert [problem.message for problem in half] == ["this isn't a valid escape sequence"]
    assert flaws('"\\ud83d x"', parser=SlowParser) == ["1:1 : this isn't a valid escape sequence"]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("escape", ["U00110000", "UFFFFFFFF"])
def test_an_escape_beyond_unicode_is_wrong_in_both_parsers(parser: Parser, escape: str) -> None:
    (flaw,) = flaws(f'- x\n- [a, "\\{escape}"]\n', parser=parser)
    assert flaw.startswith("2:")
    assert flaw.endswith("this isn't a valid escape sequence")


def document(text: str) -> Document:
    reading = compose(Source.of("x.yaml", text.encode()))
    documents, problems = reading.documents, reading.problems
    assert not problems
    return documents[0]


def test_every_value_and_every_key_has_its_place() -> None:
    read = document(
        """\
# é
a: é
"b":
  - {c: [1, 22], d: }
  - &x |
    text
e: *x
f: {<<: {g: 1}}
"""
    )
    places = {
        ("a",): "2:4",
        ("b",): "4:3",
        ("b", 0): "4:5",
        ("b", 0, "c"): "4:9",
        ("b", 0, "c", 1): "4:13",
        ("b", 0, "d"): "4:21",
        ("b", 1): "5:5",
        ("e",): "5:5",
        ("f", "g"): "8:13",
        ("f", "missing"): "8:4",
        ("a", "deeper"): "2:4",
        ("b", 7): "4:3",
        (): "2:1",
    }
    assert {path: str(read.place(path)).removeprefix("x.yaml:") for path in places} == places
    assert str(read.place(("b", 0, "d"), key=True)) == "x.yaml:4:18"
    assert str(read.place(("f", "g"), key=True)) == "x.yaml:8:10"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "b: {c: 1, 'c': 2, c: 3}\n",
            [f"1:{column} b.c: this key appears twice; first at x.yaml:1:5" for column in (11, 19)],
        ),
        ("1: x\n", ["1:1 : a key must be text, but this one is read as a number"]),
        ("a: {true: x}\n", ["1:5 a: a key must be text, but this one is read as a yes-or-no value"]),
        ("a:\n  - ~: x\n", ["2:5 a[0]: a key must be text, but this one is read as null"]),
        (
            "? [a]\n: {b: .nan}\n",
            [
                "1:3 : a key must be text, but this one is read as a list",
                '2:7 ["?"].b: `.nan` is read as a number that isn\'t finite',
            ],
        ),
        (
            "{{ x }}: 1\n",
            [f"1:{column} : a key must be text, but this one is read as a mapping" for column in (2, 1)],
        ),
        ("a: !Ref x\n", ["1:4 a: the tag `!Ref` isn't known"]),
        ("a: !!set {x: }\n", ["1:4 a: the tag `!!set` can't be used here"]),
        ("a: !!int x\n", ["1:4 a: the tag `!!int` doesn't fit this value"]),
        (
            "a: [.inf, -.INF, .inf]\n",
            [
                "1:5 a[0]: `.inf` is read as a number that isn't finite",
                "1:11 a[1]: `-.INF` is read as a number that isn't finite",
                "1:18 a[2]: `.inf` is read as a number that isn't finite",
            ],
        ),
        ("a: 1e999\n", ["1:4 a: this number is too large"]),
        (f"a: {'9' * 5000}\n", ["1:4 a: this number has 5,000 characters; at most 300 are supported"]),
        (f"a: -{'9' * 300}\n", ["1:4 a: this number has 301 characters; at most 300 are supported"]),
        (f"a: 0x{'f' * 250}\n", ["1:4 a: this number has 302 characters; at most 300 are supported"]),
        ("a: *x\n", ["1:4 a: there's no anchor `&x` before this alias"]),
        ("a: &x {b: [*x]}\n", ["1:12 a.b[0]: `*x` is used inside the value that it refers to"]),
        ("a: {<<: 1}\n", ['1:9 a["<<"]: `<<` takes a mapping or a list of mappings']),
        ("a: {<<: [{}, 1]}\n", ['1:9 a["<<"]: `<<` takes a mapping or a list of mappings']),
        ("a: {<<: {b: 1}, <<: {c: 1}}\n", ['1:17 a["<<"]: the key `<<` appears twice']),
        ("a: mk_live_abc.def\n", ["1:4 a: this looks like an API key, which doesn't belong in a manifest"]),
        ("mk_test_abc.def: 1\n", ["1:1 : this looks like an API key, which doesn't belong in a manifest"]),
    ],
)
def test_what_no_manifest_may_hold_is_a_problem_at_its_place(text: str, expected: list[str]) -> None:
    assert flaws(text) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1: x\n", 'Quote it: `"1":`.'),
        ("{{ x }}: 1\n", "To write text that begins with `{` or `[`, quote it."),
        ("a: &n 1\n*n : x\n", "To write text that begins with `*`, quote it."),
    ],
)
def test_a_key_that_is_no_text_is_quoted_at_its_sign(text: str, hint: str) -> None:
    problem = compose(Source.of("x.yaml", text.encode())).problems[0]
    assert problem.message.startswith("a key must be text, but this one is read as ")
    assert problem.hint == hint


def test_a_bomb_of_aliases_is_refused_before_it_is_expanded() -> None:
    levels = [f"x{level}: &x{level} [{', '.join([f'*x{level - 1}'] * 10)}]" for level in range(1, 30)]
    assert flaws("\n".join(["x0: &x0 [1]", *levels])) == [
        "7:15 : the aliases in this file expand to more than 1,000,000 values"
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: " + "[" * 100_000, "1:103"),
        ("\t\na: " + "[" * 100_000, "2:103"),
        ("- " * 100_000 + "x", "1:201"),
        ("{a: " * 100_000, "1:401"),
        ("? " * 100_000 + "x", "1:201"),
        ("x0: &x0 []\n" + "\n".join(f"x{level}: &x{level} [*x{level - 1}]" for level in range(1, 200)), "100:12"),
    ],
)
def test_nesting_has_an_end(text: str, place: str) -> None:
    assert flaws(text) == [f"{place} : more than 100 mappings and lists are nested here"]


ABOVE = {
    "at the top": "",
    "in lists": "- " * 90,
    "in mappings": "".join(f"{' ' * level}a:\n" for level in range(40)) + " " * 40,
    "behind a key": "a: ",
    "behind an anchor": "a: &a ",
    "in another document": "[[[[]]]]\n---\n",
    "after many brackets": "- [" + "[], " * 2000 + "[]]\n- ",
}


@pytest.mark.slow
@pytest.mark.alike
@pytest.mark.parametrize("opening", ["[", "{", "[\n ", "{? ", "[{a: ", '{"a": ', "[ # }\n ", "[é: "])
@pytest.mark.parametrize("above", ABOVE)
@pytest.mark.parametrize("levels", [variation(101), variation(500), variation(1000), 2500])
def test_the_parsers_own_limit_on_nesting_is_never_met(opening: str, above: str, levels: int) -> None:
    text = ABOVE[above] + opening * levels
    (flaw,) = flaws(text, parser=yaml.CSafeLoader)
    assert flaw.endswith(" : more than 100 mappings and lists are nested here")
    # It has no limit of its own, and takes the square of the levels.
    if levels <= size(500, thorough=2500):
        assert flaws(text, parser=SlowParser) == [flaw]


@pytest.mark.parametrize("text", ["[" * 50 + "'" + "[" * 1000 + "'", "# " + "[" * 2000 + "\na: [b", "[" * 100 + "}"])
def test_brackets_that_open_nothing_do_not_count_as_nesting(text: str) -> None:
    (flaw,) = flaws(text)
    assert "inside each other" not in flaw


def test_a_hundred_levels_are_read() -> None:
    text = "[" * 100 + "]" * 100
    assert values(text) == [json.loads(text)]


def test_a_file_with_countless_problems_is_not_read_to_its_end() -> None:
    found = flaws("a: 1\n" * 100_000)
    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1] == "1002:1 : stopped reading this file after 1,000 problems"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b: c\n", "1:5 : this `:` doesn't follow a key"),
        ("a: 1\n  b: 2\n", "2:4 : this `:` doesn't follow a key"),
        ("a:\n\tb: 1\n", "2:1 : a tab is used where only spaces can indent"),
        ("a: |\n\tb\n", "2:1 : a tab is used where only spaces can indent"),
        ("a: |\n  b\n\t\n  c\n", "3:1 : this empty line has a tab, where only spaces can indent"),
        ("a: |\n  b\n\t# c\nd: 1\n", "3:1 : a tab is used where only spaces can indent"),
        ("a: @x\n", "1:4 : a value can't begin with `@`"),
        ("a: *.example.com\n", "1:4 : `*` has a special meaning at the beginning of a value"),
        ("a: & b\n", "1:4 : `&` has a special meaning at the beginning of a value"),
        ("a: [1, 2\nb: 1\n", "1:4 : this list isn't closed"),
        ("a: {b: 1\n", "1:4 : this mapping isn't closed"),
        ("a: [${X}]\n", "1:4 : this list isn't closed"),
        ('a: "x\n', "1:4 : the quoted text that begins here isn't closed"),
        ("a: 'x\n---\nb: 1\n", "1:4 : the quoted text that begins here isn't closed"),
        ("a: 1\nb\n", "2:1 : this key isn't followed by `:`"),
        ("a:\n  - x\n y: 1\n", "3:2 : this doesn't line up with what's above"),
        ("a: 'x' y\n", "1:8 : this doesn't line up with what's above"),
        ("- a\nb: 1\n", "2:1 : this doesn't line up with the list above"),
        ('a: "\\q"\n', "1:5 : YAML doesn't know the escape sequence that begins with this `\\`"),
        ('a: "\\xZZ"\n', "1:7 : this escape sequence is too short"),
        ('a: "\\ud800"\n', "1:7 : this isn't a valid escape sequence"),
        ("a: - b\n", "1:4 : a list can't begin here"),
        ("a: | x\n", "1:6 : only a comment can follow `|` or `>`"),
        ("a: !x!y z\n", "1:4 : this tag isn't known"),
        ("a: ]\n", "1:4 : a value is missing here"),
        ("a: 1\n...\nb: 1\n... c", "3:1 : a document ends above"),
        ("%YAML 2.0\n---\na: 1\n", "1:1 : this YAML version isn't supported"),
        ("a: !<x\n", "1:4 : this isn't a valid tag"),
        ("a: !Hola, x\n", "1:4 : this isn't a valid tag"),
        ("a: !Hola! x\n", "1:4 : this isn't a valid tag"),
        ("a: !50%\n", "1:4 : this isn't a valid tag"),
        ("a: ? x\n", "1:4 : `?` has a special meaning at the beginning of a value"),
        ("a: |0\n  x\n", "1:5 : only a comment can follow `|` or `>`"),
        ("%X y\n---\na: 1\n", "1:1 : this isn't a valid YAML directive"),
        ("%YAML x\n---\na: 1\n", "1:7 : this isn't valid YAML: did not find expected version number"),
        ("é: 1\nb: x\x07\n", "2:5 : the character U+0007 isn't allowed in YAML"),
        (b"a: 1\r\n\xc3\xa9: \xff\n", "2:4 : byte 10 (0xff) isn't valid UTF-8"),
        (b"\xef\xbb\xbf\xff", "1:1 : byte 3 (0xff) isn't valid UTF-8"),
        ("a: 1\n".encode("utf-16"), "1:1 : this file is in UTF-16"),
        ("a: 1\n".encode("utf-16-le"), "1:2 : the character U+0000 isn't allowed in YAML"),
    ],
)
def test_a_file_that_is_no_yaml_says_so_in_plain_words(text: str | bytes, expected: str) -> None:
    assert flaws(text) == [expected]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    ("text", "missing", "unquoted"),
    [
        ("a: [1, 2\nb: 1\n", "]", False),
        ("a: {b: 1\n", "}", False),
        ('a: ["${X:-x}", b\n', "]", False),
        ("a: [${X}]\n", "]", True),
        ("a: [b,\n  c ${X}]\n", "]", True),
        ("a: {b: ${X}}\n", "}", True),
    ],
)
def test_quotes_around_a_variable_are_advised_only_where_they_are_missing(
    text: str, missing: str, unquoted: bool, parser: type[SlowParser]
) -> None:
    (problem,) = compose(Source.of("x.yaml", text.encode()), parser=parser).problems
    advice = ' Inside brackets, text with a variable must be quoted: `"${NAME}"`.'
    assert problem.hint == f"A `,` or the closing `{missing}` is missing." + advice * unquoted


def test_the_slower_parser_says_the_same() -> None:
    texts = ["a: b: c\n", "a:\n\tb: 1\n", "a: @x\n", "a: *.x\n", "a: [1\n", "a: - b\n", "a: | x\n", "a: ]\n", "a: \x07"]
    texts += ["a: !<x\n", "a: !Hola! x\n", "a: ? x\n", "a: 'b\n---\n"]
    assert [flaws(text, parser=SlowParser) for text in texts] == [flaws(text) for text in texts]


def test_what_was_read_before_the_file_breaks_is_kept() -> None:
    reading = compose(Source.of("x.yaml", b"a: 1\n---\nb: 1\nb: 2\n---\nc: ]\n"))
    documents, problems = reading.documents, reading.problems
    assert [document.value for document in documents] == [{"a": 1}, {"b": 1}]
    assert [problem.place and problem.place.line for problem in problems] == [4, 6]


def test_the_example_has_the_same_values_to_both_parsers() -> None:
    text = (Path(__file__).parents[1] / "examples/organization/support.yaml").read_bytes()
    assert values(text, parser=SlowParser) == values(text)


def test_without_a_policy_any_text_may_stand_in_a_file_and_no_variable_is_set() -> None:
    reading = compose(
        Source.of("x.yaml", b"a: mk_live_abcdefgh.secret\nmk_live_abcdefgh.secret: ${HOME:-x}\nb: ${HOME}\n")
    )
    assert reading.documents[0].value == {
        "a": "mk_live_abcdefgh.secret",
        "mk_live_abcdefgh.secret": "x",
        "b": "${HOME}",
    }
    assert [problem.code for problem in reading.problems] == ["variable"]


@pytest.mark.parametrize(
    "text",
    [
        "k: bad",
        "bad: 1",
        "k: &a !!str bad",
        "k: ${V}",
        "k: ${UNSET:-bad}",
        "k: 1\nk: bad",
        "- [{? bad : 1}]",
        "k: bad\nl: ]",
    ],
)
def test_a_policy_refuses_texts_wherever_they_stand_also_where_the_rest_cannot_be_read(text: str) -> None:
    refused = Diagnostic("refused", hint="Remove it.", code="secret")
    policy = Policy({"V": "bad"}, refuse_text=lambda text: refused if "bad" in text else None, suspect="bad")
    (problem,) = [
        problem for problem in compose(Source.of("x.yaml", text.encode()), policy).problems if problem.code == "secret"
    ]
    assert problem.place is not None
    assert problem == refused.at(problem.place, problem.steps)


def test_a_policy_refuses_the_names_of_variables() -> None:
    def refuse(name: str) -> Diagnostic | None:
        return Diagnostic(f"not {name}", code="variable") if name == "V" else None

    reading = compose(Source.of("x.yaml", b"a: ${V} ${W}\n"), Policy({"V": "v", "W": "w"}, refuse_variable=refuse))
    assert reading.documents[0].value == {"a": "${V} w"}
    assert [(problem.message, problem.path, str(problem.place)) for problem in reading.problems] == [
        ("not V", "a", "x.yaml:1:4")
    ]
