"""Faults on order: which calls go wrong, and how; from code or from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from webchat_sync.emulator import effects
from webchat_sync.emulator.effects import Effect
from webchat_sync.errors import Diagnostic, InputError, Place
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import Json, brief, kind, show
from webchat_sync.sentences import in_a_row, listed
from webchat_sync.tree import read_regular


@frozen
class Fault:
    """One thing that goes wrong with calls of ``method`` to ``path``, both glob patterns.

    ``nth`` selects matching calls, counted from 1: one, several, or None for all.
    """

    effect: Effect
    method: str = "*"
    path: str = "*"
    nth: int | frozenset[int] | None = None

    def falls_on(self, count: int) -> bool:
        """Whether the fault affects the matching call with that number."""
        return self.nth is None or count == self.nth or (isinstance(self.nth, frozenset) and count in self.nth)


class Faults:
    """A list of faults that counts the calls that match them.

    If several affect one call, the first is the outermost: a delay before a drop is a late drop.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = tuple(faults)
        self._counts = [0] * len(self._faults)

    def around(self, app: ASGIApp) -> ASGIApp:
        """``app`` with these faults; the app itself knows nothing about them."""

        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            faced = app
            for effect in reversed(self._met_by(scope["method"], scope["path"])):
                faced = partial(effect, faced)
            await faced(scope, receive, send)

        return faulty

    def _met_by(self, method: str, path: str) -> list[Effect]:
        met = []
        for index, fault in enumerate(self._faults):
            if fnmatchcase(method, fault.method) and fnmatchcase(path, fault.path):
                self._counts[index] += 1
                if fault.falls_on(self._counts[index]):
                    met.append(fault.effect)
        return met


@frozen
class Kind:
    """A kind of fault: what it does, and its parameters as JSON Schema; some are ``required``."""

    make: Callable[..., Effect]
    about: str
    parameters: Mapping[str, Any]
    required: tuple[str, ...] = ()


_ERROR_STATUS: Final = {"type": "integer", "minimum": 400, "maximum": 599}
_SECONDS: Final = {"type": "number", "minimum": 0}
_COUNT: Final = {"type": "integer", "minimum": 1}
_FLAG: Final = {"type": "boolean"}
_TEXT: Final = {"type": "string"}

KINDS: Final[Mapping[str, Kind]] = {
    "status": Kind(
        effects.status,
        "an error response, which may ask the client to wait `retry_after` seconds",
        {"status": _ERROR_STATUS, "message": _TEXT, "retry_after": {**_COUNT, "minimum": 0}, "after_commit": _FLAG},
        required=("status",),
    ),
    "delay": Kind(effects.delay, "the call, but delayed by `seconds`", {"seconds": _SECONDS}, required=("seconds",)),
    "drop": Kind(effects.drop, "the connection breaks before the response", {"after_commit": _FLAG}),
    "commit_late": Kind(
        effects.commit_late,
        "an error response (by default 504) immediately; the call takes effect `seconds` later",
        {"seconds": _SECONDS, "status": _ERROR_STATUS},
        required=("seconds",),
    ),
    "cut": Kind(
        effects.cut,
        "the real response, cut off after `keep` bytes (by default 10) of the body; with `chunked`, without a length",
        {"keep": {**_COUNT, "minimum": 0}, "chunked": _FLAG},
    ),
    "html": Kind(
        effects.html, "a 200 with an HTML page, like that of a proxy or a login portal", {"after_commit": _FLAG}
    ),
    "empty": Kind(effects.empty, "a 200 without a body", {"after_commit": _FLAG}),
    "redirect": Kind(
        effects.redirect,
        "a redirect (by default 307) to another URL",
        {"location": _TEXT, "status": {"enum": [301, 302, 303, 307, 308]}},
        required=("location",),
    ),
    "rate_limit": Kind(
        effects.rate_limit,
        "`limit` calls per `seconds` succeed; the rest get a 429",
        {"limit": _COUNT, "seconds": _SECONDS},
        required=("limit", "seconds"),
    ),
}

_COMMON: Final[Mapping[str, Any]] = {
    "method": _TEXT,
    "path": _TEXT,
    "nth": {"type": ["integer", "array"], "minimum": 1, "items": _COUNT},
}


