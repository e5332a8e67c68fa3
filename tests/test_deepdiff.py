"""DeepDiff, which we didn't write, finds a difference exactly where ours does; and what docs/adr/0010 says about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from deepdiff import DeepDiff
from deepdiff.operator import BaseOperatorPlus
from hypothesis import given, settings
from hypothesis import strategies as st

from planning import catalogue
from sizes import examples
from webchat_sync.domain.catalogue import PLAIN, Shape
from webchat_sync.model import Json
from webchat_sync.plan.diff import equal

SET = catalogue().shape("allowedDomains")
KEYED = catalogue().shape("departments")

ALL_KEYS: dict[str, Any] = {"ignore_private_variables": False}


class JsonNumbers(BaseOperatorPlus):
    """In JSON, 1 and 1.0 are one number, and true is no number."""

    def match(self, level: Any) -> bool:
        return isinstance(level.t1, int | float) and isinstance(level.t2, int | float)

    def give_up_diffing(self, level: Any, diff_instance: Any) -> bool:
        if isinstance(level.t1, bool) != isinstance(level.t2, bool) or level.t1 != level.t2:
            diff_instance.custom_report_result("values_changed", level)
        return True

    def normalize_value_for_hashing(self, parent: Any, obj: Any) -> Any:
        return obj


def without_nulls(value: Any) -> Any:
    """``value`` without null keys, which mean the same as missing ones."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, -0.0, 0.5, 1.0, 2**53, 2**53 + 1, 2.0**53, 10**40])
    | st.text("aA\u0130 \ud800\0", max_size=2)
)
# Without the keys that servers add: what is ignored of those, DeepDiff can't know.
keys = st.sampled_from(["name", "label", "__a", "__class__", "", "0", "a.b", "a']['b", 'a"b', "root"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=10
)


@st.composite
def edited(draw: st.DrawFn, value: Any) -> Any:
    """``value`` with its keys in reverse, and at most one place inside it replaced, added or left out."""
    if not isinstance(value, list | dict) or not draw(st.integers(0, 3)):
        return draw(st.just(value) | scalars | values)
    if isinstance(value, list):
        start = draw(st.integers(0, len(value)))
        end = draw(st.integers(start, min(start + 1, len(value))))
        new = [draw(edited(item)) for item in value[start:end]] or draw(st.lists(scalars, max_size=1))
        return [*value[:start], *draw(st.just(new) | st.just([])), *value[end:]]
    key = draw(st.sampled_from(sorted(value)) if value else keys)
    others = {name: value[name] for name in reversed(value) if name != key}
    return draw(st.just(others) | edited(value.get(key)).map(lambda member: {key: member, **others}))


pairs = values.flatmap(lambda value: st.tuples(st.just(value), edited(value)))


@settings(max_examples=examples(300, thorough=6000), deadline=None)
@given(pairs)
def test_values_without_a_schema_differ_exactly_when_deepdiff_says_so(pair: tuple[Json, Json]) -> None:
    live, declared = pair
    # Without `zip_ordered_iterables`, 1 and true are one list item to it.
    options: dict[str, Any] = {"zip_ordered_iterables": True, "custom_operators": [JsonNumbers()], **ALL_KEYS}
    theirs = DeepDiff(without_nulls(live), without_nulls(declared), **options)
    assert equal(PLAIN, live, declared) == (not theirs)


hosts = st.lists(st.sampled_from(["a.example", "b.example", "*.b.example", "c.example:8080"]), max_size=5)


@settings(max_examples=examples(100, thorough=2000), deadline=None)
@given(hosts, hosts)
def test_sets_differ_exactly_when_deepdiff_without_order_says_so(live: list[Json], declared: list[Json]) -> None:
    assert equal(SET, live, declared) == (not DeepDiff(live, declared, ignore_order=True, **ALL_KEYS))


def same_id(live: Any, declared: Any, _level: Any = None) -> bool:
    return bool(live["id"] == declared["id"])


BLIND: list[tuple[Shape, Json, Json, Mapping[str, Any]]] = [
    (PLAIN, [1, "a"], [True, "a"], {}),
    (PLAIN, [False], [0], {}),
    (PLAIN, {"a": 1}, {"a": True}, {"ignore_numeric_type_changes": True}),
    (PLAIN, {"a": 2**53 + 1}, {"a": 2.0**53}, {"ignore_numeric_type_changes": True}),
    (Shape(list_type="set"), [2**53 + 1], [2**53], {"ignore_order": True, "ignore_numeric_type_changes": True}),
    (KEYED, [{"id": 1}], [{"id": 1}, {"id": 1}], {"iterable_compare_func": same_id}),
]


@pytest.mark.parametrize(("shape", "live", "declared", "options"), BLIND)
def test_what_deepdiff_does_not_show(shape: Shape, live: Json, declared: Json, options: Mapping[str, Any]) -> None:
    """If a newer version shows one of these, read docs/adr/0010-own-diff.md again."""
    assert not DeepDiff(live, declared, **options, **ALL_KEYS)
    assert not equal(shape, live, declared)
