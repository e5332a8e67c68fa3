"""The channels whose identity secret somebody asks to rotate, whatever the declarations say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from webchat_sync.errors import Problem
from webchat_sync.model import Declaration


def forced_names(declarations: Sequence[Declaration], patterns: Sequence[str]) -> tuple[frozenset[str], list[Problem]]:
    """The names of the declared channels that ``patterns`` (names, or globs whose case counts) ask to rotate.

    A channel can be rotated when its declaration says where the secret goes. A pattern that leads to none is a
    problem, and so is a plain name of one that cannot be.
    """
    able = {each.name for each in declarations if _sinks(each)}
    chosen: set[str] = set()
    problems: list[Problem] = []
    for pattern in patterns:
        found = {name for name in able if name == pattern or fnmatchcase(name, pattern)}
        chosen |= found
        if not found:
            problems.append(_nothing(pattern, declarations, sorted(able)))
    return frozenset(chosen), problems


def _sinks(declaration: Declaration) -> bool:
    block = declaration.identity_secret
    return not declaration.absent and block is not None and not block.absent and bool(block.deliver)


def _nothing(pattern: str, declarations: Sequence[Declaration], able: Sequence[str]) -> Problem:
    named: Iterator[Declaration] = (each for each in declarations if each.name == pattern)
    if (declaration := next(named, None)) is not None:
        hint = "Declare `sync.identitySecret` with `deliver`, or use `secret rotate --to FILE`."
        return Problem(
            f'--rotate "{pattern}": the channel declares no sink for its secret', declaration.place, hint=hint
        )
    names = ", ".join(f'"{name}"' for name in able)
    return Problem(
        f'--rotate "{pattern}" matches no channel with a declared identity secret',
        hint=f"Channels: {names}." if names else "No channel declares `sync.identitySecret` with `deliver`.",
    )
