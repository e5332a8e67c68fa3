"""Turns the errors of jsonschema into plain words for people who have never seen a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from webchat_sync.domain.spelling import nearest
from webchat_sync.errors import dotted
from webchat_sync.flat import flat
from webchat_sync.jsonvalue import brief, kind, show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json
from webchat_sync.sentences import counted, in_a_row, listed
from webchat_sync.yaml12.interpolation import MARK

if TYPE_CHECKING:
    from jsonschema import ValidationError

TYPES: Final[Mapping[str, str]] = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
"""The types of JSON Schema in words."""

_TOKEN: Final = lazy_pattern(r"(?:[&!]\S*\s+)*(?P<token>\$\{[^}]*\}|[^\s,\]}]+)")
_HASH: Final = lazy_pattern(r"\s*(?P<text>#[^\s#][^#]*)")
_WITH_VARIABLE: Final = lazy_pattern(r"""(?:[&!]\S*\s+)*(?P<token>"[^"]*"|'[^']*'|[^\s"'].*)""")
_FEW: Final = 6

CODES: Final[Mapping[str, str]] = {
    "type": "type",
    "enum": "choice",
    "const": "choice",
    "pattern": "form",
    "minLength": "length",
    "maxLength": "length",
    "minimum": "range",
    "maximum": "range",
}
"""The code of a problem for a keyword of JSON Schema; for any other keyword, it's ``schema``."""

_MEANT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("true", "yes", "on", "y", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "n", "0"), "false"),
}


def in_words(error: ValidationError, text: str) -> tuple[str, str]:
    """The message and the hint for ``error``; ``text`` is the rest of the line from the start of the value."""
    value: Any = error.instance
    limit: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "type":
            types = [limit] if isinstance(limit, str) else limit
            return _mistyped(value, types, text), _type_hint(value, types, text, schema)
        case "enum":
            return _not_one_of(value, limit, text)
        case "const":
            return _not_one_of(value, [limit], text)
        case "pattern":
            return f"{_shown(value, text)} doesn't have the format that this field requires", _form(schema)
        case "minLength" | "minItems":
            return _too_short(value, limit)
        case "maxLength" | "maxItems":
            return _too_long(value, limit)
        case "minimum" | "maximum":
            return f"{_shown(value, text)} is out of range", f"Use a number {_range(schema)}."
        case "anyOf":
            return _none_of(error, text)
        case _:
            return flat(error.message), str(schema.get("description", ""))


def _too_short(value: str | list[Json], limit: int) -> tuple[str, str]:
    what, unit, write = ("text", "character", "Use") if isinstance(value, str) else ("list", "item", "Write")
    few = f"the {what} is too short" if value else f"the {what} is empty"
    return few, f"{write} at least {counted(limit, unit)}."


def _too_long(value: str | list[Json], limit: int) -> tuple[str, str]:
    over = len(value) - limit
    if isinstance(value, str):
        return (
            f"the text has {len(value):,} characters; the limit is {limit:,}",
            f"Shorten it by {counted(over, 'character')}.",
        )
    return f"the list has {counted(len(value), 'item')}; the limit is {limit:,}", f"Remove {counted(over, 'item')}."


def innermost(error: ValidationError) -> ValidationError:
    """What's wrong inside a value that matches none of several schemas, if that's known; otherwise ``error`` itself."""
    inside = [flaw for flaw in error.context or () if flaw.relative_path]
    return max(inside, key=lambda flaw: len(flaw.relative_path)) if error.validator == "anyOf" and inside else error


