"""The two sides of the API that planning and applying go through.

Planning is handed a reader and nothing else, so that it cannot write is a fact of types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from webchat_sync.model import Json, LiveChannel


class ChannelReader(Protocol):
    """Reads the channels of one organisation."""

    async def list_channels(self) -> tuple[LiveChannel, ...]:
        """All live channels; raises ApiError when they could not all be read."""
        ...


class ChannelWriter(Protocol):
    """Writes the channels of one organisation; every method raises ApiError when the call did not succeed."""

    async def create_channel(self, body: Mapping[str, Json], *, idempotency_key: str) -> LiveChannel:
        """Create a channel and return it with its new id."""
        ...

    async def update_channel(self, channel_id: str, body: Mapping[str, Json]) -> LiveChannel:
        """Replace the fields that ``body`` names."""
        ...

    async def delete_channel(self, channel_id: str) -> None:
        """Delete the channel."""
        ...
