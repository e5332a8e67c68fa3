"""The plan: a pure function of the declarations and the live channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import InputError, Place
from webchat_sync.model import (
    UNKNOWN,
    ChannelChange,
    ChannelKey,
    Declaration,
    FieldChange,
    Json,
    Ledger,
    LedgerEntry,
    LiveChannel,
    Manifest,
    Operation,
    OrganizationPlan,
    Plan,
)
from webchat_sync.plan.bodies import channels_path, create_operations, update_operation
from webchat_sync.plan.diff import differences, identical
from webchat_sync.plan.fingerprint import channel_fingerprint, fingerprint, manifest_digest
from webchat_sync.plan.force import forced_names, vouched_names
from webchat_sync.plan.impact import channel_impact
from webchat_sync.plan.match import Matches, match
from webchat_sync.plan.secret import with_identity_secret
from webchat_sync.plan.unfinished import is_unfinished_create


@dataclass(frozen=True, slots=True)
class Listing:
    """All live channels of one organisation and where they were read."""

    base_url: str
    channels: tuple[LiveChannel, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers of channels."""

    create: int
    update: int
    delete: int
    unchanged: int
    undeclared: int
    rotate: int
    revoke: int


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a plan goes by beside the declarations and the live channels; ``rotate`` and ``adopt_secrets`` are names."""

    catalogue: Catalogue
    now: datetime
    ledger: Ledger = field(default_factory=dict)
    rotate: frozenset[str] = frozenset()
    adopt_secrets: frozenset[str] = frozenset()
    sealed: bool = True


def make_plan(
    sides: Sequence[tuple[Manifest, Listing]],
    *,
    catalogue: Catalogue,
    created_at: datetime,
    ledger: Ledger | None = None,
    rotate: Sequence[str] = (),
    adopt_secrets: Sequence[str] = (),
    sealed: bool = True,
) -> Plan:
    """The plan that makes each organisation's live channels equal to its manifest.

    ``ledger`` is what is remembered of identity secrets; those of the channels that ``rotate`` names, by name or by
    pattern, are rotated in any case, and those that ``adopt_secrets`` names are taken as delivered. Without ``sealed``
    the digests of the manifests and of the listings are left out: they cost as much as all the rest, and only a plan
    that is written down needs them. Raises InputError with every declaration that cannot be matched: a pinned id that
    is not live, a name that several live channels have; and for a name to rotate that has no sinks, or to adopt that
    has no secret.
    """
    matched = [(manifest, listing, match(manifest.declarations, listing.channels)) for manifest, listing in sides]
    problems = [problem for _, _, matches in matched for problem in matches.problems]
    forced, unknown = forced_names([each for manifest, _ in sides for each in manifest.declarations], rotate)
    problems += unknown
    pairs = [pair for _, _, matches in matched for pair in matches.pairs]
    vouched, missing = vouched_names(pairs, adopt_secrets, forced)
    problems += missing
    if problems:
        raise InputError(problems)
    rules = _Rules(catalogue, created_at, ledger or {}, forced, vouched, sealed)
    return Plan(
        created_at.isoformat(timespec="seconds"),
        tuple(_plan_organization(manifest, listing, matches, rules) for manifest, listing, matches in matched),
        manifest_digest([manifest for manifest, _ in sides], catalogue) if sealed else "",
    )


def has_changes(plan: Plan) -> bool:
    """Whether applying the plan would send anything."""
    return any(change.action != "none" for each in plan.organizations for change in each.changes)


def summarize(plan: Plan) -> Summary:
    """How many channels the plan creates, updates, deletes and leaves as they are, over all organisations."""
    actions = Counter(change.action for each in plan.organizations for change in each.changes)
    secrets = Counter(change.secret.action for each in plan.organizations for change in each.changes if change.secret)
    undeclared = sum(len(each.undeclared) for each in plan.organizations)
    return Summary(
        create=actions["create"],
        update=actions["update"],
        delete=actions["delete"],
        unchanged=actions["none"],
        undeclared=undeclared,
        rotate=secrets["rotate"],
        revoke=secrets["revoke"],
    )


def _plan_organization(manifest: Manifest, listing: Listing, matches: Matches, rules: _Rules) -> OrganizationPlan:
    organization, base_url, catalogue = manifest.organization, listing.base_url, rules.catalogue
    changes = [_plan_pair(declaration, live, organization, base_url, rules) for declaration, live in matches.pairs]
    pruned = matches.undeclared if manifest.prune else ()
    changes += [
        _delete(live, organization, catalogue, note="not declared, and settings.prune is on") for live in pruned
    ]
    live_fields = {live.id: live.fields for live in listing.channels}
    return OrganizationPlan(
        organization=organization,
        base_url=base_url,
        fingerprint=fingerprint(organization, base_url, listing.channels, catalogue) if rules.sealed else "",
        changes=tuple(
            change
            if change.action == "none"
            else replace(
                _with_fingerprint(change, organization, base_url, catalogue),
                impact=channel_impact(change, live_fields.get(change.channel_id or "", {}), catalogue, at=rules.now),
            )
            for change in changes
        ),
        undeclared=() if manifest.prune else matches.undeclared,
        listed_ids=tuple(channel.id for channel in listing.channels),
        prune=manifest.prune,
        wanted=sum(not declaration.absent for declaration in manifest.declarations),
        api_key_env=manifest.api_key_env,
        ledger=manifest.ledger,
    )


def _with_fingerprint(change: ChannelChange, organization: str, base_url: str, catalogue: Catalogue) -> ChannelChange:
    if change.channel_id is None:
        return change
    taken = channel_fingerprint(organization, base_url, change.channel_id, change.reviewed, catalogue)
    return replace(change, fingerprint=taken)


def _plan_pair(
    declaration: Declaration, live: LiveChannel | None, organization: str, base_url: str, rules: _Rules
) -> ChannelChange:
    """What becomes of the channel and of its identity secret."""
    entry = rules.ledger.get(ChannelKey(base_url, organization, live.id)) if live else None
    change = _plan_channel(declaration, live, organization, rules.catalogue, entry)
    planned = with_identity_secret(
        change,
        declaration,
        live,
        entry,
        organization=organization,
        now=rules.now,
        forced=declaration.name in rules.rotate,
        vouched=declaration.name in rules.adopt_secrets,
    )
    if live is not None and change.action == "none" and planned.action != "none":
        return replace(planned, reviewed={**_reviewed(declaration, live), **planned.reviewed})
    return planned


def _plan_channel(
    declaration: Declaration,
    live: LiveChannel | None,
    organization: str,
    catalogue: Catalogue,
    entry: LedgerEntry | None,
) -> ChannelChange:
    if declaration.absent:
        if live is None:
            return ChannelChange(declaration.name, "none", None, place=declaration.place, protected=declaration.protect)
        return _delete(live, organization, catalogue, note="declared with state: absent", declaration=declaration)
    if live is None:
        return _create(declaration, organization, catalogue)
    return _update(declaration, live, organization, catalogue, entry)


def _create(declaration: Declaration, organization: str, catalogue: Catalogue) -> ChannelChange:
    return ChannelChange(
        declaration.name,
        "create",
        None,
        fields=tuple(
            FieldChange(name, "add", None, value, _elsewhere(name, declaration))
            for name, value in declaration.fields.items()
        ),
        operations=create_operations(declaration, organization, catalogue),
        place=declaration.place,
        field_places=declaration.field_places,
        protected=declaration.protect,
    )


def _delete(
    live: LiveChannel, organization: str, catalogue: Catalogue, note: str, declaration: Declaration | None = None
) -> ChannelChange:
    lost = [(name, live.fields[name]) for name in catalogue.declarable if live.fields.get(name) is not None]
    return ChannelChange(
        live.name,
        "delete",
        live.id,
        fields=tuple(FieldChange(name, "remove", value, None) for name, value in lost),
        operations=(Operation("DELETE", f"{channels_path(organization)}/{live.id}", None),),
        note=note,
        place=declaration.place if declaration else None,
        reviewed=_values(live, ["id", *catalogue.declarable]),
        protected=declaration is not None and declaration.protect,
    )


def _update(
    declaration: Declaration, live: LiveChannel, organization: str, catalogue: Catalogue, entry: LedgerEntry | None
) -> ChannelChange:
    changed = {
        name: found
        for name in declaration.fields
        if name not in declaration.ignore and (found := tuple(_field_changes(name, declaration, live, catalogue)))
    }
    note = ""
    if is_unfinished_create(declaration, live, changed, catalogue, entry):
        declaration = replace(declaration, fields={**declaration.fields, "enabled": True})
        changed["enabled"] = (FieldChange("enabled", "change", False, True),)
        note = "its creation was cut off before it was switched on"
    if not changed:
        return ChannelChange(declaration.name, "none", live.id, place=declaration.place, protected=declaration.protect)
    return ChannelChange(
        declaration.name,
        "update",
        live.id,
        fields=tuple(each for found in changed.values() for each in found),
        operations=(update_operation(declaration, live, changed, organization, catalogue),),
        renamed_from=live.name if "name" in changed else None,
        note=note,
        place=declaration.place,
        field_places={name: place for name, place in declaration.field_places.items() if name in changed},
        reviewed=_reviewed(declaration, live),
        protected=declaration.protect,
    )


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


def _field_changes(
    name: str, declaration: Declaration, live: LiveChannel, catalogue: Catalogue
) -> Iterable[FieldChange]:
    declared = declaration.fields[name]
    if name in live.fields:
        if identical(live.fields[name], declared):
            return ()
        found = list(differences(name, catalogue.shape(name), live.fields[name], declared))
    else:
        # Servers drop null keys, so a declared null is what a missing field may well be.
        found = [] if declared is None else [FieldChange(name, "change", UNKNOWN, declared)]
    place = _elsewhere(name, declaration) if found else None
    return [replace(each, place=place) for each in found] if place else found


def _elsewhere(name: str, declaration: Declaration) -> Place | None:
    """Where the field is declared, when that is another file than the channel's."""
    place = declaration.field_places.get(name)
    return place if place and place.file != declaration.place.file else None
