"""Whether a saved plan may be applied to what is live now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from webchat_sync.apply.ports import ChannelReader
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import StalePlanError
from webchat_sync.model import Listing, Manifest, Plan
from webchat_sync.planfile.stale import misplaced, staleness
from webchat_sync.workflow.listings import read_listings


async def check_saved(
    plan: Plan,
    readers: Mapping[str, ChannelReader],
    *,
    base_url: str,
    catalogue: Catalogue,
    organization: str | None = None,
    manifests: Sequence[Manifest] | None = None,
) -> Mapping[str, Listing]:
    """Read the organisations of a saved plan, one call each, and return their listings when the plan still holds.

    ``organization`` and ``manifests`` are what the caller applies to and from, None where the plan alone counts.
    A plan for another place is told before anything is read. Raises StalePlanError with every reason, and what
    :func:`read_listings` raises.
    """
    organizations = [planned.organization for planned in plan.organizations]
    if misplaced(plan, base_url=base_url, organization=organization):
        organizations = []
    live = await read_listings(organizations, readers, base_url=base_url)
    reasons = staleness(plan, live, catalogue, base_url=base_url, organization=organization, manifests=manifests)
    if reasons:
        raise StalePlanError(reasons)
    return live
