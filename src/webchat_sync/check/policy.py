"""The rules of a team: JSON Schema for every declared channel, with custom messages and severities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from webchat_sync.check.messages import CODES, in_words
from webchat_sync.check.policy_file import LONGEST_TEXT
from webchat_sync.check.policy_parts import DATA, NAMED_SCHEMAS, SCHEMA, SCHEMAS, target
from webchat_sync.check.quick import matches
from webchat_sync.domain.ids import Choice
from webchat_sync.domain.names import matches as name_matches
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import brief
from webchat_sync.model import Json
from webchat_sync.sentences import in_a_row

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

ONLY_FOR: Final = "x-only-for"
MESSAGE: Final = "x-message"
SEVERITY: Final = "x-severity"

CODE: Final = "policy"

_ANYTHING: Final[Json] = {}
_IN_WORDS: Final = CODES.keys() | {"minItems", "maxItems"}
"""The keywords whose problems and ways out have words."""


@frozen(slots=False)
class Policy:
    """A schema that :mod:`~webchat_sync.check.policy_file` accepts, and the ``name`` of its file."""

    name: str
    schema: Json
    _validators: dict[tuple[bool, ...], Validator] = field(default_factory=dict, repr=False, compare=False)

    def findings(
        self, channel: Mapping[str, Json], organization: str, written: Callable[[Path], str]
    ) -> Iterator[Diagnostic]:
        """The rules that ``channel`` breaks, without places; ``written`` is as for a Check."""
        overlong = next(_overlong_keys(dict(channel), ()), None)
        if overlong is not None:
            message = f"a key of more than {LONGEST_TEXT:,} characters can't be checked with a policy"
            yield Diagnostic(message, steps=overlong, hint="Use a shorter key.", code=CODE)
            return
        name = channel.get("name")
        applies = partial(_applies, name if isinstance(name, str) else "", organization)
        for error in self._validator(applies).iter_errors(dict(channel)):
            yield self._finding(error, written)

    def _validator(self, applies: Callable[[Json], bool]) -> Validator:
        key = tuple(applies(condition) for condition in _conditions(self.schema))
        if key not in self._validators:
            self._validators[key] = _validator(_pruned(self.schema, applies))
        return self._validators[key]

    def _finding(self, error: ValidationError, written: Callable[[Path], str]) -> Diagnostic:
        said: dict[str, str] = {}
        for schema in _way(self.schema, list(error.absolute_schema_path)):
            said |= {key: value for key in (MESSAGE, SEVERITY) if isinstance(value := schema.get(key), str)}
        path = tuple(error.absolute_path)
        message, way_out = (said[MESSAGE], "") if said.get(MESSAGE) else _words(error, written(path))
        if way_out and not way_out.endswith((".", "?")):  # a description in the policy
            way_out += "."
        return Diagnostic(
            message,
            steps=path,
            hint=f"{way_out} A rule of {self.name}.".lstrip(),
            severity="warning" if said.get(SEVERITY) == "warning" else "error",
            code=CODE,
        )


def _words(error: ValidationError, text: str) -> tuple[str, str]:
    """What's wrong, and what to do, if that's known."""
    value: Any = error.instance
    if error.validator == "pattern" and len(value) > LONGEST_TEXT:
        return f"text of more than {LONGEST_TEXT:,} characters can't be checked with a pattern", "Shorten it."
    if error.validator == "required":
        required: Any = error.validator_value
        missing = [key for key in required if key not in value]
        verb = "is" if len(missing) == 1 else "are"
        return f"{in_a_row([f'`{brief(str(key))}`' for key in missing])} {verb} missing", ""
    if error.validator in _IN_WORDS:
        message, way_out = in_words(error, text)
        return message, way_out.rstrip()
    if error.validator == "not" and error.validator_value is _ANYTHING:
        return "the policy doesn't allow this", ""
    return f"the policy doesn't allow this (`{error.validator}`)", ""


def _validator(schema: Json) -> Validator:
    from jsonschema import Draft202012Validator, ValidationError, validators

    def pattern(_: Validator, regex: str, value: Json, __: Mapping[str, Any]) -> Iterator[ValidationError]:
        if isinstance(value, str) and (len(value) > LONGEST_TEXT or not matches(regex, value)):
            yield ValidationError("doesn't match")

    extend: Callable[..., type[Validator]] = validators.extend
    checked: Any = schema
    return extend(Draft202012Validator, {"pattern": pattern})(checked)


def _applies(name: str, organization: str, condition: Json) -> bool:
    """Whether a rule is for this channel; ``condition`` is its ``x-only-for``."""
    patterns = condition if isinstance(condition, dict) else {}
    names, organizations = (patterns.get(key) for key in ("names", "organizations"))
    return (names is None or any(name_matches(name, glob) for glob in _texts(names))) and (
        organizations is None or Choice(_texts(organizations)).has(organization)
    )


def _texts(value: Json) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _overlong_keys(value: Json, path: Path) -> Iterator[Path]:
    """The paths of mappings with keys that are too long to match a pattern with."""
    if isinstance(value, dict):
        if any(len(key) > LONGEST_TEXT for key in value):
            yield path
        for key, inner in value.items():
            yield from _overlong_keys(inner, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _overlong_keys(item, (*path, index))


def _conditions(schema: Json) -> Iterator[Json]:
    if isinstance(schema, dict):
        if ONLY_FOR in schema:
            yield schema[ONLY_FOR]
        for value in schema.values():
            yield from _conditions(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _conditions(item)


def _pruned(schema: Json, applies: Callable[[Json], bool]) -> Json:
    """``schema`` without the rules for other channels."""
    if isinstance(schema, list):
        return [_pruned(item, applies) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if ONLY_FOR in schema and not applies(schema[ONLY_FOR]):
        return {"$defs": _value("$defs", schema["$defs"], applies)} if "$defs" in schema else {}
    return {key: _value(key, value, applies) for key, value in schema.items()}


def _value(key: str, value: Json, applies: Callable[[Json], bool]) -> Json:
    """The pruned ``value`` of a keyword, with another schema for ``false``, whose errors don't say where they are."""

    def inner(schema: Json) -> Json:
        return {"not": _ANYTHING} if schema is False else _pruned(schema, applies)

    if key in DATA:
        return value
    if key in NAMED_SCHEMAS and isinstance(value, dict):
        return {name: inner(schema) for name, schema in value.items()}
    if key in SCHEMAS and isinstance(value, list):
        return [inner(schema) for schema in value]
    return inner(value) if key in SCHEMA else _pruned(value, applies)


def _way(schema: Json, steps: Sequence[str | int]) -> Iterator[Mapping[str, Json]]:
    """The schemas on the path to the keyword that failed, including references, which jsonschema omits from it."""
    root, at = schema, schema
    for step in steps:
        while isinstance(at, dict) and step not in at and "$ref" in at:
            yield at
            _, at = target(root, str(at["$ref"]))
        if isinstance(at, dict):
            yield at
            at = at.get(str(step))
        elif isinstance(at, list) and isinstance(step, int) and step < len(at):
            at = at[step]
