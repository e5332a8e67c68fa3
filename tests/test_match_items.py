"""Items keep their order, whatever ids the server gave them: shared ones, none, or only to some."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning import catalogue
from sizes import examples
from webchat_sync.domain.match_items import MOST_PAIRS
from webchat_sync.model import FieldChange, Json, Key, Order
from webchat_sync.plan.diff import differences

SHAPE = catalogue().shape("departments")


def changes(live: Json, declared: Json) -> list[FieldChange]:
    return list(differences((Key("departments"),), SHAPE, live, declared))


def shown(live: Json, declared: Json) -> list[tuple[str, str]]:
    return [(change.path.removeprefix("departments"), change.action) for change in changes(live, declared)]


def item(identity: int | None = None, name: str = "A", **more: Json) -> dict[str, Json]:
    return {**({"id": identity} if identity else {}), "name": name, **more}


@pytest.mark.parametrize(
    ("live", "declared", "expected"),
    [
        # Two items with one id, of which only the second is declared with it.
        ([item(1), item(1), item(2, "B")], [item(), item(1), item(2, "B", x=1)], [('["B"].x', "add")]),
        ([item(1), item(1)], [item(1, x=1), item(1)], [("[0].x", "add")]),
        ([item(1, x=1), item(2, "B"), item(1, x=2)], [item(1, x=2), item(None, "B"), item(x=2)], [("[0].x", "change")]),
        # Of two equal items, the first is removed.
        ([item(1), item(2, "B"), item(3)], [item(None, "B"), item()], [("[0]", "remove")]),
        ([item(), item(None, "B"), item()], [item(None, "B"), item()], [("[0]", "remove")]),
        # One item becomes equal to the next.
        ([item(1, x=1), item(2, x=2)], [item(x=2), item(x=2)], [("[0].x", "change")]),
        # Ids inside items say which of two equal ones is declared.
        ([item(1, of=[item(7)]), item(2, of=[item(8)])], [item(of=[item(8)])], [("[0]", "remove")]),
        # Only one of two items with the same id can be the one that's declared with it.
        ([item(1), item(1, "B")], [item(), item(1, "B", x=2)], [('["B"].x', "add")]),
        # Ids that are declared for the other item are a move.
        ([item(1), item(2)], [item(2), item(1)], [(" (order)", "change")]),
        ([item(1), item(2)], [item(), item(1)], [(" (order)", "change")]),
        ([item(1), item(2, "B")], [item(None, "B"), item()], [(" (order)", "change")]),
    ],
)
def test_only_items_that_move_are_in_another_order(live: Json, declared: Json, expected: list[tuple[str, str]]) -> None:
    assert shown(live, declared) == expected


def test_a_list_with_more_pairs_than_can_be_compared_is_still_matched() -> None:
    count = 1_500
    assert count**2 > MOST_PAIRS
    live: list[Json] = [*(item(number) for number in range(1, count)), item(count, "B")]
    assert shown(live, [item(None, "B"), *(item() for _ in range(1, count))]) == [(" (order)", "change")]


ids = st.integers(1, 3)
options = st.lists(
    st.fixed_dictionaries({"label": st.sampled_from("xy")}, optional={"id": st.integers(7, 8)}), max_size=2
)
flat_items = st.fixed_dictionaries({"name": st.sampled_from("AB"), "x": st.integers(1, 2)}, optional={"id": ids})
items = st.fixed_dictionaries(
    {"name": st.sampled_from("AB"), "x": st.integers(1, 2)}, optional={"id": ids, "options": options}
)
depths = st.integers(0, 2)


def without_ids(value: Any, depth: int) -> Any:
    """``value`` without ids down to ``depth``: of none, of the item, or also of its options."""
    if depth == 0 or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return [without_ids(member, depth) for member in value]
    return {key: without_ids(member, depth - 1) for key, member in value.items() if key != "id"}


@settings(max_examples=examples(200, thorough=4000), deadline=None)
@given(st.lists(st.tuples(items, depths, st.booleans()), max_size=5))
def test_items_that_stay_keep_their_order(rows: list[tuple[dict[str, Any], int, bool]]) -> None:
    live: list[Json] = [stored for stored, _, _ in rows]
    declared: list[Json] = [without_ids(stored, depth) for stored, depth, stays in rows if stays]
    assert [change.action for change in changes(live, declared)] == ["remove"] * (len(live) - len(declared))


@settings(max_examples=examples(200, thorough=4000), deadline=None)
@given(st.lists(flat_items, min_size=1, max_size=5), st.booleans(), st.data())
def test_an_item_that_changes_stays_where_it_is(live: list[Json], with_ids: bool, data: st.DataObject) -> None:
    declared: list[Any] = list(live) if with_ids else without_ids(live, 1)
    index = data.draw(st.integers(0, len(live) - 1))
    declared[index] = {**declared[index], "x": 3}
    (change,) = changes(live, declared)
    assert not isinstance(change.steps[1], Order)
    assert (change.steps[-1], change.after) == (Key("x"), 3)
