"""Applies a plan and proves it: read again, plan again, and say what is still different."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from webchat_sync.apply.account import Task, results
from webchat_sync.apply.ports import ChannelApi, Observer, Rotator
from webchat_sync.apply.read import read_listings
from webchat_sync.apply.run import Interrupt, Settings, run_tasks
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import WebchatSyncError
from webchat_sync.model import UNKNOWN, ApplyReport, ChannelChange, Manifest, NotConverged, Plan
from webchat_sync.plan.make import Listing, make_plan


async def converge(
    tasks: Sequence[Task],
    manifests: Sequence[Manifest],
    apis: Mapping[str, ChannelApi],
    *,
    listings: Mapping[str, Listing],
    catalogue: Catalogue,
    settings: Settings,
    observer: Observer,
    interrupt: Interrupt,
    now: Callable[[], datetime],
    rotator: Rotator | None = None,
) -> ApplyReport:
    """Carry out the tasks of a plan and report.

    ``manifests`` say what the channels shall be, ``listings`` what they were when the plan was made. When every
    operation is done, the organisations that changed are read once more and planned again.
    """
    known = {
        organization: frozenset(each.id for each in listing.channels) for organization, listing in listings.items()
    }
    await run_tasks(
        tasks, apis, known=known, settings=settings, observer=observer, interrupt=interrupt, rotator=rotator
    )
    account = results(tasks)
    if interrupt.requested:
        return ApplyReport("interrupted", account)
    if any(result.status != "done" for result in account):
        return ApplyReport("incomplete", account)
    changed = {task.organization for task in tasks}
    touched = [manifest for manifest in manifests if manifest.organization in changed]
    try:
        after = await read_listings(changed, apis, base_url=listings[next(iter(changed))].base_url)
        sides = [(manifest, after[manifest.organization]) for manifest in touched]
        ledger = rotator.ledger() if rotator else None
        again = make_plan(sides, catalogue=catalogue, created_at=now(), ledger=ledger, sealed=False)
    except WebchatSyncError as error:
        return ApplyReport("incomplete", account, unverified=error)
    left = list(_differences(again))
    # A field that the server's list leaves out cannot be compared: it is told, and is no difference.
    differing = tuple(each for each in left if each.stored is not UNKNOWN or not each.path)
    unlisted = tuple((each.address, each.path) for each in left if each.stored is UNKNOWN and each.path)
    return ApplyReport("not_converged" if differing else "converged", account, differing, unlisted)


def _differences(after: Plan) -> Iterator[NotConverged]:
    for each in after.organizations:
        for change in each.changes:
            yield from _differences_of(each.organization, change)


def _differences_of(organization: str, change: ChannelChange) -> Iterator[NotConverged]:
    if change.action == "update":
        for field in change.fields:
            place = field.place or change.place
            yield NotConverged(organization, change.address, field.path, field.after, field.before, place)
        if change.secret is not None:
            there = change.secret.action != "generate"
            wanted = change.secret.action != "revoke"
            yield NotConverged(organization, change.address, "hasIdentitySecret", wanted, there, change.place)
    elif change.action != "none":
        stored = UNKNOWN if change.action == "create" else None
        yield NotConverged(organization, change.address, "", None, stored, change.place)
