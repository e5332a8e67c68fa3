"""Rejects policies that refer outside themselves, are endless, or are slow.

Anyone who opens a pull request can write one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from webchat_sync.check.messages import TYPES
from webchat_sync.check.pattern_cost import Limits, pattern_flaw
from webchat_sync.check.policy_keywords import ineffective
from webchat_sync.check.policy_parts import target
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.jsonvalue import brief, kind, show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json
from webchat_sync.sentences import in_a_row, listed

if TYPE_CHECKING:
    from jsonschema import ValidationError

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
LARGEST: Final = 256 * 1024
"""The limit of a policy's file in bytes."""

MOST_RULES: Final = 5_000
"""The limit of schemas in a policy, each counted as often as it's referred to."""

_DEEPEST: Final = 60
LONGEST_TEXT: Final = 2_000
"""Longer texts aren't matched with a pattern, and break the rule."""

_PATTERNS: Final = Limits(characters=500, text=LONGEST_TEXT, steps=100_000_000)
"""Some times the square of the longest text, which takes less than a second."""

_BY_PLACE: Final = "Remove it, and refer to the schema by its place, for example `#/$defs/NAME`."
_NAMING: Final = {
    "$id": "Remove it. References such as `#/$defs/NAME` don't need it.",
    "$anchor": _BY_PLACE,
    "$dynamicAnchor": _BY_PLACE,
    "$dynamicRef": "Use `$ref` with the place of the schema, for example `#/$defs/NAME`.",
}
"""Keywords for references by name, which aren't followed, and what to do instead."""
_EXTRA: Final = {"x-message": str, "x-severity": str, "x-only-for": dict}
_ALONE: Final = lazy_pattern(r"\(\?(?:P<|[a-z]+\))")
"""What can't be in a pattern that jsonschema joins with others."""

_POINTER: Final = lazy_pattern(r"#(?:/.*)?", re.DOTALL)
_REASONS: Final = {
    "minimum": "this number is too small",
    "exclusiveMinimum": "this number is too small",
    "minItems": "this list is empty",
    "uniqueItems": "an item of this list appears twice",
}
"""What breaks a keyword of the meta-schema."""


def flaws(policy: Json) -> Iterator[Diagnostic]:
    """Everything that makes ``policy`` invalid, with the steps to it in the file."""
    if not isinstance(policy, dict):
        yield _flaw("a policy must be a mapping: the JSON Schema of one channel", (), "Begin it with `{`.")
        return
    wrong = list(_flaws_in(policy, (), policy))
    yield from wrong
    if wrong:
        return
    if _cost(policy, policy, (), {}) > MOST_RULES:
        message = f"this policy has more than {MOST_RULES:,} rules, or one that refers to itself"
        hint = "Use fewer rules, and no reference that leads back to its own rule."
        yield _flaw(message, (), f"{hint} A rule counts each time it's referred to.")
        return
    yield from ineffective(policy)
    yield from _misshapen(policy)


def _flaws_in(value: Json, path: Path, root: Json) -> Iterator[Diagnostic]:
    """Problems at any depth and in any position, since what looks like data can still be used as a schema."""
    if len(path) > _DEEPEST:
        yield _flaw("this policy is nested too deeply", path, f"At most {_DEEPEST} levels are allowed.")
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flaws_in(item, (*path, index), root)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if isinstance(inner, str):
            yield from _keyword(key, inner, (*path, key), root)
        if key == "patternProperties" and isinstance(inner, dict):
            for pattern in inner:
                yield from _pattern(pattern, (*path, key, pattern))
                if _ALONE.search(pattern):
                    message = "flags and names of groups aren't supported in `patternProperties`"
                    hint = "Write `(?i:…)` instead of `(?i)`, and groups without names."
                    yield _flaw(message, (*path, key, pattern), hint)
        yield from _flaws_in(inner, (*path, key), root)
    yield from _extra(value, path)


