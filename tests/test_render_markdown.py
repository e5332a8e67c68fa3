from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from planning import declare, live, plan_for
from sizes import examples
from webchat_sync.model import Impact, Json, Plan, Update
from webchat_sync.planfile.writer import plan_digest
from webchat_sync.render.markdown import LONGEST, render_plan
from webchat_sync.render.markdown_diff import cut
from webchat_sync.render.markdown_escape import code_span, phrase
from webchat_sync.render.values import inline

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NASTY = [
    *"|`\\<>&@#*_[]()!~:\"'\n\r\t -+=1a./$\x00\x1b\u202e\u2028",
    *("```", "~~~", "<script>", "</details>", "<!--", "-->", "@someone", "#1", "www.evil.example"),
    *("https://evil.example", "\n\n", "\n# ", "&#64;", "&lt;", "](x)", "\\|", "::error::x"),
]
texts = st.lists(st.sampled_from(NASTY), max_size=12).map("".join)


def flat(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *flat(token.children or []))]


class Tags(HTMLParser):
    """The tags of a piece of HTML, and its text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(" ".join([tag, *(name for name, _ in attrs)]))

    def handle_data(self, data: str) -> None:
        self.text += data


def check(markdown: str, *, channels: int) -> list[Token]:
    """Fails when anything in ``markdown`` is markup that we did not write; returns its tokens."""
    tokens = flat(READER.parse(markdown))
    kinds = [token.type for token in tokens]
    assert not {"link_open", "image", "em_open", "s_open", "list_item_open", "code_block", "hr"} & set(kinds)
    assert kinds.count("fence") == channels
    assert kinds.count("heading_open") == 1
    assert {token.content for token in tokens if token.type == "html_inline"} <= {"<br>"}
    for token in tokens:
        if token.type == "html_block":
            seen = Tags()
            seen.feed(token.content)
            assert set(seen.tags) <= {"details", "details open", "summary", "code"}, token.content
        elif token.type == "text":
            assert not {"@", "#", "`", "<", "www.", "//"} & {token.content, *token.content}, token.content
        elif token.type == "fence":
            assert all(line[0] in "+-!#" for line in token.content.splitlines())
    return tokens


@pytest.mark.slow
@settings(max_examples=examples(75, thorough=600), deadline=None)
@given(texts, texts, texts, texts)
def test_no_value_breaks_out_of_its_cell_its_fence_or_its_html(name: str, former: str, text: str, domain: str) -> None:
    old, new = f"was {former}x", f"x{name}"
    gone = replace(declare(f"gone {name}"), absent=True)
    changed = declare(
        new, welcomeMessage=text, allowedDomains=[domain + "y"], offlineAction={text: [domain], "x": {name: text}}
    )
    before = live(old, "c-1", welcomeMessage=text[::-1] * 60, allowedDomains=[domain], offlineAction={"x": {name: 1}})
    plan = plan_for(
        [replace(changed, renamed_from=old), gone], [before, live(f"gone {name}", "c-2"), live(f"s {domain}", "c-3")]
    )
    tokens = check(render_plan(plan), channels=2)
    cells = [token for token in tokens if token.type == "inline" and token.level > 2]
    assert len(cells) == 3 * 3, "a row has three cells"
    names = [token.content for token in tokens if token.type == "code_inline"]
    assert inline(new).replace("\n", "\\n") in names
    assert inline(f"gone {name}") in names


@given(st.text(alphabet='|`\\ "<a', min_size=1, max_size=12))
def test_a_code_span_stays_in_its_cell(text: str) -> None:
    table = f"| a | b |\n|---|---|\n| {code_span(text)} | x |"
    cells = [token for token in flat(READER.parse(table)) if token.type == "td_open"]
    assert len(cells) == 2
    spans = [token.content for token in flat(READER.parse(table)) if token.type == "code_inline"]
    assert [span.replace("\\", "") for span in spans] == [text.replace("\\", "")] or not text.strip()


@given(texts)
def test_words_that_are_not_ours_become_code_in_a_phrase(text: str) -> None:
    check(f"# x\n\n| a |\n|---|\n| {phrase(text, most=600)} |", channels=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("use --max-deletes 3.", "use `--max-deletes 3`."),
        ("1 or 20%) are", "1 or 20%) are"),
        ('use --rotate "A b" first', 'use `--rotate "A b"` first'),
        ("with `deliver`, or", "with `deliver`, or"),
        ("remove sync.protect from it", "remove `sync.protect` from it"),
        ("a --- b", "`a --- b`"),
        ("one ` only", "``one ` only``"),
        ('of "a": GET /a/b-1/{id}: HTTP 401', 'of `"a"`: `GET /a/b-1/{id}`: HTTP 401'),
        ('"--allow-protected" is', '`"--allow-protected"` is'),
    ],
)
def test_code_in_a_phrase_is_marked_and_nothing_else(text: str, expected: str) -> None:
    assert phrase(text, most=600) == expected


def test_a_phrase_ends_before_the_value_that_is_too_long_for_it() -> None:
    assert phrase('gone from "a.example", "b.example"', most=24) == 'gone from `"a.example"`, …'


def test_a_note_of_a_plan_that_somebody_made_up_is_harmless() -> None:
    impact = Impact("danger", "x", "see @someone at https://evil.example #1 <b>now</b>")
    change = Update(address="a", channel_id="c-1", note="\n```\n</details> @someone", impact=(impact,))
    plan = plan_for([], [])
    planned = replace(plan, organizations=(replace(plan.organizations[0], changes=(change,)),))
    check(render_plan(planned), channels=1)


def test_the_marker_names_the_organization_and_the_digest_of_the_plan() -> None:
    plan = plan_for([declare()], [])
    marker = render_plan(plan).splitlines()[0]
    assert marker == f"<!-- webchat-sync plan organization=acme digest={plan_digest(plan)} -->"


def test_what_was_left_out_of_the_plan_is_said() -> None:
    plan = replace(plan_for([declare()], []), partial=("Sup*|<b>",), live_created_at=datetime(2026, 11, 1, tzinfo=UTC))
    text = render_plan(plan)
    check(text, channels=1)
    assert "Only channels matching" in text
    assert "`2026-11-01T00:00:00+00:00" in text or "Compared with a snapshot of" in text


def many(count: int, **fields: Json) -> Plan:
    declared = [declare(f"Channel {number} {'x' * 60}", **fields) for number in range(count)]
    return plan_for([*declared, replace(declare("Gone"), absent=True)], [live("Gone", "c-1")])


def details(markdown: str) -> int:
    return markdown.count("<details")


def test_details_go_before_rows_and_those_that_mean_most_stay() -> None:
    text = render_plan(many(200, welcomeMessage="Hello! " * 40))
    assert len(text) <= LONGEST
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) == 201
    assert rows[0].startswith('| `"Gone"` | delete | **danger**')
    dropped = [row for row in rows if "(details left out)" in row]
    assert len(dropped) == 201 - details(text) > 0
    assert f"**The details of {len(dropped)} channels are left out to stay within 65,536 characters.**" in text
    assert "<summary>delete <code>&quot;Gone&quot;</code>" in text
    check(text, channels=details(text))


@pytest.mark.slow
def test_rows_go_last_and_are_counted() -> None:
    text = render_plan(many(1000))
    assert len(text) <= LONGEST
    rows = sum(line.startswith("| `") for line in text.splitlines())
    left = 1001 - rows
    assert f"**{left} more channels are left out to stay within 65,536 characters: {left} to create.**" in text
    check(text, channels=details(text))


def test_one_channel_whose_details_are_too_long_keeps_its_row() -> None:
    items: list[Json] = [{"label": f"Question {number}", "help": "x" * 200} for number in range(400)]
    text = render_plan(plan_for([declare(prechatFields=items)], []))
    assert (len(text) <= LONGEST, details(text)) == (True, 0)
    assert '| `"Support"` | create (details left out) |' in text
    assert "**The details of 1 channel are left out" in text


def test_undeclared_channels_are_a_count() -> None:
    text = render_plan(plan_for([declare()], [live(f"S{number}", f"c-{number}") for number in range(30)]))
    assert text.endswith("30 undeclared channels are left alone because `settings.prune` is off.")
    assert "S19" not in text


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("abc", "abd", ("abc", "abd")),
        ("x" * 300 + "old" + "y" * 300, "x" * 300 + "new" + "y" * 300, ("old", "new")),
        ("old" + "y" * 300, "new" + "y" * 300, ("old", "new")),
        ("x" * 300, "x" * 300 + "new", ("", "new")),
    ],
)
def test_long_values_are_cut_around_the_change(before: str, after: str, expected: tuple[str, str]) -> None:
    for text, middle, whole in zip(cut(before, after), expected, (before, after), strict=True):
        if len(whole) < 240:
            assert text == whole
        else:
            start, end = ("…" + "x" * 40 if whole.startswith("x") else ""), ("y" * 40 + "…" if "y" in whole else "")
            assert text == start + middle + end


def test_what_changes_at_length_is_cut_too() -> None:
    before, after = cut("a" * 1000, "b" * 1000)
    assert before == "a" * 240 + "… (760 more characters)"
    assert after == "b" * 240 + "… (760 more characters)"


def test_html_entities_in_a_summary_stand_for_themselves() -> None:
    name = json.dumps("&lt;b&gt;")
    (block,) = [line for line in render_plan(plan_for([declare("&lt;b&gt;")], [])).splitlines() if "<summary>" in line]
    assert name in unescape(block)
    assert "&amp;lt;" in block
