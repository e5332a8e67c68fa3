"""Differences between two sequences of lines or words, and the diffs of files made from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import unified_diff
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webchat_sync.render.blocks import blocks
from webchat_sync.render.edits import render_edit
from work import calls_of

_HEAD = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n")

few_lines = st.lists(st.sampled_from("abcdefgh"), max_size=30)


def patched(before: str, diff: str) -> str:
    """``before`` with the hunks of ``diff`` applied, whose line numbers and unchanged lines have to be right."""
    old, new, at = before.splitlines(keepends=True), "", 0
    lines = iter(diff.splitlines(keepends=True)[2:])
    for line in lines:
        head = _HEAD.fullmatch(line)
        assert head is not None
        first, old_count, new_first, new_count = (int(part or 1) for part in head.groups())
        first -= old_count > 0
        assert new_first - (new_count > 0) == new.count("\n") + len(old[at:first])
        new += "".join(old[at:first])
        at = first
        for change in _hunk(lines, old_count, new_count):
            if change[0] in " -":
                assert old[at] == change[1:]
                at += 1
            if change[0] in " +":
                new += change[1:]
    return new + "".join(old[at:])


def _hunk(lines: Iterator[str], old_count: int, new_count: int) -> Iterator[str]:
    while old_count or new_count:
        line = next(lines)
        old_count -= line[0] in " -"
        new_count -= line[0] in " +"
        yield line


@given(few_lines, few_lines, st.integers(0, 3))
def test_blocks_alternate_and_cover_both_sides(old: list[str], new: list[str], times: int) -> None:
    long = [f"{line}{number}" for number in range(300 * times) for line in ("x", "same")]
    old, new = old + long + new, new + long[::2] + old
    found = blocks(old, new)
    assert [entry for block in found for entry in old[block.old_start : block.old_end]] == old
    assert [entry for block in found for entry in new[block.new_start : block.new_end]] == new
    assert all(
        old[block.old_start : block.old_end] == new[block.new_start : block.new_end] for block in found if block.equal
    )
    assert all(one.equal != other.equal for one, other in pairwise(found))


@given(few_lines, few_lines)
def test_a_diff_turns_one_file_into_the_other(old: list[str], new: list[str]) -> None:
    before, after = ("".join(f"{line}\n" for line in lines) for lines in (old, new))
    assert patched(before, render_edit("a.yaml", before, after)) == after


def test_a_diff_of_a_long_file_is_the_one_that_diff_would_show() -> None:
    before = [f"line {number}\n" for number in range(2000)]
    after = ["first\n", *before[:700], "changed\n", *before[701:1300], *before[1302:], "last\n"]
    diff = render_edit("a.yaml", "".join(before), "".join(after))
    assert diff == "".join(unified_diff(before, after, "a.yaml", "a.yaml"))


def moved(count: int) -> tuple[str, str]:
    """A manifest in which a line of every channel moves, as after the first `fmt`."""
    ends = ("    theme: dark\n    color: {}\n", "    color: {}\n    theme: dark\n")
    before, after = ("".join(f"  - name: {n}\n{end.format(n)}" for n in range(count)) for end in ends)
    return before, after


def reversed_lines(count: int) -> tuple[str, str]:
    lines = [f"{number}\n" for number in range(count)]
    return "".join(lines), "".join(lines[::-1])


def repeated(count: int) -> tuple[str, str]:
    return "a\nb\n" * count + "a\n", "b\na\n" * count + "b\nb\n"


def turned(count: int) -> tuple[str, str]:
    """Every line occurs twice, the second time in another order."""
    numbers = [*range(count), *range(count)[::-1]]
    return "".join(f"{n}\n" for n in numbers), "".join(f"{n}\n" for n in reversed(numbers[1:]))


@pytest.mark.parametrize("sides", [moved, reversed_lines, repeated, turned])
def test_the_work_of_a_diff_grows_no_faster_than_the_file(sides: Callable[[int], tuple[str, str]]) -> None:
    render_edit("a.yaml", *moved(1))
    few, many = (calls_of(partial(render_edit, "a.yaml", *sides(count))) for count in (300, 3000))
    assert many <= 12 * few
