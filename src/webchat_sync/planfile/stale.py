"""Whether a saved plan is stale."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, assert_never

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.domain.names import same
from webchat_sync.errors import Diagnostic
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import as_json
from webchat_sync.leaks import redact_steps, redact_value_at
from webchat_sync.model import (
    NOTHING_REMEMBERED,
    Change,
    ChannelKey,
    Create,
    Delete,
    FieldChange,
    Json,
    Key,
    KnownChannel,
    KnownChannels,
    Ledger,
    Listing,
    LiveChannel,
    Manifest,
    Missing,
    OrganizationKey,
    OrganizationPlan,
    Plan,
    Unchanged,
    Update,
    path_text,
    sent_fields,
    server_in_words,
)
from webchat_sync.plan.diff import differences
from webchat_sync.plan.digest import channel_digest, manifest_digest
from webchat_sync.plan.live_names import LiveNames
from webchat_sync.plan.organizations import of_organization
from webchat_sync.sentences import in_a_row

_PLAN_AGAIN: Final = "Plan again, and have the new plan reviewed."
_SAME_INPUT: Final = (
    "Use the paths, overlays and variables that the plan was made with, or plan again and have the new plan reviewed."
)
_MAYBE_DONE: Final = (
    "That's what the plan would do, so it may have been applied already, or in part. If anything is left, a new plan "
    "shows it."
)

_FEW: Final = 10
"""How many organisations of a plan are named."""


def misplaced(saved: Plan, *, base_url: str, organization: str | None = None) -> tuple[Diagnostic, ...]:
    """Why ``saved`` was made for another server or organisation.

    ``organization`` is the one that the caller wants to apply to; None accepts the plan's.
    """
    problems = [
        Diagnostic(
            f'the plan for organisation "{planned.organization}" was made for '
            f"{server_in_words(planned.base_url)}, not {server_in_words(base_url)}",
            hint="Apply it to the same API, or plan again for this one.",
        )
        for planned in saved.organizations
        if planned.base_url != base_url
    ]
    organizations = [planned.organization for planned in saved.organizations]
    if organization is not None and organization not in organizations:
        the = "an" if len(organizations) > 1 else "the"
        use = f"Use {the} organisation of the plan (--org, MOSEND_ORG_ID), or plan" if organizations else "Plan"
        problems.append(
            Diagnostic(
                f'the plan was made for {_named(organizations)}, not "{organization}"',
                hint=f"{use} again for this one.",
            )
        )
    return tuple(problems)


def _named(organizations: Sequence[str]) -> str:
    what = {0: "no organisation", 1: "organisation "}.get(len(organizations), "organisations ")
    return what + in_a_row([f'"{organization}"' for organization in organizations], most=_FEW)


def manifests_of(saved: Plan, manifests: Sequence[Manifest], plans: Sequence[Plan]) -> Sequence[Manifest]:
    """Those of ``manifests`` that ``saved`` is for: all, unless it's a part or there are several plans."""
    if not saved.is_part and len(plans) == 1:
        return manifests
    names = frozenset(saved.names)
    return [manifest for manifest in manifests if manifest.organization in names]


def staleness(
    saved: Plan,
    live: Mapping[str, Listing],
    catalogue: Catalogue,
    *,
    manifests: Sequence[Manifest] | None = None,
    known: KnownChannels = NOTHING_REMEMBERED.channels,
) -> tuple[Diagnostic, ...]:
    """What has changed since ``saved`` was reviewed, so that it can't be applied; empty if nothing has.

    ``live`` has the current listings by organisation; organisations that aren't in it are skipped. ``manifests`` are
    the files, if they're given with the plan, and ``known`` the remembered channels. Channels that the plan doesn't
    touch may have changed, and so may the order of keys, listings and set items.
    """
    problems: list[Diagnostic] = []
    if manifests is not None and manifest_digest(manifests, catalogue) != saved.manifest_digest:
        message = "the manifests have changed since the plan was made"
        problems.append(Diagnostic(message, hint=_SAME_INPUT))
    for planned in saved.organizations:
        if planned.organization in live:
            rules = catalogue.extended(planned.field_entries)
            moved = _organization_staleness(planned, live[planned.organization], rules, known)
            problems += of_organization(moved, planned.organization, several=saved.several)
    return tuple(problems)


def forgotten(saved: Plan, ledger: Ledger) -> tuple[Diagnostic, ...]:
    """A problem for every secret of ``saved`` whose ledger entry has changed since."""
    return tuple(
        problem
        for planned in saved.organizations
        for problem in of_organization(_forgotten(planned, ledger), planned.organization, several=saved.several)
    )


