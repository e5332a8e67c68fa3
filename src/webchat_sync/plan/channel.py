"""Plans one channel from its declaration and its live state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Final

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.domain.names import stored_form
from webchat_sync.errors import Place
from webchat_sync.frozen import frozen
from webchat_sync.model import (
    HAS_SECRET,
    NOTHING_REMEMBERED,
    UNKNOWN,
    Change,
    ChannelKey,
    Create,
    CreateChannel,
    Declaration,
    Delete,
    DeleteChannel,
    FieldChange,
    Json,
    Key,
    KnownChannel,
    LedgerEntry,
    LiveChannel,
    Manifest,
    Missing,
    OrganizationKey,
    PatchChannel,
    Remembered,
    Unchanged,
    Update,
    manifests_in_words,
)
from webchat_sync.plan.diff import differences, identical, same_items
from webchat_sync.plan.digest import channel_digest
from webchat_sync.plan.former_channels import FormerChannels
from webchat_sync.plan.impact import channel_impact, worst_first
from webchat_sync.plan.live_names import LiveNames
from webchat_sync.plan.lookalikes import create_note, lookalikes, update_note
from webchat_sync.plan.requests import create_operations, update_operation
from webchat_sync.plan.secret import SecretDecision, decide_secret
from webchat_sync.plan.unfinished import CUT_OFF, is_unfinished_create
from webchat_sync.plan.unlike_live import LiveShapes

NEVER_DECLARED: Final = "no apply of these manifests declared it"


@frozen
class PlanRules:
    """What a plan depends on apart from declarations and live channels.

    ``rotate`` are names, ``adopt_secrets`` name patterns. Without ``with_digests``, digests of manifests and listings
    are omitted. ``remove_twins`` deletes the duplicates that creates in doubt have made.
    """

    catalogue: Catalogue
    now: datetime
    remembered: Remembered = NOTHING_REMEMBERED
    rotate: frozenset[str] = frozenset()
    adopt_secrets: tuple[str, ...] = ()
    with_digests: bool = True
    remove_twins: bool = False


@frozen(slots=False)
class ChannelPlanner:
    """Plans the channels of one organisation, one by one. The site has the secrets of the ``vouched``."""

    organization: str
    base_url: str
    rules: PlanRules
    live: Sequence[LiveChannel]
    shapes: LiveShapes
    former: FormerChannels
    vouched: frozenset[str] = frozenset()

    def change(self, declaration: Declaration, live: LiveChannel | None, deletes: Sequence[Delete]) -> Change:
        """The change of the declared channel; ``deletes`` are the planned deletes of undeclared ones."""
        if declaration.absent and live is None:
            return Unchanged(
                address=declaration.name, channel_id=None, place=declaration.place, protected=declaration.protect
            )
        if declaration.absent and live is not None:
            return self.delete(live, "declared with state: absent", declaration)
        if live is None:
            return self._create(declaration, deletes)
        return self._update(declaration, live)

    def ground(self, live: LiveChannel, manifest: Manifest) -> str:
        """Why a live channel that ``manifest`` doesn't declare is deleted; empty if it stays."""
        if manifest.prune is True:
            return "not declared, and settings.prune is on"
        if manifest.prune == "owned" and not self.why_not_ours(live):
            return "no longer declared, and settings.prune is owned: an earlier apply of these manifests declared it"
        return ""

    def why_not_ours(self, live: LiveChannel) -> str:
        """Why a live channel isn't one that these manifests may delete; empty if it is."""
        known, remembered = self.known(live), self.rules.remembered
        if known is None or not known.owners:
            return NEVER_DECLARED
        if not remembered.owner or remembered.owner not in known.owners:
            return f"{manifests_in_words(known.owners)} declared it"
        if reason := remembered.kept.get(self._scope, {}).get(live.id):
            return reason
        files = remembered.elsewhere.get(self._scope, {})
        names = (live.id, stored_form(live.name), stored_form(known.name))
        return next((f"{files[name]} declares it" for name in names if name in files), "")

    def known(self, live: LiveChannel) -> KnownChannel | None:
        """What is remembered about the live channel."""
        return self._all_known.get(live.id)

    @cached_property
    def _all_known(self) -> Mapping[str, KnownChannel]:
        return self.rules.remembered.channels.get(self._scope, {})

    @property
    def _scope(self) -> OrganizationKey:
        return OrganizationKey(self.base_url, self.organization)

    def delete(self, live: LiveChannel, note: str, declaration: Declaration | None = None) -> Delete:
        """Delete the live channel, with ``note`` as the reason."""
        catalogue = self.rules.catalogue
        lost = [(name, live.fields[name]) for name in catalogue.declarable if live.fields.get(name) is not None]
        reviewed = _values_of(live, ["id", *catalogue.declarable])
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

    @cached_property
    def _live_names(self) -> LiveNames:
        return LiveNames(self.live)

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
            vouched=declaration.name in self.vouched,
        )

    def _create(self, declaration: Declaration, deletes: Sequence[Delete]) -> Create:
        catalogue = self.rules.catalogue
        create, *patch = create_operations(declaration, self.organization, catalogue)
        secret = self._secret(declaration, None, None, [create, *patch])
        # A secret is created and delivered before the PATCH that may require it.
        operations = (create, *([secret.operation] if secret.operation else []), *patch)
        fields = tuple(
            FieldChange((Key(name),), "add", None, value, _elsewhere(name, declaration))
            for name, value in declaration.fields.items()
        )
        return Create(
            address=declaration.name,
            fields=fields,
            operations=operations,
            impact=worst_first(
                *self.former.dangers(declaration, deletes),
                *channel_impact("create", fields, operations, {}, catalogue, at=self.rules.now),
                *self.shapes.warnings(declaration.fields),
            ),
            place=declaration.place,
            field_places=declaration.field_places,
            protected=declaration.protect,
            remarks=secret.remarks,
            note=create_note(declaration, deletes),
            renamed=declaration.renamed_from,
            lookalikes=lookalikes(declaration, self.former.free_names),
        )

    def _update(self, declaration: Declaration, live: LiveChannel) -> Update | Unchanged:
        catalogue = self.rules.catalogue
        entry = self.rules.remembered.ledger.get(ChannelKey(self.base_url, self.organization, live.id))
        changed = dict(_changed_fields(declaration, live, catalogue))
        cut_off = is_unfinished_create(declaration, live, changed, catalogue, entry, self.known(live))
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
        reviewed = _reviewed_values(declaration, live)
        if secret.rests_on_listed:
            # A plan becomes stale if the secret that it's based on was created or revoked since.
            reviewed[HAS_SECRET] = live.fields.get(HAS_SECRET)
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
            note=CUT_OFF if cut_off else update_note(declaration, live, self._live_names),
            place=declaration.place,
            field_places={name: declaration.field_places[name] for name in declaration.field_places if name in changed},
            reviewed=reviewed,
            digest=channel_digest(self.organization, self.base_url, live.id, reviewed, catalogue),
            protected=declaration.protect,
            remarks=secret.remarks,
        )


