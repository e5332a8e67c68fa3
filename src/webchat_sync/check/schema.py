"""Checks values against a schema and says in plain words what is wrong with those that do not fit.

Most values fit, and :mod:`webchat_sync.check.quick` lets them pass; jsonschema is asked, and imported, only
about the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from webchat_sync.check.messages import CODES, in_words
from webchat_sync.check.quick import Test, matches, quick
from webchat_sync.check.suggest import suggestion
from webchat_sync.model import Json
from webchat_sync.yaml12.describe import brief
from webchat_sync.yaml12.document import Path

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

Written: TypeAlias = "Callable[[Path], str]"
"""Gives what follows on the line where the value at a path was written; an empty text when it was in no file."""


class Finding(NamedTuple):
    """What is wrong with the value at ``path``, or with its key, and what to do about it."""

    path: Path
    message: str
    hint: str
    code: str
    at_key: bool = False
    severity: Literal["error", "warning"] = "error"


Advise: TypeAlias = "Callable[[Json], Iterator[Finding]]"
"""Gives warnings about a value that its schema accepts."""


@dataclass(frozen=True)
class Check:
    """One schema. ``elsewhere`` says of keys that are known in other mappings where they belong.

    ``advise`` is asked about values that have no findings.
    """

    schema: Mapping[str, Any]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    advise: Advise | None = None

    @cached_property
    def accepts(self) -> Test:
        """A quick test; what it lets pass has no findings."""
        return quick(self.schema)

    def findings(self, value: Json, written: Written = lambda _: "") -> Iterator[Finding]:
        """Everything that is wrong with ``value``, in the order of the schema's keywords."""
        if self.accepts(value):
            return
        errors = list(self._validator.iter_errors(value))
        mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
        for error in errors:
            if error.validator == "type" or tuple(error.absolute_path) not in mistyped:
                yield from self._explain(error, written)

    @cached_property
    def _validator(self) -> Validator:
        from jsonschema import Draft202012Validator, ValidationError, validators

        def pattern(_: Validator, wanted: str, value: Json, __: Mapping[str, Any]) -> Iterator[ValidationError]:
            if isinstance(value, str) and not matches(wanted, value):
                yield ValidationError(f"{value!r} does not match {wanted!r}")

        extend: Callable[..., type[Validator]] = validators.extend
        return extend(Draft202012Validator, {"pattern": pattern})(self.schema)

    def _explain(self, error: ValidationError, written: Written) -> Iterator[Finding]:
        path = tuple(error.absolute_path)
        schema: Any = error.schema
        value: Any = error.instance
        wanted: Any = error.validator_value
        if error.validator == "additionalProperties":
            known = schema["properties"]
            patterns = schema.get("patternProperties", ())
            for key in value:
                if key not in known and not any(matches(pattern, key) for pattern in patterns):
                    yield unknown_key((*path, key), known, self.elsewhere)
        elif error.validator == "required":
            for key in wanted:
                if key not in value:
                    hint = schema["properties"][key]["description"]
                    yield Finding(path, f"`{key}` is missing", hint, "missing-key")
        else:
            code = CODES.get(str(error.validator), "schema")
            yield Finding(path, *in_words(error, written(path)), code)


def unknown_key(path: Path, known: Collection[str], elsewhere: Mapping[str, str]) -> Finding:
    """The finding about the last key of ``path``, which is none of ``known``; ``elsewhere`` as for :class:`Check`."""
    key = str(path[-1])
    message, hint = f"`{brief(key)}` is not known here", suggestion(key, known, elsewhere)
    return Finding(path, message, hint, "unknown-key", at_key=True)