def _forgotten(planned: OrganizationPlan, ledger: Ledger) -> Iterator[Diagnostic]:
    for change in planned.changes:
        decided_on = _decided_on(change)
        if change.channel_id is None or decided_on is None:
            continue
        if decided_on != _attempt(ledger, ChannelKey(planned.base_url, planned.organization, change.channel_id)):
            yield _problem(
                change, "has a different entry for its identity secret in the ledger than when the plan was made"
            )


def _decided_on(change: Change) -> str | None:
    """The attempt in the ledger that the change is based on; None if the ledger is irrelevant."""
    secret = None if isinstance(change, Unchanged) else change.secret
    return change.remarks.known if secret is None else secret.known


def _attempt(ledger: Ledger, key: ChannelKey) -> str:
    entry = ledger.get(key)
    return entry.attempt if entry else ""


def _organization_staleness(
    saved: OrganizationPlan, live: Listing, catalogue: Catalogue, known: KnownChannels
) -> Iterator[Diagnostic]:
    by_id = {channel.id: channel for channel in live.channels}
    reviewed = frozenset(saved.listed_ids)
    here = known.get(OrganizationKey(saved.base_url, saved.organization), {})
    new = _NewChannels.of([channel for channel in live.channels if channel.id not in reviewed], here)
    for change in saved.active_changes:
        match change:
            case Create():
                yield from _made_since(change, new)
            case Update() | Delete():
                yield from _touched(change, saved, by_id.get(change.channel_id), catalogue)
            case _:
                assert_never(change)


@frozen
class _NewChannels:
    """The live channels that weren't listed when the plan was made, by their names and by remembered ones."""

    names: LiveNames
    remembered: LiveNames

    @staticmethod
    def of(channels: Sequence[LiveChannel], known: Mapping[str, KnownChannel]) -> _NewChannels:
        remembered = [replace(channel, name=known[channel.id].name) for channel in channels if channel.id in known]
        return _NewChannels(LiveNames(channels), LiveNames(remembered))

    def called(self, name: str) -> Collection[LiveChannel]:
        """Those that may be the channel ``name``, under any name."""
        ids = {channel.id for channel in (*self.names.similar(name), *self.remembered.same(name))}
        return [channel for channel in self.names.channels if channel.id in ids] if ids else ()


def _made_since(change: Create, new: _NewChannels) -> Iterator[Diagnostic]:
    """A problem for every ``new`` live channel that may be the one to create."""
    for channel in new.called(change.address):
        which = (
            "with that name"
            if same(channel.name, change.address)
            else f"that may be the same one, {as_json(channel.name)},"
        )
        hint = _MAYBE_DONE if channel.name == change.address else _PLAN_AGAIN
        yield _problem(change, f"would be created, but a channel {which} exists now ({channel.id})", hint)


def _touched(
    change: Update | Delete, saved: OrganizationPlan, now: LiveChannel | None, catalogue: Catalogue
) -> Iterator[Diagnostic]:
    verb = "updated" if isinstance(change, Update) else "deleted"
    if now is None:
        hint = _MAYBE_DONE if isinstance(change, Delete) else _PLAN_AGAIN
        yield _problem(change, f"would be {verb}, but its live channel ({change.channel_id}) no longer exists", hint)
        return
    # A field that the listing omitted when the plan was made has no reviewed value, but is still managed.
    if isinstance(change, Update):
        names = dict.fromkeys([*change.reviewed, *sent_fields(change)])
    else:
        names = dict.fromkeys(["id", *catalogue.declarable])
    values = {name: now.fields[name] for name in names if name in now.fields}
    if channel_digest(saved.organization, saved.base_url, now.id, values, catalogue) == change.digest:
        return
    sent = sent_fields(change) if isinstance(change, Update) else {}
    for name in names:
        key, shape = (Key(name),), catalogue.shape(name)
        is_done = name in sent and name in values and not any(differences(key, shape, values[name], sent[name]))
        hint = _MAYBE_DONE if is_done else _PLAN_AGAIN
        for moved in differences(key, shape, change.reviewed.get(name), values.get(name)):
            what = f"would be {verb}, but it has changed since the plan was made: {_moved(moved)}"
            yield _problem(change, what, hint)


def _moved(moved: FieldChange) -> str:
    """``path: reviewed → now``; a missing value is ``(none)``."""
    return f"{path_text(redact_steps(moved.steps))}: {_shown(moved, moved.before)} → {_shown(moved, moved.after)}"


def _shown(moved: FieldChange, value: Json | Missing) -> str:
    if value is None or isinstance(value, Missing):
        return "(none)"
    return as_json(redact_value_at(moved.steps, value))


def _problem(change: Change, what: str, hint: str = _PLAN_AGAIN) -> Diagnostic:
    return Diagnostic(f"channel {as_json(change.address)} {what}", change.place, hint=hint)