def _reviewed_values(declaration: Declaration, live: LiveChannel) -> dict[str, Json]:
    """The live values that a change of the channel is based on."""
    managed = [name for name in declaration.fields if name not in declaration.ignore]
    return {
        # A declared null that the listing omits was reviewed as null, since servers drop null keys.
        **{name: None for name in managed if declaration.fields[name] is None},
        **_values_of(live, ["name", *managed]),
    }


def _values_of(live: LiveChannel, names: Iterable[str]) -> dict[str, Json]:
    """The live values of these fields, without those that the live channel lacks."""
    return {name: live.fields[name] for name in names if name in live.fields}


def _changed_fields(
    declaration: Declaration, live: LiveChannel, catalogue: Catalogue
) -> Iterator[tuple[str, tuple[FieldChange, ...]]]:
    """The managed fields that differ, each with its differences."""
    fields = live.fields
    for name, declared in declaration.fields.items():
        before = fields.get(name, UNKNOWN)
        # Truth values, null and small numbers are even the same objects.
        if before is declared or identical(before, declared) or name in declaration.ignore:
            continue
        if isinstance(before, Missing):
            # Servers drop null keys, so a declared null equals a missing field.
            changes = [] if declared is None else [FieldChange((Key(name),), "change", UNKNOWN, declared)]
        elif same_items(shape := catalogue.shape(name), before, declared):
            continue
        else:
            changes = [*differences((Key(name),), shape, before, declared)]
        if changes:
            place = _elsewhere(name, declaration)
            yield name, tuple(replace(change, place=place) if place else change for change in changes)


def _elsewhere(name: str, declaration: Declaration) -> Place | None:
    """Where the field is declared, if that isn't the file of the channel."""
    place = declaration.field_places.get(name)
    return place if place and place.file != declaration.place.file else None