def _none_of(error: ValidationError, text: str) -> tuple[str, str]:
    """What is wrong with a value that matches none of several schemas: something inside it, or all of it."""
    if (flaw := innermost(error)) is not error:
        message, hint = in_words(flaw, "")
        return f"{dotted(flaw.relative_path)}: {message}", hint
    accepted: list[str] = []
    value: Any = error.instance
    branches: Any = error.validator_value
    for branch in branches:
        values = [branch["const"]] if "const" in branch else branch.get("enum", ())
        types = branch.get("type", ())
        accepted += [f"`{choice}`" if isinstance(choice, str) else f"`{show(choice)}`" for choice in values]
        accepted += [] if values else [TYPES[name] for name in ([types] if isinstance(types, str) else types)]
    return f"{_shown(value, text)} isn't accepted; it can be {in_a_row(accepted, last='or')}", ""


def _mistyped(value: Json, types: Sequence[str], text: str) -> str:
    expected = in_a_row([TYPES[name] for name in types], last="or")
    if value is None:
        return f"expected {expected}, but there's no value (null)"
    if isinstance(value, list | dict):
        return f"expected {expected}, but this is {kind(value)}"
    return f"expected {expected}, but `{_as_written(value, text)}` is read as {kind(value)}"


def _type_hint(value: Json, types: Sequence[str], text: str, schema: Mapping[str, Any]) -> str:
    match value:
        case None if commented := _HASH.fullmatch(text):
            return f'An unquoted `#` starts a comment. Quote the value: `"{commented["text"].strip()}"`.'
        case None:
            empty = [_EMPTY[name] for name in types if name in _EMPTY and _NOT_EMPTY.isdisjoint(schema)]
            written = empty[0] if empty else "a value"
            return f"Write {written}, or remove the line."
        case bool() | int() | float() if "string" in types:
            return f'Quote it: `"{_as_written(value, text)}"`.'
        case str() if "boolean" in types and value.lower() in _MEANT:
            return f"Write `{_MEANT[value.lower()]}`, without quotes."
        case str() if {"number", "integer"} & set(types) and value.isdecimal():
            return f"Write `{value}`, without quotes."
    return next((_SHAPES[name] for name in types if name in _SHAPES), "")


_EMPTY: Final[Mapping[str, str]] = {
    "string": '`""` for an empty string',
    "array": "`[]` for an empty list",
    "object": "`{}` for an empty mapping",
}
_NOT_EMPTY: Final = {"minLength", "pattern", "minItems", "minProperties", "required"}
"""Keywords that an empty value breaks."""

_SHAPES: Final[Mapping[str, str]] = {
    "array": "Start each item on its own line with `- `, or write `[first, second]`.",
    "object": "Write each entry on its own line as `key: value`.",
}


def _shown(value: Json, text: str) -> str:
    """``value``; a text with variables as it's written, since they may contain a secret."""
    written = _WITH_VARIABLE.match(text) if MARK in text else None
    return f"`{brief(written['token'].rstrip())}`" if written and MARK in written["token"] else show(value)


def _as_written(value: Json, text: str) -> str:
    if isinstance(value, str) and MARK in text:
        return _shown(value, text).strip("`")
    written = _TOKEN.match(text)
    return flat(written["token"]) if written else show(value)


def _not_one_of(value: Json, accepted: Sequence[Json], text: str) -> tuple[str, str]:
    shown = _shown(value, text)
    names = [choice if isinstance(choice, str) else show(choice) for choice in accepted]
    suggestion = nearest(value, names) if isinstance(value, str) else None
    choice = f"{'can' if len(names) > 1 else 'must'} be {listed(names, last='or')}"
    hint = f"Did you mean `{suggestion}`?" if suggestion else ""
    if len(names) <= _FEW:
        return f"{shown} isn't accepted; it {choice}", hint
    return f"{shown} isn't accepted", hint or f"It {choice}."


def _form(schema: Mapping[str, Any]) -> str:
    examples = "".join(f"For example {show(example)}. " for example in schema.get("examples", ())[:1])
    return f"{examples}{schema.get('description', '')}"


def _range(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"minimum": low, "maximum": high}:
            return f"from {low} to {high}"
        case {"minimum": low}:
            return f"of at least {low}"
        case _:
            return f"of at most {schema['maximum']}"
