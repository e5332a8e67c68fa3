"""In which order changes are shown: first what means most to visitors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

from webchat_sync.model import Impact, ImpactLevel

_LEVELS: Final[Sequence[ImpactLevel]] = get_args(ImpactLevel)


def rank(impact: Sequence[Impact]) -> int:
    """Less, the more it means to visitors."""
    return min((_LEVELS.index(effect.level) for effect in impact), default=len(_LEVELS))
