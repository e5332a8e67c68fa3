"""A snapshot: connect, list, and keep it with its moment."""

from __future__ import annotations

from webchat_sync.environment import Environment
from webchat_sync.planfile.snapshot import Snapshot
from webchat_sync.workflow.connection import Connection
from webchat_sync.workflow.listings import list_live


async def take_snapshot(connection: Connection, environment: Environment) -> Snapshot:
    """The live channels of every organisation of the connection. Raises ApiError."""
    listings = await list_live(connection, environment)
    return Snapshot(environment.now(), {organization: listings[organization] for organization in connection.keys})