_HINT: Final = "`webchat-sync emulator --help` shows an example, and lists the kinds of faults and their keys."
_TYPES: Final[Mapping[str, str]] = {
    "array": "a list",
    "boolean": "`true` or `false`",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


def read_faults(path: Path) -> Faults:
    """The faults of a YAML or JSON file. Raises InputError with every problem of the file.

    The file is a list of mappings: ``kind`` (the functions of ``effects``, by name) with that kind's parameters, and
    ``method``, ``path``, ``nth`` (a number or a list of numbers) as in Fault::

        - {method: POST, path: "*/web-chat/channels", nth: 1, kind: status, status: 504, after_commit: true}
    """
    from webchat_sync.yaml12.composer import compose
    from webchat_sync.yaml12.document import Source
    from webchat_sync.yaml12.policy import Policy

    try:
        reading = compose(Source.of(str(path), read_regular(path)), Policy(refuse_variable=_no_variable))
    except OSError as error:
        hint = "Check the path and the permissions."
        raise InputError([Diagnostic(f"can't read {path}: {error.strerror}", hint=hint)]) from error
    if reading.problems:
        raise InputError(reading.problems)
    document = reading.documents[0] if len(reading.documents) == 1 else None
    entries: Any = _whole(document.value) if document else None
    if document is None or not isinstance(entries, list):
        message = "the file must contain a list of faults"
        raise InputError([Diagnostic(message, Place(str(path), 1, 1), hint=_HINT)])
    problems = [
        Diagnostic(_in_words(flaw), document.place([index, *flaw.path]), (index, *flaw.path), _HINT)
        for index, entry in enumerate(entries)
        for flaw in Draft202012Validator(_schema(entry)).iter_errors(entry)
    ]
    if problems:
        # Each missing key is a flaw of its own, but they're one problem.
        raise InputError(list(dict.fromkeys(problems)))
    return Faults([_fault(**entry) for entry in entries])


def _whole(value: Json) -> Json:
    """``value`` with 500 instead of 500.0: both are whole numbers to JSON Schema, but not to what takes them."""
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _no_variable(_: str) -> Diagnostic:
    return Diagnostic("faults can't contain variables", hint="For a literal `${` write `$${`.")


def _in_words(flaw: ValidationError) -> str:
    accepted: Any = flaw.validator_value
    value: Any = flaw.instance
    match flaw.validator:
        case "enum":
            return f"{_shown(value)} isn't accepted; it can be {in_a_row([*map(str, accepted)], last='or')}"
        case "required":
            missing = [name for name in accepted if name not in value]
            return f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        case "additionalProperties":
            known: Any = flaw.schema
            unknown = [brief(str(name)) for name in value if name not in known["properties"]]
            return f"{listed(unknown)} can't be used with this kind of fault"
        case "type":
            types = [accepted] if isinstance(accepted, str) else accepted
            given = kind(value) if isinstance(value, str) else _shown(value)
            return f"expected {in_a_row([_TYPES[name] for name in types], last='or')}, but this is {given}"
        case "minimum":
            return f"{show(value)} is below the minimum of {accepted}"
        case "maximum":
            return f"{show(value)} is above the maximum of {accepted}"
        case _:
            return flaw.message


def _shown(value: Json) -> str:
    """``value`` in a message; a list or a mapping by its kind."""
    return kind(value) if isinstance(value, list | dict) else show(value)


def _schema(entry: object) -> Mapping[str, Any]:
    kind = KINDS.get(str(entry.get("kind"))) if isinstance(entry, dict) else None
    if kind is None:
        return {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": list(KINDS)}}}
    return {
        "properties": {"kind": True, **_COMMON, **kind.parameters},
        "required": kind.required,
        "additionalProperties": False,
    }


def _fault(
    *, kind: str, method: str = "*", path: str = "*", nth: int | list[int] | None = None, **parameters: object
) -> Fault:
    return Fault(
        effect=KINDS[kind].make(**parameters),
        method=method,
        path=path,
        nth=frozenset(nth) if isinstance(nth, list) else nth,
    )
