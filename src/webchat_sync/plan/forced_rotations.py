"""The channels whose identity secret somebody asks to rotate, or vouches for, whatever the declarations say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from webchat_sync.domain.names import matches, same
from webchat_sync.errors import Diagnostic
from webchat_sync.model import Declaration, LiveChannel


def chosen_names(names: Iterable[str], patterns: Sequence[str]) -> frozenset[str]:
    """Those of ``names`` that are one of ``patterns`` or match one (globs, whose case counts)."""
    return frozenset(name for name in names if any(matches(name, pattern) for pattern in patterns))


def forced_names(
    declarations: Sequence[Declaration], patterns: Sequence[str], *, elsewhere: frozenset[str] = frozenset()
) -> tuple[frozenset[str], list[Diagnostic]]:
    """The names of the declared channels that ``patterns`` ask to rotate.

    A channel can be rotated when its declaration says where the secret goes. A pattern that leads to none, nor to a
    channel ``elsewhere``, is a problem, and so is a plain name of one that cannot be.
    """
    able = frozenset(declaration.name for declaration in declarations if _sinks(declaration))
    problems = [
        _nothing(pattern, declarations, sorted(able))
        for pattern in patterns
        if not chosen_names([*able, *elsewhere], [pattern])
    ]
    return chosen_names(able, patterns), problems


def adoptable_names(pairs: Sequence[tuple[Declaration, LiveChannel | None]]) -> frozenset[str]:
    """The names of the declared channels that have a secret, as far as the listing tells."""
    return frozenset(declaration.name for declaration, live in pairs if _has_secret(declaration, live))


def adoption_problems(
    able: frozenset[str], patterns: Sequence[str], rotated: frozenset[str], *, elsewhere: frozenset[str] = frozenset()
) -> list[Diagnostic]:
    """What is wrong with ``patterns`` of names whose secret is to be taken as delivered.

    A pattern must lead to an ``able`` channel or to one ``elsewhere``, and to none that is ``rotated`` in the same run.
    """
    problems: list[Diagnostic] = []
    for pattern in patterns:
        if not chosen_names([*able, *elsewhere], [pattern]):
            names = ", ".join(f'"{name}"' for name in sorted(able))
            hint = (
                f"Channels: {names}."
                if names
                else "No declared channel has one; a new secret doesn't need to be adopted."
            )
            problems.append(
                Diagnostic(
                    f'--adopt-secret "{pattern}" matches no declared channel that has an identity secret', hint=hint
                )
            )
    return problems + [
        Diagnostic(
            f'"{name}" matches both --rotate and --adopt-secret',
            hint="A rotation creates a new secret, so there's no need to adopt the current one. Use one of the two.",
        )
        for name in sorted(chosen_names(able, patterns) & rotated)
    ]


def _has_secret(declaration: Declaration, live: LiveChannel | None) -> bool:
    block = declaration.identity_secret
    kept = not declaration.absent and (block is None or not block.absent)
    return kept and live is not None and live.fields.get("hasIdentitySecret") is not False


def _sinks(declaration: Declaration) -> bool:
    block = declaration.identity_secret
    return not declaration.absent and block is not None and not block.absent and bool(block.deliver)


def _nothing(pattern: str, declarations: Sequence[Declaration], able: Sequence[str]) -> Diagnostic:
    named: Iterator[Declaration] = (declaration for declaration in declarations if same(declaration.name, pattern))
    if (declaration := next(named, None)) is not None:
        hint = "Declare `sync.identitySecret` with `deliver`, or use `secret rotate --to FILE`."
        return Diagnostic(
            f'--rotate "{pattern}": the channel doesn\'t declare a sink for its secret', declaration.place, hint=hint
        )
    names = ", ".join(f'"{name}"' for name in able)
    return Diagnostic(
        f'--rotate "{pattern}" matches no channel with a declared identity secret',
        hint=f"Channels: {names}." if names else "No channel declares `sync.identitySecret` with `deliver`.",
    )
