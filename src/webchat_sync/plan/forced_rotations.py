"""The channels whose identity secret somebody asks to rotate, or vouches for, whatever the declarations say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from webchat_sync.errors import Diagnostic
from webchat_sync.model import Declaration, LiveChannel


def forced_names(
    declarations: Sequence[Declaration], patterns: Sequence[str]
) -> tuple[frozenset[str], list[Diagnostic]]:
    """The names of the declared channels that ``patterns`` (names, or globs whose case counts) ask to rotate.

    A channel can be rotated when its declaration says where the secret goes. A pattern that leads to none is a
    problem, and so is a plain name of one that cannot be.
    """
    able = {declaration.name for declaration in declarations if _sinks(declaration)}
    chosen: set[str] = set()
    problems: list[Diagnostic] = []
    for pattern in patterns:
        matching = {name for name in able if name == pattern or fnmatchcase(name, pattern)}
        chosen |= matching
        if not matching:
            problems.append(_nothing(pattern, declarations, sorted(able)))
    return frozenset(chosen), problems


def vouched_names(
    pairs: Sequence[tuple[Declaration, LiveChannel | None]], patterns: Sequence[str], rotated: frozenset[str]
) -> tuple[frozenset[str], list[Diagnostic]]:
    """The names of the declared channels whose secret the site has, as ``patterns`` (as for a rotation) say.

    There must be one, as far as the listing tells, and it must not be ``rotated`` in the same run. A pattern that
    leads to none is a problem.
    """
    able = {declaration.name for declaration, live in pairs if _has_secret(declaration, live)}
    chosen: set[str] = set()
    problems: list[Diagnostic] = []
    for pattern in patterns:
        found = {name for name in able if name == pattern or fnmatchcase(name, pattern)}
        chosen |= found
        if not found:
            names = ", ".join(f'"{name}"' for name in sorted(able))
            hint = f"Channels: {names}." if names else "No declared channel has one; a new secret needs no adoption."
            problems.append(
                Diagnostic(
                    f'--adopt-secret "{pattern}" matches no declared channel that has an identity secret', hint=hint
                )
            )
    problems += [
        Diagnostic(
            f'"{name}" is named by --rotate and by --adopt-secret',
            hint="A rotation makes a new secret; the present one is then not needed. Give one of the two.",
        )
        for name in sorted(chosen & rotated)
    ]
    return frozenset(chosen), problems


def _has_secret(declaration: Declaration, live: LiveChannel | None) -> bool:
    block = declaration.identity_secret
    kept = not declaration.absent and (block is None or not block.absent)
    return kept and live is not None and live.fields.get("hasIdentitySecret") is not False


def _sinks(declaration: Declaration) -> bool:
    block = declaration.identity_secret
    return not declaration.absent and block is not None and not block.absent and bool(block.deliver)


def _nothing(pattern: str, declarations: Sequence[Declaration], able: Sequence[str]) -> Diagnostic:
    named: Iterator[Declaration] = (declaration for declaration in declarations if declaration.name == pattern)
    if (declaration := next(named, None)) is not None:
        hint = "Declare `sync.identitySecret` with `deliver`, or use `secret rotate --to FILE`."
        return Diagnostic(
            f'--rotate "{pattern}": the channel declares no sink for its secret', declaration.place, hint=hint
        )
    names = ", ".join(f'"{name}"' for name in able)
    return Diagnostic(
        f'--rotate "{pattern}" matches no channel with a declared identity secret',
        hint=f"Channels: {names}." if names else "No channel declares `sync.identitySecret` with `deliver`.",
    )
