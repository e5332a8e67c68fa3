"""Frozen classes behave as those of ``dataclass(frozen=True, slots=True)`` do."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import webchat_sync
from webchat_sync.frozen import frozen


def one_of_each(decorate: Callable[[type], Any]) -> Any:
    """A class with every kind of field that the model has, made by ``decorate``."""

    class Point:
        kind: ClassVar[str] = "point"
        x: float
        y: float = 0.0
        tags: dict[str, int] = field(default_factory=dict)
        secret: str = field(default="", repr=False)
        place: int = field(default=0, compare=False)
        name: str = field(default="p", kw_only=True)
        sum: float = field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "sum", self.x + self.y)

    return decorate(Point)


OURS, STANDARD = one_of_each(frozen), one_of_each(dataclass(frozen=True, slots=True))

numbers = st.floats() | st.integers() | st.booleans()
arguments = st.tuples(
    st.lists(numbers, min_size=1, max_size=2),
    st.fixed_dictionaries(
        {},
        optional={
            "tags": st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
            "secret": st.text(max_size=3),
            "place": st.integers(),
            "name": st.text(max_size=3),
        },
    ),
)


@given(arguments, arguments)
def test_instances_look_and_compare_as_those_of_dataclass(one: Any, other: Any) -> None:
    ours, others = OURS(*one[0], **one[1]), OURS(*other[0], **other[1])
    standard, standards = STANDARD(*one[0], **one[1]), STANDARD(*other[0], **other[1])
    assert repr(ours) == repr(standard)
    assert repr(asdict(ours)) == repr(asdict(standard))
    assert (ours == others) is (standard == standards)
    assert (ours == standard) is False
    assert repr(replace(ours, x=1)) == repr(replace(standard, x=1))


@given(arguments, st.integers(0, 9))
def test_the_first_instances_are_like_the_later_ones(made_of: Any, before: int) -> None:
    many = one_of_each(frozen)
    for _ in range(before):
        many(1)
    assert repr(many(*made_of[0], **made_of[1])) == repr(STANDARD(*made_of[0], **made_of[1]))


@pytest.mark.parametrize("before", [0, 9])
@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((1, 2, {}, "s", 5, "too many"), {}), ((1,), {"x": 2}), ((1,), {"unknown": 1}), ((1,), {"sum": 1.0})],
)
def test_wrong_arguments_are_refused_as_by_dataclass(args: Any, kwargs: Any, before: int) -> None:
    many = one_of_each(frozen)
    for _ in range(before):
        many(1)
    messages = []
    for made in (many, STANDARD):
        with pytest.raises(TypeError) as caught:
            made(*args, **kwargs)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_the_signature_and_the_arguments_are_those_of_dataclass() -> None:
    assert inspect.signature(OURS).parameters.keys() == inspect.signature(STANDARD).parameters.keys()
    assert OURS.__match_args__ == STANDARD.__match_args__
    assert OURS.__slots__ == STANDARD.__slots__
    assert OURS.__annotations__ == STANDARD.__annotations__
    assert [(item.name, item.type) for item in fields(OURS)] == [(item.name, item.type) for item in fields(STANDARD)]
    for wrong in [(), (1, 2, 3, 4, 5, 6), (1, {"unknown": 1})]:
        with pytest.raises(TypeError):
            OURS(*wrong[:-1], **wrong[-1]) if wrong and isinstance(wrong[-1], dict) else OURS(*wrong)
    assert OURS(1).tags is not OURS(1).tags


def test_instances_cannot_be_changed_and_can_be_keys() -> None:
    @frozen
    class Key:
        name: str

    key = Key("a")
    for name in ("name", "new"):
        with pytest.raises(FrozenInstanceError):
            setattr(key, name, "b")
        with pytest.raises(FrozenInstanceError):
            delattr(key, name)
    assert {key: 1}[Key("a")] == 1
    assert hash(key) == hash(("a",))
    with pytest.raises(TypeError):
        hash(OURS(1))  # as its dict can't be hashed


def test_methods_of_a_class_are_kept_and_properties_can_be_cached() -> None:
    @frozen(slots=False, kw_only=True)
    class Shown:
        value: int

        def __repr__(self) -> str:
            return "hidden"

        @cached_property
        def twice(self) -> list[int]:
            return [self.value, self.value]

    shown = Shown(value=1)
    assert repr(shown) == "hidden"
    assert shown == Shown(value=1)
    assert shown != Shown(value=2)
    assert shown.twice is shown.twice
    by_position: Callable[..., Shown] = Shown
    with pytest.raises(TypeError):
        by_position(1)


def test_a_class_of_a_frozen_class_has_the_fields_of_both() -> None:
    @frozen
    class Base:
        one: int

    @frozen
    class Derived(Base):
        two: int = 2

    assert Derived(1) == Derived(1, 2)
    assert Derived(1) != Derived(2)
    assert repr(Derived(1)).endswith("Derived(one=1, two=2)")
    assert Derived(1) != Base(1)


def test_the_program_makes_its_frozen_classes_in_the_fast_way() -> None:
    """Those whose instances are in an order, or only equal themselves, are made by dataclass()."""
    modules = Path(webchat_sync.__file__).parent.rglob("*.py")
    lines = [line.strip() for module in modules for line in module.read_text(encoding="utf-8").splitlines()]
    made = [line for line in lines if line.startswith("@dataclass(") and "frozen=True" in line]
    assert all("order=True" in line or "eq=False" in line for line in made), made
