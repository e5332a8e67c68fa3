"""Drift: what differs from the committed files, and whether live or Git moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.environment import Environment
from webchat_sync.model import Manifest, Remembered
from webchat_sync.plan.drift import Drift, Revision, attribute, without_unmatched
from webchat_sync.plan.make import make_plan
from webchat_sync.workflow.listings import Readings
from webchat_sync.workflow.plan import DEFAULT_OPTIONS, PlanOptions, plan_readings


def find_drift(
    manifests: Sequence[Manifest],
    former: Sequence[Manifest] | None,
    readings: Readings,
    environment: Environment,
    catalogue: Catalogue,
    remembered: Remembered,
    *,
    options: PlanOptions = DEFAULT_OPTIONS,
    listed_at: datetime | None = None,
    declared: Revision | None = None,
    base: Revision | None = None,
) -> Drift:
    """What differs between ``manifests`` and what was read, and what moved since ``former`` was declared.

    Without ``former`` nothing is said of what moved. ``listed_at`` is when a snapshot was taken; ``declared`` and
    ``base`` are where the two sets of manifests were read. Raises InputError as planning does.
    """
    plan = plan_readings(manifests, readings, environment, catalogue, remembered, options)
    plan = replace(plan, live_created_at=listed_at)
    before = None
    if former is not None:
        then = {manifest.organization: manifest for manifest in former}
        names = [planned.organization for planned in plan.organizations]
        pairs = without_unmatched([(then.get(name, Manifest(name, ())), readings.listings[name]) for name in names])
        before = make_plan(pairs, catalogue=catalogue, created_at=environment.now(), remembered=remembered)
    return Drift(plan, attribute(plan, before), declared, base)