def _extra(schema: dict[str, Json], path: Path) -> Iterator[Diagnostic]:
    """Problems with the keywords that this program adds."""
    for key, expected in _EXTRA.items():
        if key in schema and not isinstance(schema[key], expected):
            yield _flaw(f"`{key}` must be {'a mapping' if expected is dict else 'a string'}", (*path, key), "")
    if schema.get("x-severity", "error") not in ("error", "warning"):
        yield _flaw("`x-severity` must be `error` or `warning`", (*path, "x-severity"), "")
    only = schema.get("x-only-for")
    for key, globs in only.items() if isinstance(only, dict) else ():
        if key not in ("names", "organizations"):
            yield _flaw(
                f"`{brief(key)}` isn't a known key here",
                (*path, "x-only-for", key),
                "Known keys: `names` and `organizations`.",
            )
        elif not isinstance(globs, list) or not all(isinstance(glob, str) for glob in globs):
            yield _flaw("this must be a list of strings, which can be globs", (*path, "x-only-for", key), "")
        elif not globs:
            things = "channels" if key == "names" else "organisations"
            hint = f"Name some {things}, or remove `{key}` so that the rule applies to all of them."
            yield _flaw("this list is empty, so the rule would never apply", (*path, "x-only-for", key), hint)


def _keyword(key: str, value: str, path: Path, root: Json) -> Iterator[Diagnostic]:
    if key == "pattern":
        yield from _pattern(value, path)
    elif key == "$schema" and value != DIALECT:
        yield _flaw("a policy must be JSON Schema 2020-12", path, f'Write "$schema": "{DIALECT}", or remove it.')
    elif key in _NAMING:
        yield _flaw(f"`{key}` isn't supported", path, _NAMING[key])
    elif key == "$ref" and not _POINTER.fullmatch(value):
        hint = "Move the schema to `$defs` in this file, and refer to `#/$defs/NAME`. Nothing is fetched."
        yield _flaw("this reference points outside the file", path, hint)
    elif key == "$ref" and not isinstance(target(root, value)[1], dict | bool):
        yield _flaw(f"{show(value)} doesn't match any schema in this file", path, "Check the names under `$defs`.")


def _pattern(pattern: str, path: Path) -> Iterator[Diagnostic]:
    flaw = pattern_flaw(pattern, _PATTERNS)
    if flaw:
        yield _flaw(flaw.message, path, flaw.hint)


def _cost(schema: Json, root: Json, way: tuple[str, ...], known: dict[str, int]) -> int:
    """The maximum number of schemas to check, each as often as it's referred to; above the limit if it's endless."""
    if isinstance(schema, list):
        return sum(_cost(item, root, way, known) for item in schema)
    if not isinstance(schema, dict):
        return 0
    reference = schema.get("$ref")
    cost = 1 + sum(_cost(inner, root, way, known) for key, inner in schema.items() if key != "$defs")
    if not isinstance(reference, str):
        return cost
    if reference in way:
        return MOST_RULES + 1
    if reference not in known:
        known[reference] = min(_cost(target(root, reference)[1], root, (*way, reference), known), MOST_RULES + 1)
    return cost + known[reference]


def _misshapen(policy: Json) -> Iterator[Diagnostic]:
    """Violations of the meta-schema, each of which several of its parts may find."""
    from jsonschema import Draft202012Validator

    meta: Any = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    flaws = (_flaw(*_violation(error)) for error in meta.iter_errors(policy))
    yield from dict.fromkeys(flaws)


def _violation(error: ValidationError) -> tuple[str, Path, str]:
    """The message, without the value, the path and the hint."""
    limit: Any = error.validator_value
    value: Any = error.instance
    hint = ""
    if error.validator == "type":
        types = [TYPES[name] for name in ([limit] if isinstance(limit, str) else limit)]
        reason = f"expected {in_a_row(types, last='or')}, but this is {kind(value)}"
    elif error.validator == "anyOf":  # only `type` has it
        reason, hint = "this isn't a type", f"Use {listed(TYPES, last='or')}, or a list of them."
    else:
        reason = _REASONS.get(str(error.validator), f"it breaks the rule `{error.validator}`")
    return f"this isn't valid JSON Schema: {reason}", tuple(error.absolute_path), hint


def _flaw(message: str, path: Path, hint: str) -> Diagnostic:
    return Diagnostic(message, steps=path, hint=hint, code="policy-file")
