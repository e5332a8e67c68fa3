"""The order in which changes are shown: what affects visitors most comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

from webchat_sync.model import Impact, ImpactLevel

_LEVELS: Final[Sequence[ImpactLevel]] = get_args(ImpactLevel)


def rank(impact: Sequence[Impact]) -> int:
    """A sort key: lower if it affects visitors more."""
    return min((_LEVELS.index(effect.level) for effect in impact), default=len(_LEVELS))
