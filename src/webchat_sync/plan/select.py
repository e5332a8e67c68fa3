"""Selects the organisations of a run: the ones that were named, and the shard of a fleet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from webchat_sync.domain.ids import Choice
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.model import Manifest, Shard
from webchat_sync.sentences import candidates

WHOLE: Final = Shard(1, 1)


@frozen
class Selection:
    """Which part of the manifests a run covers.

    ``named``: some organisations were selected by name. ``elsewhere`` are the names of the channels in other shards.
    ``shard`` is the one that it covers, if there are several, and ``fleet`` are the manifests of all of them.
    """

    named: bool = False
    elsewhere: frozenset[str] = frozenset()
    shard: Shard | None = None
    fleet: tuple[Manifest, ...] = ()

    @property
    def limited(self) -> bool:
        """Whether there are other organisations."""
        return self.named or self.shard is not None


ALL: Final = Selection()


def select(
    manifests: Sequence[Manifest], organizations: Sequence[str], shard: Shard, *, named: bool = False
) -> tuple[tuple[Manifest, ...], Selection]:
    """The manifests of the organisations in ``shard`` that match one of ``organizations`` (ids or globs), if any.

    ``named``: the manifests were already limited before. Raises InputError with every pattern that matches no
    organisation, and suggests similar ids.
    """
    names = [manifest.organization for manifest in manifests]
    known = frozenset(names)
    problems = [_no_match(pattern, names) for pattern in organizations if not Choice([pattern]).has_any(known)]
    if problems:
        raise InputError(problems)
    choice = Choice(organizations)
    selected = tuple(manifest for manifest in manifests if not organizations or choice.has(manifest.organization))
    in_shard = tuple(manifest for manifest in selected if shard.has(manifest.organization))
    others = declared_names(manifest for manifest in selected if not shard.has(manifest.organization))
    if shard.total == 1:
        return in_shard, Selection(named or bool(organizations), others)
    return in_shard, Selection(named or bool(organizations), others, shard, selected)


def declared_names(manifests: Iterable[Manifest]) -> frozenset[str]:
    """The names of all their channels."""
    return frozenset(declaration.name for manifest in manifests for declaration in manifest.declarations)


def _no_match(pattern: str, names: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        f'--target-org "{pattern}" matches no organisation',
        hint=f"Organisations: {candidates(pattern, names)}.",
    )
