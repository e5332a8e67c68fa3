"""Applies a plan and proves it: read again, plan again, and say what is still different."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from anyio import CancelScope

from webchat_sync.apply.ports import ChannelApi, Observer, Rotator
from webchat_sync.apply.run import Interrupt, Settings, run_channels
from webchat_sync.apply.run_log import ChannelRun, results
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import InputError, WebchatSyncError
from webchat_sync.model import (
    UNKNOWN,
    ActiveChange,
    ApplyReport,
    Create,
    Delete,
    Listing,
    MakeSecret,
    Manifest,
    NotConverged,
    Plan,
    Remembered,
    Update,
)
from webchat_sync.plan.make import make_plan
from webchat_sync.plan.summary import has_changes
from webchat_sync.workflow.listings import read_listings


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
    gives what is remembered by then. When every
    operation is done, the organisations that changed are read once more and planned again.
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
    if any(result.status != "done" for result in account):
        return ApplyReport("incomplete", account)
    changed = {run.organization for run in runs}
    wanted = [_pinned(manifest, runs) for manifest in manifests if manifest.organization in changed]
    base_url = listings[next(iter(changed))].base_url
    after: Mapping[str, Listing] | None = None
    try:
        proof = _Proof(wanted, catalogue, settings.environment.now(), remembered())
        with CancelScope() as interrupt.scope:
            after = await read_listings(changed, apis, base_url=base_url, enough=proof.is_given_by)
        if after is None:
            return ApplyReport("interrupted", account)
        again = proof.plan(after)
    except WebchatSyncError as error:
        return ApplyReport("incomplete", account, unverified=error)
    left = list(_differences(again))
    # A field that the server's list leaves out cannot be compared: it is told, and is no difference.
    differing = tuple(place for place in left if place.stored is not UNKNOWN or not place.path)
    unlisted = tuple(
        (place.organization, place.address, place.path) for place in left if place.stored is UNKNOWN and place.path
    )
    return ApplyReport("not_converged" if differing else "converged", account, differing, unlisted)


@dataclass(frozen=True, slots=True)
class _Proof:
    """Plans once more: a plan without changes is the proof that the channels are as they are ``wanted``."""

    wanted: Sequence[Manifest]
    catalogue: Catalogue
    at: datetime
    remembered: Remembered

    def plan(self, listings: Mapping[str, Listing]) -> Plan:
        """The plan of what is still different in the organisations of ``listings``. Raises InputError."""
        pairs = [
            (manifest, listings[manifest.organization]) for manifest in self.wanted if manifest.organization in listings
        ]
        return make_plan(pairs, catalogue=self.catalogue, created_at=self.at, remembered=self.remembered, sealed=False)

    def is_given_by(self, organization: str, listing: Listing) -> bool:
        """Whether nothing is different: then no channel was hidden from the listing, or shown twice, as it moved."""
        try:
            return not has_changes(self.plan({organization: listing}))
        except InputError:
            return False


def _pinned(manifest: Manifest, runs: Sequence[ChannelRun]) -> Manifest:
    """``manifest`` with the channels that this run made pinned to their ids, whatever name the server gave them."""
    made = {
        run.change.address: run.channel_id
        for run in runs
        if isinstance(run.change, Create) and run.channel_id and run.organization == manifest.organization
    }
    return replace(
        manifest,
        declarations=tuple(
            replace(declaration, id=made[declaration.name])
            if declaration.id is None and declaration.name in made
            else declaration
            for declaration in manifest.declarations
        ),
    )


def _differences(after: Plan) -> Iterator[NotConverged]:
    for planned in after.organizations:
        for change in planned.active_changes:
            yield from _differences_of(planned.organization, change)


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
            if change.secret is not None:
                makes = isinstance(change.secret, MakeSecret)
                has_one = not isinstance(change.secret, MakeSecret) or change.secret.replaces
                yield NotConverged(organization, change.address, "hasIdentitySecret", makes, has_one, change.place)
