"""A plan: connect, list, plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, GuardError, InputError
from webchat_sync.model import Listing, Manifest, Plan, Remembered
from webchat_sync.plan.filter_by_target import filter_by_target
from webchat_sync.plan.guard import GuardOptions, dangers, refusals
from webchat_sync.plan.make import make_plan
from webchat_sync.planfile.snapshot import Snapshot, against
from webchat_sync.workflow.connection import Connection
from webchat_sync.workflow.listings import list_live


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What a plan goes by beside manifests and live channels: names of channels, or globs.

    ``sealed``: with the digests that a plan needs which is written down.
    """

    targets: Sequence[str] = ()
    rotate: Sequence[str] = ()
    adopt_secrets: Sequence[str] = ()
    remove_twins: bool = False
    sealed: bool = True


def refuse(plan: Plan, guards: GuardOptions, *, strict: bool, more: Sequence[Diagnostic] = ()) -> None:
    """Raise InputError for what endangers visitors, if ``strict``, and GuardError for all that speaks against it."""
    if strict and (endangered := dangers(plan)):
        raise InputError(endangered)
    if refused := [*refusals(plan, guards), *more]:
        raise GuardError(refused)


async def plan_live(
    manifests: Sequence[Manifest],
    connection: Connection,
    environment: Environment,
    catalogue: Catalogue,
    remembered: Remembered,
    options: PlanOptions,
) -> Plan:
    """The plan against what is live. Raises ApiError and InputError."""
    listings = await list_live(connection, environment)
    return _planned(manifests, listings, environment, catalogue, remembered, options)


def plan_snapshot(
    manifests: Sequence[Manifest],
    snapshot: Snapshot,
    environment: Environment,
    catalogue: Catalogue,
    remembered: Remembered,
    options: PlanOptions,
    *,
    base_url: str | None,
    file: str,
) -> Plan:
    """The plan against what the snapshot in ``file`` says was live. Raises InputError when it is of another place."""
    pairs = against(snapshot, manifests, base_url=base_url, file=file)
    listings = {manifest.organization: listing for manifest, listing in pairs}
    plan = _planned(manifests, listings, environment, catalogue, remembered, options)
    return replace(plan, live_created_at=snapshot.created_at)


def _planned(
    manifests: Sequence[Manifest],
    listings: Mapping[str, Listing],
    environment: Environment,
    catalogue: Catalogue,
    remembered: Remembered,
    options: PlanOptions,
) -> Plan:
    whole = make_plan(
        [(manifest, listings[manifest.organization]) for manifest in manifests],
        catalogue=catalogue,
        created_at=environment.now(),
        remembered=remembered,
        rotate=options.rotate,
        adopt_secrets=options.adopt_secrets,
        remove_twins=options.remove_twins,
        sealed=options.sealed,
    )
    return filter_by_target(whole, options.targets)
