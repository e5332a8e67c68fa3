"""Frozen dataclasses that are made in a third of the time.

``dataclass(frozen=True, slots=True)`` compiles six functions for every class, which took a sixth of a whole plan of 300
channels (``python benchmarks/plan.py``). Sharing comparison, hash and text between the classes saves a third of that,
and sharing the refusal of changes another third. ``__init__`` is our own, since dataclass's would be refused, too, and
compiled after a few instances, since a command makes only a few of most classes, and none of many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from functools import partial
from operator import attrgetter
from types import FunctionType, MethodType
from typing import Any, ClassVar, Final, NoReturn, Protocol, TypeVar, cast, dataclass_transform, overload

_Class = TypeVar("_Class", bound=type)

_SPECIAL: Final = ("ClassVar", "InitVar", "KW_ONLY")
"""The annotations that don't make a field, or not an ordinary one."""

_FEW: Final = 5
"""Compiling the function takes as long as making some twenty instances without it."""


class _Frozen(Protocol):
    """An instance of one of the classes; ``_compared`` takes the values of the fields to compare from it."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @staticmethod
    def _compared(instance: object, /) -> tuple[object, ...]: ...


@overload
def frozen(cls: _Class, /) -> _Class: ...


@overload
def frozen(*, slots: bool = True, kw_only: bool = False) -> Callable[[_Class], _Class]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(
    cls: _Class | None = None, /, *, slots: bool = True, kw_only: bool = False
) -> _Class | Callable[[_Class], _Class]:
    """``cls`` as ``dataclass(frozen=True, slots=True)`` would make it; cached properties need ``slots=False``.

    The functions of ``dataclasses`` accept its instances. They can't be copied or pickled, and a field with
    ``init=False`` has no default: ``__post_init__`` must set it.
    """

    def make(cls: _Class) -> _Class:
        # dataclass() would make a missing docstring from the signature, which takes longer than everything else.
        cls.__doc__ = cls.__doc__ or cls.__name__
        made = _with_fields(cls, slots=slots, kw_only=kw_only)
        methods = {"__init__": _Init(made), "_compared": staticmethod(_getter(made)), **_SHARED}
        for name, method in methods.items():
            if name not in vars(cls):
                setattr(made, name, method)
        return cast(_Class, made)

    return make if cls is None else make(cls)


def _with_fields(cls: type, *, slots: bool, kw_only: bool) -> type:
    """What ``dataclass()`` makes of ``cls`` if it makes no functions.

    It searches every annotation that's a text for the special ones, which takes a third of its time.
    """
    annotations: dict[str, Any] = vars(cls).get("__annotations__", {})
    ordinary = [name for name, text in annotations.items() if not any(special in str(text) for special in _SPECIAL)]
    cls.__annotations__ = annotations | dict.fromkeys(ordinary, object)
    made: type = dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
    made.__annotations__ = annotations
    for item in fields(cast(Any, made)):
        item.type = annotations.get(item.name, item.type)
    return made


class _Init:
    """Stands for the ``__init__`` of ``cls``, and compiles it after the first instances."""

    def __init__(self, cls: type) -> None:
        self._cls: Any = cls
        self._instances = 0

    def __get__(self, instance: object, owner: type) -> Callable[..., None]:
        self._instances += 1
        if instance is not None and self._instances <= _FEW:
            return partial(_set_fields, self._cls, instance)
        init = self._cls.__init__ = _init(self._cls)
        return init if instance is None else MethodType(init, instance)


def _set_fields(cls: type, self: object, /, *args: object, **kwargs: object) -> None:
    """What ``_init(cls)`` does, which is only compiled to raise the error for wrong arguments."""
    settable = [item for item in fields(cls) if item.init]
    positional = (item.name for item in settable if not item.kw_only)
    given = {**dict(zip(positional, args, strict=False)), **kwargs}
    is_wrong = len(given) != len(args) + len(kwargs)
    for item in settable:
        if item.name in given:
            object.__setattr__(self, item.name, given.pop(item.name))
        elif item.default is not MISSING:
            object.__setattr__(self, item.name, item.default)
        elif item.default_factory is not MISSING:
            object.__setattr__(self, item.name, item.default_factory())
        else:
            is_wrong = True
    if is_wrong or given:
        _init(cls)(self, *args, **kwargs)
    elif hasattr(self, "__post_init__"):
        self.__post_init__()


def _init(cls: type) -> Callable[..., None]:
    """The function that sets the fields, and then calls ``__post_init__`` if the class has one."""
    values: dict[str, object] = {"_set": object.__setattr__, "_unset": MISSING}
    positional: list[str] = []
    by_keyword: list[str] = []
    lines: list[str] = []
    for item in fields(cls):
        if not item.init:
            continue
        name = parameter = value = item.name
        if item.default is not MISSING:
            values[f"_default_{name}"] = item.default
            parameter = f"{name}=_default_{name}"
        elif item.default_factory is not MISSING:
            values[f"_make_{name}"] = item.default_factory
            parameter, value = f"{name}=_unset", f"_make_{name}() if {name} is _unset else {name}"
        (by_keyword if item.kw_only else positional).append(parameter)
        lines.append(f" _set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    parameters = ", ".join(["self", *positional, *(["*", *by_keyword] if by_keyword else [])])
    exec("\n".join([f"def __init__({parameters}):", *lines, " pass"]), values)  # noqa: S102 - as dataclass() does
    init = cast(FunctionType, values["__init__"])
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _getter(cls: type) -> Callable[[object], tuple[object, ...]]:
    """The function that takes the values of the fields to compare from an instance of the class."""
    names = [item.name for item in fields(cls) if item.compare]
    return attrgetter(*names) if len(names) > 1 else lambda instance: tuple(getattr(instance, name) for name in names)


def _equal(self: _Frozen, other: object) -> bool:
    return self._compared(self) == self._compared(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: _Frozen) -> int:
    return hash(self._compared(self))


def _text(self: _Frozen) -> str:
    shown = (f"{item.name}={getattr(self, item.name)!r}" for item in fields(self) if item.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_set(_: object, name: str, __: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(_: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


_SHARED: Final[Mapping[str, Callable[..., object]]] = {
    "__eq__": _equal,
    "__hash__": _hash,
    "__repr__": _text,
    "__setattr__": _refuse_set,
    "__delattr__": _refuse_delete,
}
