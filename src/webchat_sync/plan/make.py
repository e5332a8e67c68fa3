"""The plan: a pure function of the declarations and the live channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import InputError
from webchat_sync.model import (
    NOTHING_REMEMBERED,
    Change,
    ChannelKey,
    Create,
    CreateChannel,
    Declaration,
    Delete,
    DeleteChannel,
    FieldChange,
    Key,
    KnownChannel,
    LedgerEntry,
    Listing,
    LiveChannel,
    Manifest,
    OrganizationPlan,
    PatchChannel,
    Plan,
    Prune,
    Remembered,
    Unchanged,
    Update,
)
from webchat_sync.plan.changed_fields import changed_fields, elsewhere, reviewed_values, values_of
from webchat_sync.plan.digest import channel_digest, listing_digest, manifest_digest
from webchat_sync.plan.forced_rotations import forced_names, vouched_names
from webchat_sync.plan.former_channels import FormerChannels
from webchat_sync.plan.impact import channel_impact, worst_first
from webchat_sync.plan.lookalikes import create_note, lookalikes, update_note
from webchat_sync.plan.match_channels import Matches, match_channels
from webchat_sync.plan.requests import create_operations, update_operation
from webchat_sync.plan.secret import SecretDecision, decide_secret
from webchat_sync.plan.twins import Twin, find_twins, without_twins
from webchat_sync.plan.unfinished import is_unfinished_create
from webchat_sync.plan.unlike_live import LiveShapes

CUT_OFF = "its creation was cut off before it was switched on"


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a plan goes by beside the declarations and the live channels; ``rotate`` and ``adopt_secrets`` are names."""

    catalogue: Catalogue
    now: datetime
    remembered: Remembered = NOTHING_REMEMBERED
    rotate: frozenset[str] = frozenset()
    adopt_secrets: frozenset[str] = frozenset()
    sealed: bool = True


def make_plan(
    pairs: Sequence[tuple[Manifest, Listing]],
    *,
    catalogue: Catalogue,
    created_at: datetime,
    remembered: Remembered = NOTHING_REMEMBERED,
    rotate: Sequence[str] = (),
    adopt_secrets: Sequence[str] = (),
    remove_twins: bool = False,
    sealed: bool = True,
) -> Plan:
    """The plan that makes every organisation's live channels equal to its manifest.

    It rests on what is ``remembered``. The identity secrets of the channels that ``rotate`` names, by name or by
    pattern, are rotated in any case, and those that ``adopt_secrets`` names are taken as delivered. ``remove_twins``
    deletes the second channels that creates in doubt have made. Without ``sealed``
    the digests of the manifests and of the listings are left out: they are 12 % of a whole ``plan`` of 1,000 equal
    channels (benchmarks/plan.py), and only a plan that is written down needs them. Raises InputError with every
    declaration that cannot be matched: a pinned id that is not live, a name that several live channels have; and for
    a name to rotate that has no sinks, or to adopt that has no secret.
    """
    doubled = [find_twins(manifest, listing, remembered) for manifest, listing in pairs]
    matched = [
        (manifest, listing, twins, match_channels(manifest.declarations, without_twins(listing.channels, twins)))
        for (manifest, listing), twins in zip(pairs, doubled, strict=True)
    ]
    problems = [problem for *_, matches in matched for problem in matches.problems]
    problems += [] if remove_twins else [twin.problem for twins in doubled for twin in twins]
    declarations = [declaration for manifest, _ in pairs for declaration in manifest.declarations]
    forced, unknown = forced_names(declarations, rotate)
    problems += unknown
    channels = [pair for *_, matches in matched for pair in matches.pairs]
    vouched, missing = vouched_names(channels, adopt_secrets, forced)
    problems += missing
    if problems:
        raise InputError(problems)
    rules = _Rules(catalogue, created_at, remembered, forced, vouched, sealed)
    return Plan(
        created_at,
        tuple(
            _plan_organization(manifest, listing, twins, matches, rules)
            for manifest, listing, twins, matches in matched
        ),
        manifest_digest([manifest for manifest, _ in pairs], catalogue) if sealed else "",
    )


