"""The channels whose identity secret the operator rotates or vouches for, whatever is declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from webchat_sync.domain.names import matches, same
from webchat_sync.errors import Diagnostic
from webchat_sync.model import Declaration, LiveChannel
from webchat_sync.sentences import candidates


def chosen_names(names: Iterable[str], patterns: Sequence[str]) -> frozenset[str]:
    """Those of ``names`` that match one of ``patterns`` (names or case-sensitive globs)."""
    return frozenset(name for name in names if any(matches(name, pattern) for pattern in patterns))


def forced_names(
    declarations: Sequence[Declaration], patterns: Sequence[str], *, elsewhere: frozenset[str] = frozenset()
) -> tuple[frozenset[str], list[Diagnostic]]:
    """The names of the declared channels that ``patterns`` select for rotation, and the problems.

    Only channels that declare a sink can be rotated. A pattern that matches none of them, nor a name in ``elsewhere``,
    is a problem.
    """
    able = frozenset(declaration.name for declaration in declarations if _has_sinks(declaration))
    problems = [
        _no_match(pattern, declarations, sorted(able))
        for pattern in patterns
        if not chosen_names([*able, *elsewhere], [pattern])
    ]
    return chosen_names(able, patterns), problems


def adoptable_names(pairs: Sequence[tuple[Declaration, LiveChannel | None]]) -> frozenset[str]:
    """The names of the declared channels that have a secret, as far as the listing says."""
    return frozenset(declaration.name for declaration, live in pairs if _has_secret(declaration, live))


def adoption_problems(
    able: frozenset[str], patterns: Sequence[str], rotated: frozenset[str], *, elsewhere: frozenset[str] = frozenset()
) -> list[Diagnostic]:
    """What is wrong with the ``patterns`` of names whose secret should count as delivered.

    A pattern must match an ``able`` channel or one in ``elsewhere``, and none that is ``rotated`` in the same run.
    """
    problems: list[Diagnostic] = []
    for pattern in patterns:
        if not chosen_names([*able, *elsewhere], [pattern]):
            names = candidates(pattern, list(able)) if able else ""
            hint = (
                f"Channels: {names}."
                if names
                else "No declared channel has one; a new secret doesn't need to be adopted."
            )
            problems.append(
                Diagnostic(
                    f'--adopt-secret "{pattern}" matches no declared channel with an identity secret to adopt',
                    hint=hint,
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
    declared_present = not declaration.absent and (block is None or not block.absent)
    return declared_present and live is not None and live.has_secret is not False


def _has_sinks(declaration: Declaration) -> bool:
    block = declaration.identity_secret
    return not declaration.absent and block is not None and not block.absent and bool(block.deliver)


def _no_match(pattern: str, declarations: Sequence[Declaration], able: Sequence[str]) -> Diagnostic:
    named: Iterator[Declaration] = (declaration for declaration in declarations if same(declaration.name, pattern))
    if (declaration := next(named, None)) is not None:
        if declaration.absent or (declaration.identity_secret and declaration.identity_secret.absent):
            what = "channel" if declaration.absent else "channel's identity secret"
            message = f'--rotate "{pattern}": the {what} is declared with state: absent'
            return Diagnostic(message, declaration.place, hint="Remove that state, or don't rotate it.")
        hint = "Declare `sync.identitySecret` with `deliver`, or use `secret rotate --to FILE`."
        return Diagnostic(
            f'--rotate "{pattern}": the channel doesn\'t declare a sink for its secret', declaration.place, hint=hint
        )
    names = candidates(pattern, able) if able else ""
    return Diagnostic(
        f'--rotate "{pattern}" matches no channel with a declared identity secret',
        hint=f"Channels: {names}." if names else "No channel declares `sync.identitySecret` with `deliver`.",
    )
