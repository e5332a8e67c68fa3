"""An import: connect, list, filter."""

from __future__ import annotations

from collections.abc import Sequence

from webchat_sync.environment import Environment
from webchat_sync.model import LiveChannel
from webchat_sync.plan.filter_by_target import filter_channels
from webchat_sync.workflow.connection import Connection
from webchat_sync.workflow.listings import list_live


async def channels_to_import(
    connection: Connection, environment: Environment, *, only: Sequence[str], exclude: Sequence[str]
) -> list[LiveChannel]:
    """The live channels selected by ``only`` and ``exclude`` (names and globs). Raises ApiError and InputError."""
    listings = await list_live(connection, environment)
    channels = [channel for listing in listings.values() for channel in listing.channels]
    return filter_channels(channels, only, exclude)
