"""Reads what is live, of all organisations at once, and plans against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from anyio import create_task_group

from webchat_sync.apply.ports import ChannelReader
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import ApiError, CombinedApiError
from webchat_sync.model import Ledger, Listing, Manifest, Plan
from webchat_sync.plan.make import make_plan


async def read_listings(
    organizations: Iterable[str], readers: Mapping[str, ChannelReader], *, base_url: str
) -> dict[str, Listing]:
    """The listing of each organisation, one call each; ``readers`` holds one reader per organisation.

    Raises ApiError when one organisation cannot be read, CombinedApiError when several cannot.
    """
    listings: dict[str, Listing] = {}
    failed: list[ApiError] = []

    async def read(organization: str) -> None:
        try:
            listings[organization] = Listing(base_url, await readers[organization].list_channels())
        except ApiError as error:
            failed.append(error)

    async with create_task_group() as tasks:
        for organization in organizations:
            tasks.start_soon(read, organization)
    if failed:
        raise failed[0] if len(failed) == 1 else CombinedApiError(failed)
    return listings


async def plan_live(
    manifests: Sequence[Manifest],
    readers: Mapping[str, ChannelReader],
    *,
    base_url: str,
    catalogue: Catalogue,
    now: datetime,
    ledger: Ledger | None = None,
    rotate: Sequence[str] = (),
    adopt_secrets: Sequence[str] = (),
    sealed: bool = True,
) -> Plan:
    """Read the channels of each manifest's organisation and plan, with what :func:`make_plan` takes; raises as both."""
    listings = await read_listings((manifest.organization for manifest in manifests), readers, base_url=base_url)
    pairs = [(manifest, listings[manifest.organization]) for manifest in manifests]
    return make_plan(
        pairs,
        catalogue=catalogue,
        created_at=now,
        ledger=ledger,
        rotate=rotate,
        adopt_secrets=adopt_secrets,
        sealed=sealed,
    )
