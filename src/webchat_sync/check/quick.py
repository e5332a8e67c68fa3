"""A fast first check: most values are valid, and checking all of them with jsonschema takes too long."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final, TypeAlias

from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json

Test: TypeAlias = "Callable[[Any], bool]"

_PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_SILENT: Final = frozenset(
    ("$schema", "$id", "$comment", "$defs", "type", "title", "description", "default", "examples", "deprecated")
)


def quick(schema: Mapping[str, Any]) -> Test:
    """A test that's only true for values that ``schema`` accepts.

    It's false for what the schema rejects, and for everything if the schema has a keyword that isn't implemented here;
    jsonschema decides then.
    """
    names = schema.get("type", ())
    types = [
        python_type for name in ([names] if isinstance(names, str) else names) for python_type in _PYTHON_TYPES[name]
    ]
    tests: dict[type, list[Test]] = {python_type: [] for python_type in types}
    for keyword, argument in schema.items():
        if keyword in _SILENT or keyword.startswith("x-"):
            continue
        if keyword not in _TESTS:
            return _unsure
        applies, build = _TESTS[keyword]
        for python_type in types:
            if python_type in applies:
                tests[python_type].append(build(argument, schema))

    combined = {python_type: reduce(_both, several) if several else _sure for python_type, several in tests.items()}
    return lambda value: combined.get(type(value), _unsure)(value)


def _both(first: Test, second: Test) -> Test:
    return lambda value: first(value) and second(value)


_END: Final = lazy_pattern(r"(?<!\\)((?:\\\\)*+)\$\Z")
"""A ``$`` at the end that isn't escaped."""


def matches(pattern: str, text: str) -> bool:
    """Whether ``text`` matches as in JSON Schema, where ``$`` is the end and not also a line break before it."""
    return re.search(_python_pattern(pattern), text) is not None


def _python_pattern(pattern: str) -> str:
    return _END.sub(r"\1\\Z", pattern)


def _sure(_: Json) -> bool:
    return True


def _unsure(_: Json) -> bool:
    return False


def _one_of(values: list[Json], _: Mapping[str, Any]) -> Test:
    typed = [(type(value), value) for value in values]
    return lambda value: (type(value), value) in typed


def _pattern(pattern: str, schema: Mapping[str, Any]) -> Test:
    longest, python_pattern = schema.get("maxLength", math.inf), _python_pattern(pattern)
    return lambda value: len(value) <= longest and re.search(python_pattern, value) is not None


def _items(schema: Mapping[str, Any], _: Mapping[str, Any]) -> Test:
    accepts = quick(schema)
    return lambda value: all(map(accepts, value))


def _properties(schemas: Mapping[str, Mapping[str, Any]], _: Mapping[str, Any]) -> Test:
    accepts = {name: quick(schema) for name, schema in schemas.items()}
    return lambda value: all(name not in accepts or accepts[name](inner) for name, inner in value.items())


def _pattern_properties(schemas: Mapping[str, Any], _: Mapping[str, Any]) -> Test:
    anything = all(schema is True for schema in schemas.values())
    return lambda _: anything


def _additional(allowed: object, schema: Mapping[str, Any]) -> Test:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    if allowed is not False:
        return _unsure
    return lambda value: all(name in known or any(re.search(pattern, name) for pattern in patterns) for name in value)


_EVERY: Final = frozenset(python_type for types in _PYTHON_TYPES.values() for python_type in types)
_TESTS: Final[Mapping[str, tuple[frozenset[type], Callable[[Any, Mapping[str, Any]], Test]]]] = {
    "const": (_EVERY, lambda value, schema: _one_of([value], schema)),
    "enum": (_EVERY, _one_of),
    "minLength": (frozenset((str,)), lambda limit, _: lambda value: len(value) >= limit),
    "maxLength": (frozenset((str,)), lambda limit, _: lambda value: len(value) <= limit),
    "pattern": (frozenset((str,)), _pattern),
    "minimum": (frozenset((int, float)), lambda limit, _: lambda value: value >= limit),
    "maximum": (frozenset((int, float)), lambda limit, _: lambda value: value <= limit),
    "items": (frozenset((list,)), _items),
    "properties": (frozenset((dict,)), _properties),
    "patternProperties": (frozenset((dict,)), _pattern_properties),
    "additionalProperties": (frozenset((dict,)), _additional),
    "required": (frozenset((dict,)), lambda names, _: lambda value: all(name in value for name in names)),
}
