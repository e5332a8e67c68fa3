"""Drift: what differs from the committed files, and whether live or Git moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.environment import Environment
from webchat_sync.model import Listing, Manifest, Remembered
from webchat_sync.plan.drift import Drift, Revision, attribute, without_unmatched
from webchat_sync.plan.filter_by_target import filter_by_target
from webchat_sync.plan.make import make_plan


def find_drift(
    manifests: Sequence[Manifest],
    former: Sequence[Manifest] | None,
    listings: Mapping[str, Listing],
    environment: Environment,
    catalogue: Catalogue,
    remembered: Remembered,
    *,
    targets: Sequence[str] = (),
    listed_at: datetime | None = None,
    declared: Revision | None = None,
    base: Revision | None = None,
) -> Drift:
    """What differs between ``manifests`` and ``listings``, and what moved since ``former`` was declared.

    Without ``former`` nothing is said of what moved. ``listed_at`` is when a snapshot was taken; ``declared`` and
    ``base`` are where the two sets of manifests were read. Raises InputError as planning does.
    """
    planned = partial(make_plan, catalogue=catalogue, created_at=environment.now(), remembered=remembered)
    plan = planned([(manifest, listings[manifest.organization]) for manifest in manifests])
    plan = filter_by_target(replace(plan, live_created_at=listed_at), targets)
    before = None
    if former is not None:
        then = {manifest.organization: manifest for manifest in former}
        names = [manifest.organization for manifest in manifests]
        before = planned(without_unmatched([(then.get(name, Manifest(name, ())), listings[name]) for name in names]))
    return Drift(plan, attribute(plan, before), declared, base)
