"""Replaces ``${NAME}``, ``${NAME:-default}`` and ``$${`` in the values of a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from webchat_sync.errors import Diagnostic
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.yaml12.document import SURROGATE

MARK: Final = "${"
"""A text without this has nothing to replace."""

VARIABLE: Final = lazy_pattern(r"(?<!\$)\$\{(?:[^}$]|\$(?!\{))*+\}")
"""A variable as it's written."""

AS_WRITTEN: Final[Mapping[str, str]] = MappingProxyType({})
"""Instead of variables: nothing is replaced, not even ``$${``."""

_PIECE: Final = lazy_pattern(
    r"""
      \$\$\{                                    # a literal ${
    | \$\{ (?P<name>[A-Za-z_][A-Za-z0-9_]*)
        (?: :- (?P<default>(?:(?!\$\{)[^}])*) )?
      \}
    | \$\{                                      # what begins like one and is none
    """,
    re.VERBOSE,
)


Refuse: TypeAlias = "Callable[[str], Diagnostic | None]"
"""Returns the problem, without a place, with a name or text that a file mustn't contain; None if it may."""


def accept(_: str) -> None:
    """Refuses nothing."""
    return


def names_in(text: str) -> Iterator[str]:
    """The names of the variables in ``text``."""
    return (piece["name"] for piece in _PIECE.finditer(text) if piece["name"])


def interpolate(text: str, variables: Mapping[str, str], refuse: Refuse = accept) -> tuple[str, list[Diagnostic]]:
    """``text`` with ``variables`` replaced, and a problem, without a place, for every invalid variable.

    Invalid variables stay as they are. The default in ``${NAME:-default}`` is used if NAME is unset or empty. Values
    aren't interpolated again. ``refuse`` is called for every name, whatever its value and its default.
    """
    if variables is AS_WRITTEN:
        return text, []
    problems: list[Diagnostic] = []

    def replace(piece: re.Match[str]) -> str:
        if piece[0] == "$${":
            return MARK
        name = piece["name"]
        refused = refuse(name) if name is not None else None
        if refused is not None:
            problems.append(refused)
            return piece[0]
        value = variables.get(name or "")
        if piece["default"] is not None:
            value = value or piece["default"]
        if value is None or SURROGATE.search(value):
            problems.append(_flaw(name, value))
            return piece[0]
        return value

    return _PIECE.sub(replace, text), problems


def _flaw(name: str | None, value: str | None) -> Diagnostic:
    if name is None:
        message = "`${` starts a variable, but isn't followed by `NAME}` or `NAME:-default}`"
        return Diagnostic(message, hint="For a literal `${` write `$${`.", code="variable")
    if value is None:
        hint = f"Set it, or give a default: `${{{name}:-default}}`. For a literal `${{` write `$${{`."
        return Diagnostic(f"the environment variable `{name}` isn't set", hint=hint, code="variable")
    message = f"the environment variable `{name}` isn't valid UTF-8"
    return Diagnostic(message, hint="Set it again, in UTF-8.", code="variable")


def escape(text: str) -> str:
    """``text`` in a form that :func:`interpolate` turns back into ``text``."""
    return text.replace(MARK, f"${MARK}")