def _plan_organization(
    manifest: Manifest, listing: Listing, twins: Sequence[Twin], matches: Matches, rules: _Rules
) -> OrganizationPlan:
    rules = replace(rules, catalogue=rules.catalogue.extended(manifest.field_entries))
    shapes = LiveShapes(listing.channels if manifest.learn else (), rules.catalogue)
    former = FormerChannels.of(rules.remembered.channels, manifest.organization, listing, matches)
    planner = _Planner(manifest.organization, listing.base_url, rules, listing.channels, shapes, former)
    grounds = [(live, planner.ground(live, manifest.prune)) for live in matches.undeclared]
    deletes = [planner.delete(live, ground) for live, ground in grounds if ground]
    deletes += [planner.delete(twin.channel, twin.note) for twin in twins]
    changes = [planner.change(declaration, live, deletes) for declaration, live in matches.pairs] + deletes
    return OrganizationPlan(
        organization=manifest.organization,
        base_url=listing.base_url,
        listing_digest=listing_digest(manifest.organization, listing, rules.catalogue) if rules.sealed else "",
        changes=tuple(changes),
        undeclared=tuple(live for live, ground in grounds if not ground),
        listed_ids=tuple(channel.id for channel in listing.channels),
        prune=manifest.prune,
        wanted=sum(not declaration.absent for declaration in manifest.declarations),
        api_key_env=manifest.api_key_env,
        ledger=manifest.ledger,
        memory=manifest.memory,
        field_entries=manifest.field_entries,
    )


