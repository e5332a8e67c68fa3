"""A plan: connect, list, plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, GuardError, InputError, WebchatSyncError
from webchat_sync.frozen import frozen
from webchat_sync.model import FailedOrganization, Listing, Manifest, OrganizationPlan, Plan, Remembered
from webchat_sync.plan.digest import manifest_digest
from webchat_sync.plan.filter_by_target import filter_by_target
from webchat_sync.plan.make import PlannedOrganization, Planning, begin
from webchat_sync.plan.organizations import refused
from webchat_sync.plan.select import ALL, Selection, declared_names
from webchat_sync.workflow.connection import Connection, open_apis
from webchat_sync.workflow.listings import Readings, failures, read_apart
from webchat_sync.workflow.state import refuse_remembered

if TYPE_CHECKING:
    from webchat_sync.planfile.snapshot import Snapshot


@frozen(kw_only=True)
class PlanOptions:
    """What a plan depends on apart from manifests and live channels. Names can be globs.

    ``selection`` says which part of the manifests was chosen.
    """

    targets: Sequence[str] = ()
    rotate: Sequence[str] = ()
    adopt_secrets: Sequence[str] = ()
    remove_twins: bool = False
    with_digests: bool = True
    selection: Selection = ALL


DEFAULT_OPTIONS: Final = PlanOptions()


class PlanObserver(Protocol):
    """Sees a plan grow."""

    def planned(self, organization: OrganizationPlan, *, created_at: datetime, several: bool) -> None:
        """The next organisation of the plan, which is for ``several``; nothing changes it any more."""
        ...


def refuse(plan: Plan, *, more: Sequence[Diagnostic] = ()) -> None:
    """Raise GuardError for every reason not to apply ``plan``, which was judged, and for ``more``."""
    if problems := [*refused(plan), *more]:
        raise GuardError(problems)


async def plan_live(
    manifests: Sequence[Manifest],
    connection: Connection,
    environment: Environment,
    catalogue: Catalogue,
    remembered: Remembered,
    options: PlanOptions,
    observer: PlanObserver | None = None,
) -> Plan:
    """The plan against the live channels; its ``failed`` has the organisations that can't be planned.

    The ``observer`` sees each organisation as soon as it and all before it are planned, unless the options name
    channels: only at the end is it known whether any organisation has them. Raises InputError, and ApiError when the
    only organisation fails.
    """
    planning = _begin(manifests, environment, catalogue, remembered, options)
    declared = {manifest.organization: manifest for manifest in manifests}
    growing = None if options.targets or options.adopt_secrets else observer

    def plan_organization(organization: str, listing: Listing) -> PlannedOrganization:
        return planning.organization(declared[organization], listing)

    def follow(planned: PlannedOrganization) -> None:
        if growing is not None:
            growing.planned(planned.plan, created_at=planning.rules.now, several=len(declared) > 1)

    async with open_apis(connection, environment) as apis:
        names = [organization for organization in declared if organization in apis]
        results = await read_apart(names, apis, plan_organization, base_url=connection.label, follow=follow)
    return _ended(planning, results, connection.failed, options)


def plan_readings(
    manifests: Sequence[Manifest],
    readings: Readings,
    environment: Environment,
    catalogue: Catalogue,
    remembered: Remembered,
    options: PlanOptions,
) -> Plan:
    """The plan against listings read earlier; otherwise like :func:`plan_live`."""
    planning = _begin(manifests, environment, catalogue, remembered, options)
    results: dict[str, PlannedOrganization | WebchatSyncError] = {}
    for manifest in manifests:
        if manifest.organization in readings.listings:
            try:
                results[manifest.organization] = planning.organization(
                    manifest, readings.listings[manifest.organization]
                )
            except InputError as error:
                results[manifest.organization] = error
    return _ended(planning, results, readings.failed, options)


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
    """The plan against the snapshot in ``file``. Raises InputError if it belongs to another server."""
    from webchat_sync.workflow.snapshot import readings_of

    readings = readings_of(snapshot, manifests, base_url=base_url, file=file)
    plan = plan_readings(manifests, readings, environment, catalogue, remembered, options)
    return replace(plan, live_created_at=snapshot.created_at)


def _begin(
    manifests: Sequence[Manifest],
    environment: Environment,
    catalogue: Catalogue,
    remembered: Remembered,
    options: PlanOptions,
) -> Planning:
    refuse_remembered(manifests, remembered.ledger)
    planning = begin(
        manifests,
        catalogue=catalogue,
        created_at=environment.now(),
        remembered=remembered,
        rotate=options.rotate,
        adopt_secrets=options.adopt_secrets,
        remove_twins=options.remove_twins,
        with_digests=options.with_digests,
        elsewhere=options.selection.elsewhere,
    )
    if planning.problems:
        raise InputError(planning.problems)
    return planning


def _ended(
    planning: Planning,
    results: Mapping[str, PlannedOrganization | WebchatSyncError],
    earlier: Sequence[FailedOrganization],
    options: PlanOptions,
) -> Plan:
    selection = options.selection
    failed = failures(results, earlier, single=len(planning.manifests) == 1 and not selection.limited)
    failed_names = {failure.organization for failure in failed}
    # A pattern may name a channel of an organisation that failed.
    missed = declared_names(manifest for manifest in planning.manifests if manifest.organization in failed_names)
    planned = [
        result
        for manifest in planning.manifests
        if isinstance(result := results.get(manifest.organization), PlannedOrganization)
    ]
    whole_plan = planning.end(planned, elsewhere=missed)
    digest = (
        manifest_digest(selection.fleet, planning.rules.catalogue) if selection.fleet and options.with_digests else ""
    )
    full_plan = replace(whole_plan, failed=failed, limited=selection.named, shard=selection.shard, fleet_digest=digest)
    return filter_by_target(full_plan, options.targets, elsewhere=selection.elsewhere | missed)
