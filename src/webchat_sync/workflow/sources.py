"""What an apply carries out: manifests, or a saved and reviewed plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from webchat_sync.apply.ports import ChannelReader
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, StalePlanError
from webchat_sync.frozen import frozen
from webchat_sync.model import Listing, Manifest, Plan, Remembered
from webchat_sync.plan.guard import GuardOptions, short_listings
from webchat_sync.planfile.desired import desired_manifests
from webchat_sync.planfile.stale import forgotten, manifests_of, misplaced, staleness
from webchat_sync.workflow.listings import Readings, read_readings
from webchat_sync.workflow.plan import PlanOptions, plan_readings
from webchat_sync.workflow.run import ApplyRun
from webchat_sync.workflow.state import refuse_remembered


class Source(Protocol):
    """Where the plan of an apply comes from."""

    @property
    def is_part(self) -> bool:
        """Whether other organisations were left out on purpose, so that other runs may be about them."""
        ...

    async def read(
        self,
        apis: Mapping[str, ChannelReader],
        remembered: Remembered,
        *,
        base_url: str,
        catalogue: Catalogue,
        run: ApplyRun,
    ) -> Readings:
        """Read the live channels, one call per organisation; raises ApiError, and StalePlanError if it's stale."""
        ...

    def plan(self, readings: Readings, remembered: Remembered, catalogue: Catalogue, environment: Environment) -> Plan:
        """The plan to carry out; its ``failed`` has the organisations that can't be. Raises InputError."""
        ...

    def refusals(self, plan: Plan, listings: Mapping[str, Listing], options: GuardOptions) -> Sequence[Diagnostic]:
        """Reasons not to apply it, in addition to those that hold for every plan."""
        ...

    def desired(self, plan: Plan) -> Sequence[Manifest]:
        """The manifests that the channels must match after the apply."""
        ...


@frozen(kw_only=True)
class FromManifests:
    """An apply of ``manifests``, planned with ``options``."""

    manifests: Sequence[Manifest]
    options: PlanOptions

    @property
    def is_part(self) -> bool:
        """See :class:`Source`."""
        return self.options.selection.limited

    async def read(
        self,
        apis: Mapping[str, ChannelReader],
        remembered: Remembered,
        *,
        base_url: str,
        catalogue: Catalogue,
        run: ApplyRun,
    ) -> Readings:
        """See :class:`Source`."""
        single = len(self.manifests) == 1 and not self.options.selection.limited
        readings = await read_readings(apis, base_url=base_url, single=single)
        run.outcome = "refused"
        return readings

    def plan(self, readings: Readings, remembered: Remembered, catalogue: Catalogue, environment: Environment) -> Plan:
        """See :class:`Source`."""
        return plan_readings(self.manifests, readings, environment, catalogue, remembered, self.options)

    def refusals(self, plan: Plan, listings: Mapping[str, Listing], options: GuardOptions) -> Sequence[Diagnostic]:
        """None: a new plan has no earlier listing to compare with."""
        return ()

    def desired(self, plan: Plan) -> Sequence[Manifest]:
        """See :class:`Source`."""
        return desired_manifests(plan) if plan.partial else self.manifests


@frozen(kw_only=True)
class FromSavedPlan:
    """An apply of a plan as it was reviewed; ``parts`` are the plans that it was merged from, if any.

    ``manifests`` and ``organization``, if given, are what the plan must have been made for.
    """

    saved: Plan
    parts: Sequence[Plan] = ()
    manifests: Sequence[Manifest] | None = None
    organization: str | None = None

    @property
    def is_part(self) -> bool:
        """See :class:`Source`."""
        return self.saved.is_part

    async def read(
        self,
        apis: Mapping[str, ChannelReader],
        remembered: Remembered,
        *,
        base_url: str,
        catalogue: Catalogue,
        run: ApplyRun,
    ) -> Readings:
        """See :class:`Source`. Nothing is read if the plan was made for another server or organisation."""
        run.take(self.saved, "stale")
        misdirected = misplaced(self.saved, base_url=base_url, organization=self.organization)
        single = len(self.saved.organizations) == 1 and not self.saved.failed
        readings = await read_readings({} if misdirected else apis, base_url=base_url, single=single)
        reasons = [*misdirected]
        parts = self.parts or (self.saved,)
        live, known, several = readings.listings, remembered.channels, len(parts) > 1
        for part in parts:
            manifests = None if self.manifests is None else manifests_of(part, self.manifests, parts)
            reasons += staleness(part, live, catalogue, manifests=manifests, known=known, several=several)
        if reasons := reasons or [*forgotten(self.saved, remembered.ledger)]:
            raise StalePlanError(tuple(dict.fromkeys(reasons)))
        return readings

    def plan(self, readings: Readings, remembered: Remembered, catalogue: Catalogue, environment: Environment) -> Plan:
        """The saved plan, with the failures of this run."""
        refuse_remembered(desired_manifests(self.saved), remembered.ledger)
        return replace(self.saved, failed=(*self.saved.failed, *readings.failed))

    def refusals(self, plan: Plan, listings: Mapping[str, Listing], options: GuardOptions) -> Sequence[Diagnostic]:
        """Listings that are shorter than the ones reviewed."""
        return short_listings(plan, listings, options)

    def desired(self, plan: Plan) -> Sequence[Manifest]:
        """See :class:`Source`."""
        return desired_manifests(plan)
