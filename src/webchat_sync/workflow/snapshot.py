"""A snapshot: connect, list, and record the time."""

from __future__ import annotations

from collections.abc import Sequence

from webchat_sync.environment import Environment
from webchat_sync.model import Manifest
from webchat_sync.planfile.snapshot import Snapshot, against
from webchat_sync.workflow.connection import Connection
from webchat_sync.workflow.listings import Readings, list_readings


async def take_snapshot(connection: Connection, environment: Environment) -> Snapshot:
    """The live channels of every organisation of the connection; failures are recorded in it.

    Raises ApiError when the only organisation fails.
    """
    single = len(connection.keys) + len(connection.failed) == 1
    readings = await list_readings(connection, environment, single=single)
    return Snapshot(environment.now(), readings.listings, readings.failed)


def readings_of(snapshot: Snapshot, manifests: Sequence[Manifest], *, base_url: str | None, file: str) -> Readings:
    """The listings and failures that the snapshot in ``file`` has for the organisations of ``manifests``.

    Raises like :func:`webchat_sync.planfile.snapshot.against`.
    """
    pairs = against(snapshot, manifests, base_url=base_url, file=file)
    names = {manifest.organization for manifest in manifests}
    return Readings(
        {manifest.organization: listing for manifest, listing in pairs},
        tuple(failure for failure in snapshot.failed if failure.organization in names),
    )
