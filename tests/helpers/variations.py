"""Cases that resemble others, which a plain run of all tests leaves out; CI runs them (``--variations``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final
from zlib import crc32

import pytest

EVERY: Final = 5
"""Of the cases of a test marked ``alike``, a plain run takes one of so many."""


def variation(*values: Any, id: str | None = None) -> Any:  # noqa: A002 - the name that `pytest.param` has
    """A case of ``pytest.mark.parametrize`` that's a variation; see the mark in ``pyproject.toml``."""
    return pytest.param(*values, id=id, marks=pytest.mark.variation)


def thinned(cases: Mapping[str, Any], *, every: int) -> list[Any]:
    """Cases of one argument, by name: the first and every nth after it, and the others as variations."""
    return [
        variation(value, id=name) if index % every else pytest.param(value, id=name)
        for index, (name, value) in enumerate(cases.items())
    ]


def left_out(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The variations among the tests, and of each test marked ``alike`` all cases but one in so many."""
    marked = [item for item in items if item.get_closest_marker("variation")]
    cases: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("alike") and not item.get_closest_marker("variation"):
            cases[item.nodeid.partition("[")[0]].append(item)
    return marked + [item for test, ours in cases.items() for item in _all_but_one_in_so_many(test, ours)]


def _all_but_one_in_so_many(test: str, cases: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The cases that are left out: those that remain have as many different values of all parameters as possible."""
    # The name decides where the count starts, so that not all tests run with the same host.
    first = crc32(test.encode()) % min(len(cases), EVERY)
    rest = [*cases[first::EVERY], *(item for index, item in enumerate(cases) if index % EVERY != first)]
    seen: set[tuple[str, int]] = set()
    for _ in range(ceil(len(cases) / EVERY)):
        # The first of those with the most values that no other one has.
        taken = max(rest, key=lambda item: len(_values(item) - seen))
        rest.remove(taken)
        seen |= _values(taken)
    return rest


def _values(item: pytest.Item) -> set[tuple[str, int]]:
    """The parameters of a case, with the indices of their values."""
    case = getattr(item, "callspec", None)
    return set(case.indices.items()) if case else set()
