"""Looks up live channels by their names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from webchat_sync.domain.names import NameIndex
from webchat_sync.frozen import frozen
from webchat_sync.model import LiveChannel


@frozen(slots=False)
class LiveNames:
    """Finds ``channels`` by their names; the results are in the same order."""

    channels: Sequence[LiveChannel]

    def same(self, name: str) -> Sequence[LiveChannel]:
        """The channels with that name."""
        return [self.channels[position] for position in self._index.same(name)]

    def similar(self, *names: str) -> Sequence[LiveChannel]:
        """The channels that may be one that's called one of ``names`` elsewhere."""
        positions = {position for name in names for position in self._index.similar(name)}
        return [self.channels[position] for position in sorted(positions)]

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex([channel.name for channel in self.channels])
