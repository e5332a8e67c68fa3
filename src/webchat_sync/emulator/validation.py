"""The errors of a request's body in the words of the vendor's framework (NestJS, class-validator)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError

from webchat_sync.model import Json

_TYPES: Final = {
    "string": "a string",
    "boolean": "a boolean value",
    "array": "an array",
    "object": "an object",
    "number": "a number",
    "integer": "an integer number",
}

_DEMANDS: Final = {
    "minLength": "must be longer than or equal to {} characters",
    "maxLength": "must be shorter than or equal to {} characters",
    "minimum": "must not be less than {}",
    "maximum": "must not be greater than {}",
    "pattern": "must match /{}/ regular expression",
    "format": "must be a {}",
}


def complaints(schema: Mapping[str, Any], body: Mapping[str, Json]) -> list[str]:
    """Every error of ``body``; empty if it's valid. Properties that aren't in ``schema`` are errors."""
    unknown = [f"property {name} should not exist" for name in body if name not in schema["properties"]]
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    flaws = [message for error in validator.iter_errors(body) for message in _messages(error)]
    return list(dict.fromkeys([*unknown, *flaws]))


def _messages(error: ValidationError) -> list[str]:
    if error.validator == "required":
        wanted: Any = error.validator_value
        present: Any = error.instance
        return [f"{name} should not be empty" for name in wanted if name not in present]
    return [f"{_subject(error)} {_demand(error)}"]


def _subject(error: ValidationError) -> str:
    *parents, last = error.absolute_path or ["the body"]
    inside = ".".join(map(str, parents))
    if isinstance(last, int):
        return f"each value in {inside}"
    return f"{inside}.{last}" if inside else last


def _demand(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    if error.validator == "type":
        kinds = [wanted] if isinstance(wanted, str) else [kind for kind in wanted if kind != "null"]
        return f"must be {' or '.join(_TYPES[kind] for kind in kinds)}"
    if error.validator == "enum":
        return f"must be one of the following values: {', '.join(map(str, wanted))}"
    known = _DEMANDS.get(str(error.validator))
    return known.format(wanted) if known else f"is not valid: {error.message}"
