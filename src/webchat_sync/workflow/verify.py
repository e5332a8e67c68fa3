"""Verifies an apply: list again, plan again, and report what still differs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, assert_never

from webchat_sync.apply.ports import ChannelReader
from webchat_sync.apply.run import Interrupt
from webchat_sync.apply.run_log import ChannelRun, results, runs_by_organization
from webchat_sync.create_once import LOOKS
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.environment import Environment
from webchat_sync.errors import CombinedApiError, InputError, WebchatSyncError
from webchat_sync.frozen import frozen
from webchat_sync.model import (
    HAS_SECRET,
    NOTHING_REMEMBERED,
    UNKNOWN,
    ActiveChange,
    ApplyReport,
    Create,
    CreateChannel,
    Delete,
    DeleteChannel,
    Key,
    Listing,
    LiveChannel,
    MakeSecret,
    Manifest,
    NotConverged,
    Operation,
    OperationResult,
    OrganizationPlan,
    Outcome,
    PatchChannel,
    Remembered,
    RevokeSecret,
    UnlistedField,
    Update,
    fields_in,
)
from webchat_sync.plan.live_names import LiveNames
from webchat_sync.plan.make import Planning, begin
from webchat_sync.workflow.listings import read_apart

_HAS_SECRET: Final = (Key(HAS_SECRET),)


async def verify(
    runs: Sequence[ChannelRun],
    manifests: Sequence[Manifest],
    apis: Mapping[str, ChannelReader],
    *,
    base_url: str,
    catalogue: Catalogue,
    environment: Environment,
    interrupt: Interrupt,
    remembered: Remembered = NOTHING_REMEMBERED,
) -> ApplyReport:
    """The report of the ``runs``, which have ended, and of what still differs from the ``manifests``.

    Organisations with every operation done are listed and planned again, repeatedly if the list is older than the
    calls.
    """
    operation_results = results(runs)
    if interrupt.requested:
        return ApplyReport("interrupted", operation_results)
    undone = {result.organization for result in operation_results if result.status != "done"}
    # Without repetition, in the order of the plan.
    changed = [name for name in dict.fromkeys(run.organization for run in runs) if name not in undone]
    if not changed:
        return ApplyReport("incomplete", operation_results)
    by_organization = runs_by_organization(runs)
    desired = {
        manifest.organization: _pinned(manifest, by_organization.get(manifest.organization, []))
        for manifest in manifests
    }
    after: dict[str, _Verified | WebchatSyncError] = {}
    try:
        planning = begin(
            list(desired.values()),
            catalogue=catalogue,
            created_at=environment.now(),
            remembered=remembered,
            with_digests=False,
        )
        proof = _Proof(desired, planning, by_organization)
        with interrupt.until_requested():
            for seconds in LOOKS:
                behind = [name for name in changed if _is_behind(after.get(name))]
                if not behind:
                    break
                if seconds:
                    await environment.sleep(seconds)
                after |= await read_apart(behind, apis, proof.verify, base_url=base_url, enough=proof.is_given_by)
    except WebchatSyncError as error:
        return ApplyReport("incomplete", operation_results, unverified=error)
    if interrupt.requested and any(_is_behind(after.get(name)) for name in changed):
        return ApplyReport("interrupted", operation_results)
    return _verified(operation_results, after.values(), complete=not undone)


@frozen
class _Verified:
    """What still differs in an organisation. ``behind``: the list is older than the calls that were made before."""

    differences: tuple[NotConverged, ...]
    behind: bool


def _is_behind(result: _Verified | WebchatSyncError | None) -> bool:
    """Whether the organisation wasn't read yet, or its list is out of date."""
    return result is None or (isinstance(result, _Verified) and result.behind)


def _verified(
    operation_results: tuple[OperationResult, ...],
    after: Collection[_Verified | WebchatSyncError],
    *,
    complete: bool,
) -> ApplyReport:
    """The report of what is still different ``after`` the operations; ``complete``: all are done."""
    unread = [result for result in after if isinstance(result, WebchatSyncError)]
    differing: list[NotConverged] = []
    fields: list[UnlistedField] = []
    for place in (place for result in after if isinstance(result, _Verified) for place in result.differences):
        # A field that the server's list omits can't be compared: it's reported, but isn't a difference.
        if place.stored is UNKNOWN and place.steps:
            fields.append(UnlistedField(place.organization, place.address, place.steps))
        else:
            differing.append(place)
    unverified = (unread[0] if len(unread) == 1 else CombinedApiError(unread)) if unread else None
    outcome: Outcome = "incomplete" if unread or not complete else "not_converged" if differing else "converged"
    return ApplyReport(outcome, operation_results, tuple(differing), tuple(fields), unverified)


