"""Drift: how the live channels differ from the committed files, and which side moved."""

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
    """The differences between ``manifests`` and the listings, attributed to whoever moved since ``former``.

    Without ``former``, nothing is attributed. ``listed_at`` is when a snapshot was taken; ``declared`` and ``base`` are
    the revisions of the two sets of manifests. Raises InputError like planning.
    """
    plan = plan_readings(manifests, readings, environment, catalogue, remembered, options)
    plan = replace(plan, live_created_at=listed_at)
    former_plan = None
    if former is not None:
        former_by_organization = {manifest.organization: manifest for manifest in former}
        names = [planned.organization for planned in plan.organizations]
        pairs = without_unmatched(
            [(former_by_organization.get(name, Manifest(name, ())), readings.listings[name]) for name in names]
        )
        former_plan = make_plan(pairs, catalogue=catalogue, created_at=environment.now(), remembered=remembered)
    return Drift(plan, attribute(plan, former_plan), declared, base)
