"""The schemas inside a policy, and what its references point to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from webchat_sync.errors import Path
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json

SCHEMA: Final = frozenset(
    (
        "additionalProperties",
        "contains",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "contentSchema",
        "unevaluatedItems",
        "unevaluatedProperties",
    )
)
SCHEMAS: Final = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
NAMED_SCHEMAS: Final = frozenset(("$defs", "definitions", "dependentSchemas", "patternProperties", "properties"))
WITH_SCHEMAS: Final = SCHEMA | SCHEMAS | NAMED_SCHEMAS
"""The keywords whose values are or contain schemas."""

DATA: Final = frozenset(("const", "default", "enum", "examples"))
"""The keywords whose values are data, even if these look like schemas."""

_INDEX: Final = lazy_pattern(r"0|[1-9][0-9]{0,8}", re.ASCII)
"""The position of an item (RFC 6901, section 4); no list has more."""


def inside(schema: dict[str, Json], path: Path) -> Iterator[tuple[str, Path, Json]]:
    """The schemas in ``schema``, which is at ``path``: the keyword that each belongs to, its path and itself."""
    for key, inner in schema.items():
        below = (*path, key)
        if key in SCHEMA:
            yield key, below, inner
        elif key in SCHEMAS and isinstance(inner, list):
            yield from ((key, (*below, index), item) for index, item in enumerate(inner))
        elif key in NAMED_SCHEMAS and isinstance(inner, dict):
            yield from ((key, (*below, name), item) for name, item in inner.items())


def target(root: Json, reference: str) -> tuple[Path, Json]:
    """The path and the value that the reference, ``#`` or ``#/…``, names inside ``root``; None if there is none."""
    path: Path = ()
    at = root
    for part in reference.split("/")[1:]:
        name = unquote(part).replace("~1", "/").replace("~0", "~")
        step: str | int = int(name) if isinstance(at, list) and _INDEX.fullmatch(name) else name
        if isinstance(at, dict) and name in at:
            at = at[name]
        elif isinstance(at, list) and isinstance(step, int) and step < len(at):
            at = at[step]
        else:
            return (), None
        path = (*path, step)
    return path, at
