"""Makes the plan from declarations and live channels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.model import NOTHING_REMEMBERED, Listing, Manifest, OrganizationPlan, Plan, Remembered
from webchat_sync.plan.channel import NEVER_DECLARED, ChannelPlanner, PlanRules
from webchat_sync.plan.digest import listing_digest, manifest_digest
from webchat_sync.plan.forced_rotations import adoptable_names, adoption_problems, chosen_names, forced_names
from webchat_sync.plan.former_channels import FormerChannels
from webchat_sync.plan.match_channels import match_channels
from webchat_sync.plan.twins import find_twins, without_twins
from webchat_sync.plan.unlike_live import LiveShapes


@frozen
class PlannedOrganization:
    """The plan of one organisation, and the declared names whose secret could be vouched for, if any is."""

    plan: OrganizationPlan
    adoptable: frozenset[str]


@frozen
class Planning:
    """A plan made one organisation at a time: :func:`begin`, :meth:`organization` for each, :meth:`end`.

    ``problems`` are those known before anything is listed. ``elsewhere`` are names of declared channels outside this
    plan that a pattern may also match.
    """

    manifests: Sequence[Manifest]
    rules: PlanRules
    problems: tuple[Diagnostic, ...]
    elsewhere: frozenset[str]

    def organization(self, manifest: Manifest, listing: Listing) -> PlannedOrganization:
        """The plan that makes ``listing`` match ``manifest``.

        Raises InputError with every declaration that can't be matched: its pinned id isn't live, or several live
        channels have its name.
        """
        twins = find_twins(manifest, listing, self.rules.remembered)
        matches = match_channels(manifest.declarations, without_twins(listing.channels, twins))
        problems = [*matches.problems, *([] if self.rules.remove_twins else [twin.problem for twin in twins])]
        if problems:
            raise InputError(problems)
        rules = replace(self.rules, catalogue=self.rules.catalogue.extended(manifest.field_entries))
        adoptable = adoptable_names(matches.pairs) if rules.adopt_secrets else frozenset[str]()
        vouched = chosen_names(adoptable, rules.adopt_secrets)
        shapes = LiveShapes(listing.channels if manifest.learn else (), rules.catalogue)
        former = FormerChannels.of(rules.remembered.channels, manifest.organization, listing, matches)
        planner = ChannelPlanner(
            manifest.organization, listing.base_url, rules, listing.channels, shapes, former, vouched
        )
        grounds = [(live, planner.ground(live, manifest)) for live in matches.undeclared]
        deletes = [planner.delete(live, ground) for live, ground in grounds if ground]
        kept = {live.id: planner.why_not_ours(live) for live, ground in grounds if not ground and manifest.prune}
        deletes += [planner.delete(twin.channel, twin.note) for twin in twins]
        changes = [planner.change(declaration, live, deletes) for declaration, live in matches.pairs] + deletes
        planned = OrganizationPlan(
            organization=manifest.organization,
            base_url=listing.base_url,
            listing_digest=listing_digest(manifest.organization, listing, rules.catalogue)
            if rules.with_digests
            else "",
            changes=tuple(changes),
            undeclared=tuple(live for live, ground in grounds if not ground),
            kept={channel_id: reason for channel_id, reason in kept.items() if reason != NEVER_DECLARED},
            listed_ids=tuple(channel.id for channel in listing.channels),
            prune=manifest.prune,
            declared_count=sum(not declaration.absent for declaration in manifest.declarations),
            api_key_env=manifest.api_key_env,
            ledger=manifest.ledger,
            memory=manifest.memory,
            field_entries=manifest.field_entries,
        )
        return PlannedOrganization(planned, adoptable)

    def end(self, organizations: Sequence[PlannedOrganization], *, elsewhere: frozenset[str] = frozenset()) -> Plan:
        """The plan of ``organizations``.

        Raises InputError for names to rotate without a sink or to adopt without a secret, unless they're in
        ``elsewhere``, such as the channels of an organisation that failed.
        """
        adoptable = frozenset(name for planned in organizations for name in planned.adoptable)
        problems = adoption_problems(
            adoptable, self.rules.adopt_secrets, self.rules.rotate, elsewhere=self.elsewhere | elsewhere
        )
        if problems := [*self.problems, *problems]:
            raise InputError(problems)
        digest = manifest_digest(self.manifests, self.rules.catalogue) if self.rules.with_digests else ""
        return Plan(self.rules.now, tuple(planned.plan for planned in organizations), digest)


def begin(
    manifests: Sequence[Manifest],
    *,
    catalogue: Catalogue,
    created_at: datetime,
    remembered: Remembered = NOTHING_REMEMBERED,
    rotate: Sequence[str] = (),
    adopt_secrets: Sequence[str] = (),
    remove_twins: bool = False,
    with_digests: bool = True,
    elsewhere: Iterable[str] = (),
) -> Planning:
    """Start a plan; the parameters are those of :func:`make_plan`."""
    others = frozenset(elsewhere)
    declarations = [declaration for manifest in manifests for declaration in manifest.declarations]
    forced, unknown = forced_names(declarations, rotate, elsewhere=others)
    rules = PlanRules(catalogue, created_at, remembered, forced, tuple(adopt_secrets), with_digests, remove_twins)
    return Planning(manifests, rules, tuple(unknown), others)


def make_plan(
    pairs: Sequence[tuple[Manifest, Listing]],
    *,
    catalogue: Catalogue,
    created_at: datetime,
    remembered: Remembered = NOTHING_REMEMBERED,
    rotate: Sequence[str] = (),
    adopt_secrets: Sequence[str] = (),
    remove_twins: bool = False,
    with_digests: bool = True,
) -> Plan:
    """The plan that makes the live channels of every organisation match its manifest.

    It depends on what is ``remembered``. ``rotate`` selects channels, by name or pattern, whose identity secrets are
    rotated in any case; the secrets of ``adopt_secrets`` count as delivered. ``remove_twins`` deletes the duplicates
    that creates in doubt have made. Without ``with_digests``, the digests of manifests and listings are omitted: they
    take 12% of the time of a ``plan`` of 1,000 equal channels (benchmarks/plan.py), and only a saved plan needs them.
    Raises InputError with everything that :class:`Planning` finds wrong.
    """
    planning = begin(
        [manifest for manifest, _ in pairs],
        catalogue=catalogue,
        created_at=created_at,
        remembered=remembered,
        rotate=rotate,
        adopt_secrets=adopt_secrets,
        remove_twins=remove_twins,
        with_digests=with_digests,
    )
    organizations: list[PlannedOrganization] = []
    problems: list[Diagnostic] = []
    for manifest, listing in pairs:
        try:
            organizations.append(planning.organization(manifest, listing))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError([*problems, *planning.problems])
    return planning.end(organizations)
