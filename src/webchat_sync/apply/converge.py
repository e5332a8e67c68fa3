"""Applies a plan and proves it: read again, plan again, and say what is still different."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from webchat_sync.apply.ports import ChannelReader, ChannelWriter
from webchat_sync.apply.read import plan_live
from webchat_sync.apply.run import run_plan
from webchat_sync.errors import WebchatSyncError
from webchat_sync.fields import Catalogue
from webchat_sync.model import (
    UNKNOWN,
    ApplyReport,
    ChannelChange,
    Manifest,
    NotConverged,
    OperationResult,
    Plan,
)


class ChannelApi(ChannelReader, ChannelWriter, Protocol):
    """Reads and writes the channels of one organisation."""


async def apply_plan(
    plan: Plan,
    manifests: Sequence[Manifest],
    apis: Mapping[str, ChannelApi],
    *,
    base_url: str,
    catalogue: Catalogue,
    now: Callable[[], datetime],
    parallelism: int,
    new_idempotency_key: Callable[[], str],
    on_result: Callable[[OperationResult], object],
) -> ApplyReport:
    """Run ``plan``; when every operation is done, read the organisations it changed once more and plan again."""
    results = await run_plan(
        plan, apis, parallelism=parallelism, new_idempotency_key=new_idempotency_key, on_result=on_result
    )
    if any(result.status != "done" for result in results):
        return ApplyReport("incomplete", results)
    changed = {result.organization for result in results}
    touched = [manifest for manifest in manifests if manifest.organization in changed]
    try:
        after = await plan_live(touched, apis, base_url=base_url, catalogue=catalogue, now=now())
    except WebchatSyncError as error:
        return ApplyReport("incomplete", results, unverified=error)
    return verified_report(results, after)


def verified_report(results: tuple[OperationResult, ...], after: Plan) -> ApplyReport:
    """The report of a run whose operations are all done, from the plan that was made after it.

    A field that the server's list leaves out cannot be compared: it is named as unlisted and does not count as
    a difference.
    """
    left = [
        found
        for each in after.organizations
        for change in each.changes
        for found in _differences(each.organization, change)
    ]
    differing = tuple(each for each in left if each.stored is not UNKNOWN or not each.path)
    unlisted = tuple((each.address, each.path) for each in left if each.stored is UNKNOWN and each.path)
    return ApplyReport("not_converged" if differing else "converged", results, differing, unlisted)


def _differences(organization: str, change: ChannelChange) -> Iterator[NotConverged]:
    if change.action == "update":
        for field in change.fields:
            yield NotConverged(organization, change.address, field.path, field.after, field.before)
    elif change.action != "none":
        yield NotConverged(organization, change.address, "", None, UNKNOWN if change.action == "create" else None)
