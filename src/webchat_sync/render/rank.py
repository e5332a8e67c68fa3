"""In which order changes are shown: first what means most to visitors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

from webchat_sync.model import ActiveChange, Impact, ImpactLevel

_LEVELS: Final[Sequence[ImpactLevel]] = get_args(ImpactLevel)


def rank(change: ActiveChange) -> int:
    """Less, the more a change means to visitors."""
    return rank_of(change.impact)


def rank_of(impact: Sequence[Impact]) -> int:
    """As :func:`rank`, of what a change means."""
    return min((_LEVELS.index(effect.level) for effect in impact), default=len(_LEVELS))
