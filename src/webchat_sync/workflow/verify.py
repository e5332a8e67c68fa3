"""Applies a plan and proves it: read again, plan again, and say what is still different."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from anyio import CancelScope

from webchat_sync.apply.ports import ChannelApi, Observer, Rotator
from webchat_sync.apply.run import Interrupt, Settings, run_channels
from webchat_sync.apply.run_log import ChannelRun, results, runs_by_organization
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import CombinedApiError, InputError, WebchatSyncError
from webchat_sync.model import (
    UNKNOWN,
    ActiveChange,
    ApplyReport,
    Create,
    CreateChannel,
    Delete,
    DeleteChannel,
    Listing,
    MakeSecret,
    Manifest,
    NotConverged,
    Operation,
    OrganizationPlan,
    Outcome,
    PatchChannel,
    Remembered,
    RevokeSecret,
    Update,
)
from webchat_sync.plan.make import PlannedOrganization, Planning, begin
from webchat_sync.workflow.listings import read_apart


async def converge(
    runs: Sequence[ChannelRun],
    manifests: Sequence[Manifest],
    apis: Mapping[str, ChannelApi],
    *,
    listings: Mapping[str, Listing],
    catalogue: Catalogue,
    settings: Settings,
    observer: Observer,
    interrupt: Interrupt,
    rotator: Rotator | None = None,
    remembered: Callable[[], Remembered] = Remembered,
) -> ApplyReport:
    """Carry out the runs of a plan's channels and report.

    ``manifests`` say what the channels are to be, ``listings`` what they were when the plan was made; ``remembered``
    gives what is remembered by then. The organisations that changed are read once more and planned again, each that
    every operation of is done.
    """
    known = {
        organization: frozenset(channel.id for channel in listing.channels)
        for organization, listing in listings.items()
    }
    await run_channels(
        runs, apis, known=known, settings=settings, observer=observer, interrupt=interrupt, rotator=rotator
    )
    account = results(runs)
    if interrupt.requested:
        return ApplyReport("interrupted", account)
    undone = {result.organization for result in account if result.status != "done"}
    # In the order of the plan, and each once.
    changed = [name for name in dict.fromkeys(run.organization for run in runs) if name not in undone]
    if not changed:
        return ApplyReport("incomplete", account)
    by_organization = runs_by_organization(runs)
    touched = {
        manifest.organization: _pinned(manifest, by_organization.get(manifest.organization, []))
        for manifest in manifests
    }
    base_url = listings[changed[0]].base_url
    after: Mapping[str, PlannedOrganization | WebchatSyncError] | None = None
    try:
        now, known_now = settings.environment.now(), remembered()
        again = begin(list(touched.values()), catalogue=catalogue, created_at=now, remembered=known_now, sealed=False)
        proof = _Proof(touched, again)
        with CancelScope() as interrupt.scope:
            after = await read_apart(changed, apis, proof.plan, base_url=base_url, enough=proof.is_given_by)
    except WebchatSyncError as error:
        return ApplyReport("incomplete", account, unverified=error)
    if after is None:
        return ApplyReport("interrupted", account)
    left = [
        place
        for result in after.values()
        if isinstance(result, PlannedOrganization)
        for place in _differences(result.plan)
    ]
    # A field that the server's list leaves out cannot be compared: it is told, and is no difference.
    differing = tuple(place for place in left if place.stored is not UNKNOWN or not place.path)
    unlisted = tuple(
        (place.organization, place.address, place.path) for place in left if place.stored is UNKNOWN and place.path
    )
    unread = [result for result in after.values() if isinstance(result, WebchatSyncError)]
    unverified = (unread[0] if len(unread) == 1 else CombinedApiError(unread)) if unread else None
    outcome: Outcome = "incomplete" if unread or undone else "not_converged" if differing else "converged"
    return ApplyReport(outcome, account, differing, unlisted, unverified)


@dataclass(frozen=True, slots=True)
class _Proof:
    """Plans once more: a plan without changes is the proof that the channels are as they are ``wanted``."""

    wanted: Mapping[str, Manifest]
    planning: Planning

    def plan(self, organization: str, listing: Listing) -> PlannedOrganization:
        """The plan of what is still different in the organisation. Raises InputError."""
        return self.planning.organization(self.wanted[organization], listing)

    def is_given_by(self, organization: str, listing: Listing) -> bool:
        """Whether nothing is different: then no channel was hidden from the listing, or shown twice, as it moved."""
        try:
            return not self.plan(organization, listing).plan.active_changes
        except InputError:
            return False


def _pinned(manifest: Manifest, runs: Sequence[ChannelRun]) -> Manifest:
    """``manifest`` with the channels that its ``runs`` made pinned to their ids, whatever name the server gave them."""
    made = {run.change.address: run.channel_id for run in runs if isinstance(run.change, Create) and run.channel_id}
    return replace(
        manifest,
        declarations=tuple(
            replace(declaration, id=made[declaration.name])
            if declaration.id is None and declaration.name in made
            else declaration
            for declaration in manifest.declarations
        ),
    )


def _differences(after: OrganizationPlan) -> Iterator[NotConverged]:
    for change in after.active_changes:
        yield from _differences_of(after.organization, change)


def _differences_of(organization: str, change: ActiveChange) -> Iterator[NotConverged]:
    match change:
        case Create():
            yield NotConverged(organization, change.address, "", None, UNKNOWN, change.place)
        case Delete():
            yield NotConverged(organization, change.address, "", None, None, change.place)
        case Update():
            for field in change.fields:
                place = field.place or change.place
                yield NotConverged(organization, change.address, field.path, field.after, field.before, place)
            for operation in change.operations:
                yield from _beside_fields(organization, change, operation)


def _beside_fields(organization: str, change: Update, operation: Operation) -> Iterator[NotConverged]:
    """What an operation was to reach that no field tells."""
    match operation:
        case MakeSecret(replaces=replaces):
            yield NotConverged(organization, change.address, "hasIdentitySecret", True, replaces, change.place)
        case RevokeSecret():
            yield NotConverged(organization, change.address, "hasIdentitySecret", False, True, change.place)
        case CreateChannel() | PatchChannel() | DeleteChannel():
            pass
        case _:
            assert_never(operation)