@dataclass(frozen=True, slots=True)
class _Planner:
    """Plans one channel after the other of an organisation."""

    organization: str
    base_url: str
    rules: _Rules
    live: Sequence[LiveChannel]
    shapes: LiveShapes
    former: FormerChannels

    def change(self, declaration: Declaration, live: LiveChannel | None, deletes: Sequence[Delete]) -> Change:
        """What becomes of the declared channel, beside the channels that nobody declares and that are deleted."""
        if declaration.absent and live is None:
            return Unchanged(
                address=declaration.name, channel_id=None, place=declaration.place, protected=declaration.protect
            )
        if declaration.absent and live is not None:
            return self.delete(live, "declared with state: absent", declaration)
        if live is None:
            return self._create(declaration, deletes)
        return self._update(declaration, live)

    def ground(self, live: LiveChannel, prune: Prune) -> str:
        """Why a live channel that nobody declares is deleted; empty when it stays."""
        known = self.known(live)
        if prune is True:
            return "not declared, and settings.prune is on"
        if prune == "owned" and known is not None and known.owner and known.owner == self.rules.remembered.owner:
            return "no longer declared, and settings.prune is owned: an earlier apply of these manifests declared it"
        return ""

    def known(self, live: LiveChannel) -> KnownChannel | None:
        """What is remembered of the live channel."""
        return self.rules.remembered.channels.get(ChannelKey(self.base_url, self.organization, live.id))

    def delete(self, live: LiveChannel, note: str, declaration: Declaration | None = None) -> Delete:
        """The live channel goes, for the reason that ``note`` gives."""
        catalogue = self.rules.catalogue
        lost = [(name, live.fields[name]) for name in catalogue.declarable if live.fields.get(name) is not None]
        reviewed = values_of(live, ["id", *catalogue.declarable])
        known = self.known(live)
        operations = (DeleteChannel(self.organization, live.id),)
        return Delete(
            address=live.name,
            channel_id=live.id,
            fields=(fields := tuple(FieldChange((Key(name),), "remove", value, None) for name, value in lost)),
            operations=operations,
            impact=channel_impact("delete", fields, operations, live.fields, catalogue, at=self.rules.now),
            note=note,
            place=declaration.place if declaration else None,
            reviewed=reviewed,
            digest=channel_digest(self.organization, self.base_url, live.id, reviewed, catalogue),
            protected=declaration.protect if declaration else known is not None and known.protected,
        )

    def _secret(
        self,
        declaration: Declaration,
        live: LiveChannel | None,
        entry: LedgerEntry | None,
        calls: Sequence[CreateChannel | PatchChannel],
    ) -> SecretDecision:
        return decide_secret(
            declaration,
            live,
            entry,
            organization=self.organization,
            now=self.rules.now,
            calls=calls,
            forced=declaration.name in self.rules.rotate,
            vouched=declaration.name in self.rules.adopt_secrets,
        )

    def _create(self, declaration: Declaration, deletes: Sequence[Delete]) -> Create:
        catalogue = self.rules.catalogue
        create, *patch = create_operations(declaration, self.organization, catalogue)
        secret = self._secret(declaration, None, None, [create, *patch])
        # A secret is made and delivered before the PATCH that may require it.
        operations = (create, *([secret.operation] if secret.operation else []), *patch)
        fields = tuple(
            FieldChange((Key(name),), "add", None, value, elsewhere(name, declaration))
            for name, value in declaration.fields.items()
        )
        return Create(
            address=declaration.name,
            fields=fields,
            operations=operations,
            impact=worst_first(
                *self.former.dangers(declaration),
                *channel_impact("create", fields, operations, {}, catalogue, at=self.rules.now),
                *self.shapes.warnings(declaration.fields),
            ),
            place=declaration.place,
            field_places=declaration.field_places,
            protected=declaration.protect,
            remarks=secret.remarks,
            note=create_note(declaration, deletes),
            renamed=declaration.renamed_from,
            lookalikes=lookalikes(declaration.name, self.live),
        )

    def _update(self, declaration: Declaration, live: LiveChannel) -> Update | Unchanged:
        catalogue = self.rules.catalogue
        entry = self.rules.remembered.ledger.get(ChannelKey(self.base_url, self.organization, live.id))
        changed = dict(changed_fields(declaration, live, catalogue))
        cut_off = is_unfinished_create(declaration, live, changed, catalogue, entry)
        if cut_off:
            declaration = replace(declaration, fields={**declaration.fields, "enabled": True})
            changed["enabled"] = (FieldChange((Key("enabled"),), "change", False, True),)
        patch = [update_operation(declaration, live, changed, self.organization, catalogue)] if changed else []
        secret = self._secret(declaration, live, entry, patch)
        operations = secret.around(patch)
        if not operations:
            return Unchanged(
                address=declaration.name,
                channel_id=live.id,
                place=declaration.place,
                protected=declaration.protect,
                remarks=secret.remarks,
            )
        fields = tuple(field_change for changes in changed.values() for field_change in changes)
        reviewed = reviewed_values(declaration, live)
        if secret.rests_on_listed:
            # What was decided on is reviewed, too: a plan for a channel whose secret came or went since is stale.
            reviewed["hasIdentitySecret"] = live.fields.get("hasIdentitySecret")
        return Update(
            address=declaration.name,
            channel_id=live.id,
            fields=fields,
            operations=operations,
            impact=worst_first(
                *channel_impact("update", fields, operations, live.fields, catalogue, at=self.rules.now),
                *self.shapes.warnings({name: declaration.fields[name] for name in changed}),
            ),
            renamed_from=live.name if "name" in changed else None,
            note=CUT_OFF if cut_off else update_note(declaration, live, self.live),
            place=declaration.place,
            field_places={name: place for name, place in declaration.field_places.items() if name in changed},
            reviewed=reviewed,
            digest=channel_digest(self.organization, self.base_url, live.id, reviewed, catalogue),
            protected=declaration.protect,
            remarks=secret.remarks,
        )
