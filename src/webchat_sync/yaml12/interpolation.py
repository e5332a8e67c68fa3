"""``${NAME}``, ``${NAME:-default}`` and ``$${`` in the values of a manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from webchat_sync.check.variables import ALLOW_ENV, guarded

MARK: Final = "${"
"""A text without it has nothing to interpolate."""

_PIECE: Final = re.compile(
    r"""
      \$\$\{                                    # a literal ${
    | \$\{ (?P<name>[A-Za-z_][A-Za-z0-9_]*)
        (?: :- (?P<default>(?:(?!\$\{)[^}])*) )?
      \}
    | \$\{                                      # what begins like one and is none
    """,
    re.VERBOSE,
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Flaw(NamedTuple):
    """What is wrong with a text, and what to do about it."""

    message: str
    hint: str


def interpolate(text: str, environ: Mapping[str, str]) -> tuple[str, list[Flaw]]:
    """``text`` with the values of ``environ`` put in, and every flaw found; a piece with a flaw stays as it is.

    The default of ``${NAME:-default}`` serves when NAME is unset or empty. Values are never interpolated again.
    A name that a manifest may not read is a flaw, whatever its value and its default; ``environ`` says which those
    are, see :class:`~webchat_sync.check.variables.Variables`.
    """
    flaws: list[Flaw] = []
    variables = guarded(environ)

    def replace(piece: re.Match[str]) -> str:
        if piece[0] == "$${":
            return MARK
        name = piece["name"]
        if name is not None and not variables.may_read(name):
            flaws.append(_not_allowed(name))
            return piece[0]
        value = variables.get(name or "")
        if piece["default"] is not None:
            value = value or piece["default"]
        if value is None or _SURROGATE.search(value):
            flaws.append(_flaw(piece, value))
            return piece[0]
        return value

    return _PIECE.sub(replace, text), flaws


def _not_allowed(name: str) -> Flaw:
    return Flaw(
        f"a manifest may not read the environment variable `{name}`",
        f"Give it a name that begins with `WEBCHAT_`, or let whoever runs the program allow it: `--allow-env {name}` "
        f"or {ALLOW_ENV}. For a literal `${{` write `$${{`.",
    )


def _flaw(piece: re.Match[str], value: str | None) -> Flaw:
    name = piece["name"]
    if name is None:
        message = "`${` begins a variable, but neither `NAME}` nor `NAME:-default}` follows"
        return Flaw(message, "For a literal `${` write `$${`.")
    if value is None:
        return Flaw(
            f"the environment variable `{name}` is not set",
            f"Set it, or give a default: `${{{name}:-default}}`. For a literal `${{` write `$${{`.",
        )
    return Flaw(f"the environment variable `{name}` is not valid UTF-8", "Set it again, in UTF-8.")


def escape(text: str) -> str:
    """``text`` written so that :func:`interpolate` gives ``text`` back."""
    return text.replace(MARK, f"${MARK}")
