from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import ceil
from typing import cast

import pytest

from variations import EVERY, left_out


@dataclass(frozen=True)
class CallSpec:
    indices: dict[str, int]


@dataclass(frozen=True)
class Case:
    """What ``left_out`` asks of a test that pytest has collected."""

    nodeid: str
    marks: frozenset[str]
    callspec: CallSpec

    def get_closest_marker(self, name: str) -> bool:
        return name in self.marks


def cases(*sizes: int, marks: str = "alike", name: str = "test_a") -> list[pytest.Item]:
    """The cases of a test whose parameters have so many values."""
    combinations = list(product(*map(range, sizes)))
    return [
        cast(
            pytest.Item,
            Case(f"t.py::{name}[{values}]", frozenset(marks.split()), CallSpec(dict(zip("abc", values, strict=False)))),
        )
        for values in combinations
    ]


def run(items: list[pytest.Item]) -> list[Case]:
    """Those that a run of all tests takes."""
    gone = {item.nodeid for item in left_out(items)}
    return [cast(Case, item) for item in items if item.nodeid not in gone]


@pytest.mark.parametrize("number", [1, 2, 5, 6, 11])
def test_of_the_cases_of_a_test_that_are_alike_one_in_five_runs(number: int) -> None:
    assert len(run(cases(number))) == ceil(number / EVERY)


@pytest.mark.parametrize("marks", ["", "slow"])
def test_all_cases_of_other_tests_run(marks: str) -> None:
    assert len(run(cases(12, marks=marks))) == 12


def test_a_variation_never_runs() -> None:
    assert run(cases(3, marks="variation")) == run(cases(3, marks="variation alike")) == []


@pytest.mark.parametrize("sizes", [(2, 5), (5, 5), (3, 10), (4, 15)])
@pytest.mark.parametrize("name", ["test_a", "test_b", "test_c"])
def test_those_that_run_have_as_many_values_of_each_parameter_as_they_can(sizes: tuple[int, ...], name: str) -> None:
    taken = run(cases(*sizes, name=name))
    for parameter, size in zip("ab", sizes, strict=True):
        assert len({case.callspec.indices[parameter] for case in taken}) == min(size, len(taken))


def test_not_all_tests_run_with_the_same_value() -> None:
    first = {run(cases(2, name=f"test_{name}"))[0].callspec.indices["a"] for name in "abcdefgh"}
    assert first == {0, 1}
