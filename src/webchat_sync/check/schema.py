"""Checks values against a schema and describes the problems in plain words.

Most values are valid and pass :mod:`webchat_sync.check.quick`; jsonschema is only imported for the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from webchat_sync.check.quick import Test, matches, quick
from webchat_sync.domain.spelling import nearest
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import brief
from webchat_sync.model import Json
from webchat_sync.sentences import listed

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

Written: TypeAlias = "Callable[[Path], str]"
"""Returns the rest of the line from the start of the value at a path; empty if it isn't from a file."""


Advise: TypeAlias = "Callable[[Json], Iterator[Diagnostic]]"
"""Yields warnings, without places, about a value that its schema accepts."""


def warning(path: Path, message: str, hint: str, code: str, *, at_key: bool = False) -> Diagnostic:
    """A warning about the value at ``path``, or its key."""
    return Diagnostic(message, steps=path, hint=hint, severity="warning", code=code, at_key=at_key)


@frozen(slots=False)
class Check:
    """One schema. ``elsewhere`` says where keys belong that are known in other mappings.

    ``advise`` is called for values without problems.
    """

    schema: Mapping[str, Any]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    advise: Advise | None = None

    @cached_property
    def accepts(self) -> Test:
        """A quick test; values that pass it have no problems."""
        return quick(self.schema)

    def problems(self, value: Json, written: Written = lambda _: "") -> Iterator[Diagnostic]:
        """Everything that's wrong with ``value``, without places, in the order of the schema's keywords."""
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

        def pattern(_: Validator, regex: str, value: Json, siblings: Mapping[str, Any]) -> Iterator[ValidationError]:
            # A text that's too long has that problem, and matching it may take long.
            if (
                isinstance(value, str)
                and len(value) <= siblings.get("maxLength", math.inf)
                and not matches(regex, value)
            ):
                yield ValidationError(f"{value!r} doesn't match {regex!r}")

        extend: Callable[..., type[Validator]] = validators.extend
        return extend(Draft202012Validator, {"pattern": pattern})(self.schema)

    def _explain(self, error: ValidationError, written: Written) -> Iterator[Diagnostic]:
        from webchat_sync.check.messages import CODES, in_words, innermost

        error = innermost(error)
        path = tuple(error.absolute_path)
        schema: Any = error.schema
        value: Any = error.instance
        argument: Any = error.validator_value
        if error.validator == "additionalProperties":
            known = schema["properties"]
            patterns = schema.get("patternProperties", ())
            for key in value:
                if key not in known and not any(matches(pattern, key) for pattern in patterns):
                    yield unknown_key((*path, key), known, self.elsewhere)
        elif error.validator == "required":
            for key in argument:
                if key not in value:
                    hint = schema["properties"][key]["description"]
                    yield Diagnostic(f"`{key}` is missing", steps=path, hint=hint, code="missing-key")
        else:
            code = CODES.get(str(error.validator), "schema")
            message, hint = in_words(error, written(path))
            yield Diagnostic(message, steps=path, hint=hint, code=code)


def unknown_key(path: Path, known: Collection[str], elsewhere: Mapping[str, str]) -> Diagnostic:
    """The problem with the last key of ``path``, which isn't in ``known``; ``elsewhere`` as for :class:`Check`."""
    key = str(path[-1])
    message, hint = f"`{brief(key)}` isn't a known key here", _suggestion(key, known, elsewhere)
    return Diagnostic(message, steps=path, hint=hint, code="unknown-key", at_key=True)


def _suggestion(name: str, known: Collection[str], elsewhere: Mapping[str, str]) -> str:
    """A hint for the unknown key ``name``; ``elsewhere`` says where keys belong that are known in other mappings."""
    if name in elsewhere:
        return f"It belongs {elsewhere[name]}."
    similar = nearest(name, known)
    return f"Did you mean `{similar}`?" if similar else f"Known keys: {listed(known)}."
