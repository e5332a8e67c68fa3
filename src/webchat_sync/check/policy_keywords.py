"""Finds misspelt keywords in a policy: JSON Schema ignores what it doesn't know, so such a rule would never fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webchat_sync.domain.spelling import nearest
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.jsonvalue import brief
from webchat_sync.model import Json

_SCHEMA: Final = frozenset(
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
_SCHEMAS: Final = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_NAMED_SCHEMAS: Final = frozenset(("$defs", "definitions", "dependentSchemas", "patternProperties", "properties"))
_VALUES: Final = frozenset(
    (
        "$anchor",
        "$comment",
        "$dynamicAnchor",
        "$dynamicRef",
        "$id",
        "$ref",
        "$schema",
        "$vocabulary",
        "const",
        "contentEncoding",
        "contentMediaType",
        "default",
        "dependencies",
        "dependentRequired",
        "deprecated",
        "description",
        "enum",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "readOnly",
        "required",
        "title",
        "type",
        "uniqueItems",
        "writeOnly",
        "x-message",
        "x-only-for",
        "x-severity",
    )
)
_KNOWN: Final = _SCHEMA | _SCHEMAS | _NAMED_SCHEMAS | _VALUES

_SURELY: Final = 0.8
"""How similar an unknown keyword has to be to a known one; others may be notes for people or other programs."""


def misspelt(schema: Json, path: Path = ()) -> Iterator[Diagnostic]:
    """A problem for every keyword of ``schema``, and of the schemas inside it, that probably means another one."""
    if not isinstance(schema, dict):
        return
    for key, inner in schema.items():
        below = (*path, key)
        if key not in _KNOWN and (meant := nearest(key, sorted(_KNOWN), likeness=_SURELY)):
            message = f"`{brief(key)}` isn't a keyword, so it would be ignored"
            yield Diagnostic(message, steps=below, hint=f"Did you mean `{meant}`?", code="policy-file")
        elif key in _SCHEMA:
            yield from misspelt(inner, below)
        elif key in _SCHEMAS and isinstance(inner, list):
            for index, item in enumerate(inner):
                yield from misspelt(item, (*below, index))
        elif key in _NAMED_SCHEMAS and isinstance(inner, dict):
            for name, item in inner.items():
                yield from misspelt(item, (*below, name))
