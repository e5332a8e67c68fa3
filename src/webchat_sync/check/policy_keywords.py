"""Finds keywords in a policy that do nothing: JSON Schema ignores them, so such a rule would never fail."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from webchat_sync.check.policy_parts import WITH_SCHEMAS, inside, target
from webchat_sync.domain.spelling import nearest
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.jsonvalue import brief
from webchat_sync.model import Json
from webchat_sync.sentences import listed

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
_KNOWN: Final = WITH_SCHEMAS | _VALUES

_SURELY: Final = 0.8
"""How similar an unknown keyword has to be to a known one; others may be notes for people or other programs."""


_UNCHECKED: Final = {
    "$recursiveRef": "Use `$ref`.",
    "additionalItems": "Use `prefixItems` and `items`.",
    "contentEncoding": "Use `pattern`.",
    "contentMediaType": "Use `pattern`.",
    "contentSchema": "Use `pattern`.",
    "dependencies": "Use `dependentRequired` or `dependentSchemas`.",
    "disallow": "Use `not`.",
    "divisibleBy": "Use `multipleOf`.",
    "extends": "Use `allOf`.",
    "format": "Use `pattern`.",
}
"""What JSON Schema 2020-12 ignores, or only takes for a note, and what to use instead."""

_PARTNERS: Final = {
    "else": ("if",),
    "if": ("then", "else"),
    "maxContains": ("contains",),
    "minContains": ("contains",),
    "then": ("if",),
}
"""Keywords that do nothing without one of others."""

_CONDITIONS: Final = frozenset(("anyOf", "contains", "if", "not", "oneOf"))
"""What's in these isn't required by itself."""


_SAME_VALUE: Final = frozenset(("allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then"))
"""What's in these is about the same value as the schema that they're in."""


def ineffective(policy: Json) -> Iterator[Diagnostic]:
    """A problem for every keyword that would be ignored, so that its rule would never fail or for other channels."""
    yield from _ignored(policy, ())
    yield from _misplaced(policy, (), "", policy, set())


def misnamed(policy: Json, known: Collection[str]) -> Iterator[Diagnostic]:
    """A warning for every property of a channel that's no field, and probably means one of the ``known``."""
    for path, schema in _about_channel(policy, (), policy, set()):
        names = schema.get("properties")
        for name in names if isinstance(names, dict) else ():
            if name not in known and (meant := nearest(name, known, likeness=_SURELY)):
                message = f"`{brief(name)}` isn't a field of a channel, so this rule would never fail"
                flaw = _flaw(message, (*path, "properties", name), f"Did you mean `{meant}`?")
                yield replace(flaw, severity="warning")


def _about_channel(schema: Json, path: Path, root: Json, followed: set[str]) -> Iterator[tuple[Path, dict[str, Json]]]:
    """The schemas in ``schema`` that are about the same value as it, which is a channel."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for keyword, below, inner in inside(schema, path):
        if keyword in _SAME_VALUE:
            yield from _about_channel(inner, below, root, followed)
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in followed:
        followed.add(reference)
        below, inner = target(root, reference)
        yield from _about_channel(inner, below, root, followed)


def _ignored(schema: Json, path: Path) -> Iterator[Diagnostic]:
    if not isinstance(schema, dict):
        return
    for key in schema:
        if key in _UNCHECKED:
            yield _flaw(f"`{key}` isn't checked, so this rule would never fail", (*path, key), _UNCHECKED[key])
        elif key not in _KNOWN and (meant := nearest(key, sorted(_KNOWN), likeness=_SURELY)):
            message = f"`{brief(key)}` isn't a keyword, so it would be ignored"
            yield _flaw(message, (*path, key), f"Did you mean `{meant}`?")
        elif key in _PARTNERS and schema.keys().isdisjoint(_PARTNERS[key]):
            partners = listed(_PARTNERS[key], last="or")
            yield _flaw(f"`{key}` does nothing without {partners}", (*path, key), f"Add {partners}, or remove it.")
    for _, below, inner in inside(schema, path):
        yield from _ignored(inner, below)


def _misplaced(schema: Json, path: Path, within: str, root: Json, followed: set[str]) -> Iterator[Diagnostic]:
    """A problem for every ``x-only-for`` in the condition ``within``, which would hold for all other channels."""
    if not isinstance(schema, dict):
        return
    if within and "x-only-for" in schema:
        hint = f"Put it next to `{within}`, so that it's about the whole rule."
        yield _flaw(f"`x-only-for` can't be inside `{within}`", (*path, "x-only-for"), hint)
    for keyword, below, inner in inside(schema, path):
        yield from _misplaced(inner, below, within or (keyword if keyword in _CONDITIONS else ""), root, followed)
    reference = schema.get("$ref")
    if within and isinstance(reference, str) and reference not in followed:
        followed.add(reference)
        below, inner = target(root, reference)
        yield from _misplaced(inner, below, within, root, followed)


def _flaw(message: str, path: Path, hint: str) -> Diagnostic:
    return Diagnostic(message, steps=path, hint=hint, code="policy-file")
