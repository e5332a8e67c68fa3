"""What an apply carries out: manifests, or a plan that was saved and reviewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from webchat_sync.apply.ports import ChannelReader
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, StalePlanError
from webchat_sync.model import Listing, Manifest, Plan, Remembered
from webchat_sync.plan.filter_by_target import filter_by_target
from webchat_sync.plan.guard import GuardOptions, short_listings
from webchat_sync.plan.make import make_plan
from webchat_sync.planfile.reader import desired_manifests
from webchat_sync.planfile.stale import forgotten, misplaced, staleness
from webchat_sync.workflow.listings import read_listings
from webchat_sync.workflow.run import ApplyRun


class Source(Protocol):
    """Where the plan of an apply comes from."""

    async def read(
        self,
        apis: Mapping[str, ChannelReader],
        remembered: Remembered,
        *,
        base_url: str,
        catalogue: Catalogue,
        run: ApplyRun,
    ) -> Mapping[str, Listing]:
        """What is live, one call per organisation; raises ApiError, and StalePlanError when it is too late."""
        ...

    def plan(
        self, listings: Mapping[str, Listing], remembered: Remembered, catalogue: Catalogue, environment: Environment
    ) -> Plan:
        """The plan to carry out. Raises InputError."""
        ...

    def refusals(self, plan: Plan, listings: Mapping[str, Listing], options: GuardOptions) -> Sequence[Diagnostic]:
        """Reasons not to apply it, beside those that hold for every plan."""
        ...

    def desired(self, plan: Plan) -> Sequence[Manifest]:
        """What the channels are to be once the plan is carried out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FromManifests:
    """An apply of ``manifests``; ``targets``, ``rotate`` and ``adopt_secrets`` are names of channels, or globs."""

    manifests: Sequence[Manifest]
    targets: Sequence[str] = ()
    rotate: Sequence[str] = ()
    adopt_secrets: Sequence[str] = ()
    remove_twins: bool = False

    async def read(
        self,
        apis: Mapping[str, ChannelReader],
        remembered: Remembered,
        *,
        base_url: str,
        catalogue: Catalogue,
        run: ApplyRun,
    ) -> Mapping[str, Listing]:
        """As :class:`Source` says."""
        listings = await read_listings(apis, apis, base_url=base_url)
        run.outcome = "refused"
        return listings

    def plan(
        self, listings: Mapping[str, Listing], remembered: Remembered, catalogue: Catalogue, environment: Environment
    ) -> Plan:
        """As :class:`Source` says."""
        whole = make_plan(
            [(manifest, listings[manifest.organization]) for manifest in self.manifests],
            catalogue=catalogue,
            created_at=environment.now(),
            remembered=remembered,
            rotate=self.rotate,
            adopt_secrets=self.adopt_secrets,
            remove_twins=self.remove_twins,
            sealed=False,
        )
        return filter_by_target(whole, self.targets)

    def refusals(self, plan: Plan, listings: Mapping[str, Listing], options: GuardOptions) -> Sequence[Diagnostic]:
        """None."""
        return ()

    def desired(self, plan: Plan) -> Sequence[Manifest]:
        """As :class:`Source` says."""
        return desired_manifests(plan) if plan.partial else self.manifests


@dataclass(frozen=True, slots=True, kw_only=True)
class FromSavedPlan:
    """An apply of a plan as it was reviewed.

    With ``manifests``, the plan must be of these, and with ``organization`` of that one.
    """

    saved: Plan
    manifests: Sequence[Manifest] | None = None
    organization: str | None = None

    async def read(
        self,
        apis: Mapping[str, ChannelReader],
        remembered: Remembered,
        *,
        base_url: str,
        catalogue: Catalogue,
        run: ApplyRun,
    ) -> Mapping[str, Listing]:
        """As :class:`Source` says. A plan for another place is told before anything is read."""
        run.take(self.saved, "stale")
        elsewhere = misplaced(self.saved, base_url=base_url, organization=self.organization)
        listings = await read_listings([] if elsewhere else apis, apis, base_url=base_url)
        reasons = staleness(
            self.saved,
            listings,
            catalogue,
            base_url=base_url,
            organization=self.organization,
            manifests=self.manifests,
        )
        if reasons := reasons or forgotten(self.saved, remembered.ledger):
            raise StalePlanError(reasons)
        return listings

    def plan(
        self, listings: Mapping[str, Listing], remembered: Remembered, catalogue: Catalogue, environment: Environment
    ) -> Plan:
        """The saved one."""
        return self.saved

    def refusals(self, plan: Plan, listings: Mapping[str, Listing], options: GuardOptions) -> Sequence[Diagnostic]:
        """As :class:`Source` says: of a listing that is shorter than the reviewed one was."""
        return short_listings(plan, listings, options)

    def desired(self, plan: Plan) -> Sequence[Manifest]:
        """As :class:`Source` says."""
        return desired_manifests(plan)
