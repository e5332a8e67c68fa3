"""What becomes of one channel: a pure function of its declaration and of what is live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import Place
from webchat_sync.model import (
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
    Operation,
    PatchChannel,
    Prune,
    Remembered,
    RevokeSecret,
    Unchanged,
    Update,
)
from webchat_sync.plan.diff import differences, identical
from webchat_sync.plan.digest import channel_digest
from webchat_sync.plan.impact import channel_impact
from webchat_sync.plan.lookalikes import create_note, lookalikes, update_note
from webchat_sync.plan.requests import create_operations, update_operation
from webchat_sync.plan.secret import SecretDecision, decide_secret
from webchat_sync.plan.unfinished import is_unfinished_create

CUT_OFF: Final = "its creation was cut off before it was switched on"


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What a plan goes by beside the declarations and the live channels.

    ``rotate`` are names, ``adopt_secrets`` patterns of names. Without ``sealed`` there are no digests of listings.
    ``remove_twins`` deletes the second channels that creates in doubt have made.
    """

    catalogue: Catalogue
    now: datetime
    remembered: Remembered = NOTHING_REMEMBERED
    rotate: frozenset[str] = frozenset()
    adopt_secrets: tuple[str, ...] = ()
    sealed: bool = True
    remove_twins: bool = False


@dataclass(frozen=True, slots=True)
class ChannelPlanner:
    """Plans one channel after the other of an organisation. The site has the secrets of the ``vouched``."""

    organization: str
    base_url: str
    rules: PlanRules
    live: Sequence[LiveChannel]
    vouched: frozenset[str] = frozenset()

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
        reviewed = _values(live, ["id", *catalogue.declarable])
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
            vouched=declaration.name in self.vouched,
        )

    def _create(self, declaration: Declaration, deletes: Sequence[Delete]) -> Create:
        catalogue = self.rules.catalogue
        create, *patch = create_operations(declaration, self.organization, catalogue)
        secret = self._secret(declaration, None, None, [create, *patch])
        # A secret is made and delivered before the PATCH that may require it.
        operations = (create, *([secret.operation] if secret.operation else []), *patch)
        fields = tuple(
            FieldChange((Key(name),), "add", None, value, _elsewhere(name, declaration))
            for name, value in declaration.fields.items()
        )
        return Create(
            address=declaration.name,
            fields=fields,
            operations=operations,
            impact=channel_impact("create", fields, operations, {}, catalogue, at=self.rules.now),
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
        changed = dict(_changed_fields(declaration, live, catalogue))
        cut_off = is_unfinished_create(declaration, live, changed, catalogue, entry)
        if cut_off:
            declaration = replace(declaration, fields={**declaration.fields, "enabled": True})
            changed["enabled"] = (FieldChange((Key("enabled"),), "change", False, True),)
        patch = [update_operation(declaration, live, changed, self.organization, catalogue)] if changed else []
        secret = self._secret(declaration, live, entry, patch)
        operations = _in_order(patch, secret)
        if not operations:
            return Unchanged(
                address=declaration.name,
                channel_id=live.id,
                place=declaration.place,
                protected=declaration.protect,
                remarks=secret.remarks,
            )
        fields = tuple(field_change for changes in changed.values() for field_change in changes)
        reviewed = _reviewed(declaration, live)
        if secret.rests_on_listed:
            # What was decided on is reviewed, too: a plan for a channel whose secret came or went since is stale.
            reviewed["hasIdentitySecret"] = live.fields.get("hasIdentitySecret")
        return Update(
            address=declaration.name,
            channel_id=live.id,
            fields=fields,
            operations=operations,
            impact=channel_impact("update", fields, operations, live.fields, catalogue, at=self.rules.now),
            renamed_from=live.name if "name" in changed else None,
            note=CUT_OFF if cut_off else update_note(declaration, live, self.live),
            place=declaration.place,
            field_places={name: place for name, place in declaration.field_places.items() if name in changed},
            reviewed=reviewed,
            digest=channel_digest(self.organization, self.base_url, live.id, reviewed, catalogue),
            protected=declaration.protect,
            remarks=secret.remarks,
        )


def _in_order(patch: Sequence[PatchChannel], secret: SecretDecision) -> tuple[Operation, ...]:
    """A secret is made before the PATCH that may require it, and revoked after the one that no longer does."""
    if secret.operation is None:
        return tuple(patch)
    if isinstance(secret.operation, RevokeSecret):
        return (*patch, secret.operation)
    return (secret.operation, *patch)


def _reviewed(declaration: Declaration, live: LiveChannel) -> dict[str, Json]:
    """The live values that a change of the channel is decided on."""
    managed = [name for name in declaration.fields if name not in declaration.ignore]
    return {
        # A declared null that the listing leaves out was reviewed as null: servers drop null keys.
        **{name: None for name in managed if declaration.fields[name] is None},
        **_values(live, ["name", *managed]),
    }


def _values(live: LiveChannel, names: Iterable[str]) -> dict[str, Json]:
    return {name: live.fields[name] for name in names if name in live.fields}


def _changed_fields(
    declaration: Declaration, live: LiveChannel, catalogue: Catalogue
) -> Iterator[tuple[str, tuple[FieldChange, ...]]]:
    for name in declaration.fields:
        if name not in declaration.ignore and (changes := tuple(_field_changes(name, declaration, live, catalogue))):
            yield name, changes


def _field_changes(
    name: str, declaration: Declaration, live: LiveChannel, catalogue: Catalogue
) -> Iterable[FieldChange]:
    declared = declaration.fields[name]
    if name not in live.fields:
        # Servers drop null keys, so a declared null is what a missing field may well be.
        changes = [] if declared is None else [FieldChange((Key(name),), "change", UNKNOWN, declared)]
    elif identical(live.fields[name], declared):
        return ()
    else:
        changes = list(differences((Key(name),), catalogue.shape(name), live.fields[name], declared))
    place = _elsewhere(name, declaration) if changes else None
    return [replace(change, place=place) for change in changes] if place else changes


def _elsewhere(name: str, declaration: Declaration) -> Place | None:
    """Where the field is declared, when that is another file than the channel's."""
    place = declaration.field_places.get(name)
    return place if place and place.file != declaration.place.file else None