@frozen
class _Proof:
    """Plans again: a plan without changes proves that the channels match the ``manifests``, after the ``runs``."""

    manifests: Mapping[str, Manifest]
    planning: Planning
    runs: Mapping[str, Sequence[ChannelRun]]

    def verify(self, organization: str, listing: Listing) -> _Verified:
        """What is still different in the organisation. Raises InputError."""
        runs, manifest = self.runs.get(organization, ()), self.manifests[organization]
        missing = _unlisted(listing, runs)
        listed = tuple(other for other in manifest.declarations if other.id not in missing)
        plan = self.planning.organization(replace(manifest, declarations=listed), listing).plan
        lost = [
            NotConverged(organization, run.change.address, (), run.channel_id, UNKNOWN, run.change.place)
            for run in runs
            if run.channel_id in missing
        ]
        differences = (*lost, *_differences(plan), *_second_channels(manifest, listing, runs))
        return _Verified(differences, behind=bool(differences) and _is_older(listing, runs))

    def is_given_by(self, organization: str, listing: Listing) -> bool:
        """Whether nothing differs: no channel was hidden or repeated because the pages moved during the listing."""
        try:
            return not self.verify(organization, listing).differences
        except InputError:
            return False


def _is_older(listing: Listing, runs: Sequence[ChannelRun]) -> bool:
    """Whether ``listing`` contradicts the responses to the calls of ``runs``, which are all done."""
    listed = {channel.id: channel for channel in listing.channels}
    return any(_contradicts(listed.get(run.channel_id or ""), run) for run in runs)


def _second_channels(manifest: Manifest, listing: Listing, runs: Sequence[ChannelRun]) -> Iterator[NotConverged]:
    """Channels that someone else created with the name of one that ``runs`` created in the meantime."""
    declared = {declaration.id for declaration in manifest.declarations}
    names = LiveNames([channel for channel in listing.channels if channel.id not in declared])
    for run in runs:
        if isinstance(run.change, Create) and run.channel_id is not None:
            for other in names.same(run.change.address):
                yield NotConverged(
                    manifest.organization, run.change.address, (), run.channel_id, other.id, run.change.place
                )


def _unlisted(listing: Listing, runs: Sequence[ChannelRun]) -> frozenset[str]:
    """The ids of the channels that ``runs`` created and that aren't in ``listing``."""
    created = {channel_id for run in runs for channel_id in run.created}
    return frozenset(created.difference(channel.id for channel in listing.channels))


def _contradicts(listed: LiveChannel | None, run: ChannelRun) -> bool:
    """Whether the channel of ``run`` is listed otherwise than in the response; a field that only one has is no sign."""
    if isinstance(run.change, Delete):
        return listed is not None
    if listed is None:
        return True
    sent = fields_in(result.operation for result in run.results).keys()
    return any(
        answered.fields[name] != listed.fields[name]
        for answered in run.answered
        for name in sent & answered.fields.keys() & listed.fields.keys()
    )


def _pinned(manifest: Manifest, runs: Sequence[ChannelRun]) -> Manifest:
    """``manifest`` with the channels created by ``runs`` pinned to their ids, whatever names the server stored."""
    created_ids = {
        run.change.address: run.channel_id for run in runs if isinstance(run.change, Create) and run.channel_id
    }
    return replace(
        manifest,
        declarations=tuple(
            replace(declaration, id=created_ids[declaration.name])
            if declaration.id is None and declaration.name in created_ids
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
            yield NotConverged(organization, change.address, (), None, UNKNOWN, change.place)
        case Delete():
            yield NotConverged(organization, change.address, (), None, None, change.place)
        case Update():
            for field in change.fields:
                place = change.field_places.get(field.field) or field.place or change.place
                yield NotConverged(organization, change.address, field.steps, field.after, field.before, place)
            for operation in change.operations:
                yield from _differences_beyond_fields(organization, change, operation)
        case _:
            assert_never(change)


def _differences_beyond_fields(organization: str, change: Update, operation: Operation) -> Iterator[NotConverged]:
    """What an operation should have changed that isn't a field."""
    match operation:
        case MakeSecret(replaces=replaces):
            yield NotConverged(organization, change.address, _HAS_SECRET, True, replaces, change.place)
        case RevokeSecret():
            yield NotConverged(organization, change.address, _HAS_SECRET, False, True, change.place)
        case CreateChannel() | PatchChannel() | DeleteChannel():
            pass
        case _:
            assert_never(operation)
