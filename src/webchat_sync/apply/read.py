"""Reads what is live, of all organisations at once, and plans against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from anyio import create_task_group

from webchat_sync.apply.ports import ChannelReader
from webchat_sync.errors import ApiError, CombinedApiError
from webchat_sync.fields import Catalogue
from webchat_sync.model import LiveChannel, Manifest, Plan
from webchat_sync.plan.make import Listing, make_plan


async def plan_live(
    manifests: Sequence[Manifest],
    readers: Mapping[str, ChannelReader],
    *,
    base_url: str,
    catalogue: Catalogue,
    now: datetime,
) -> Plan:
    """Read the channels of each manifest's organisation, one call each, and plan.

    ``readers`` holds one reader per organisation. Raises ApiError when one organisation cannot be read,
    CombinedApiError when several cannot, and InputError as :func:`make_plan` does.
    """
    live: dict[str, tuple[LiveChannel, ...]] = {}
    failed: list[ApiError] = []

    async def read(organization: str) -> None:
        try:
            live[organization] = await readers[organization].list_channels()
        except ApiError as error:
            failed.append(error)

    async with create_task_group() as tasks:
        for manifest in manifests:
            tasks.start_soon(read, manifest.organization)
    if failed:
        raise failed[0] if len(failed) == 1 else CombinedApiError(failed)
    sides = [(manifest, Listing(base_url, live[manifest.organization])) for manifest in manifests]
    return make_plan(sides, catalogue=catalogue, created_at=now)
