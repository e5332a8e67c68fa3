"""What moved since a revision, live or Git, by comparing plans against the committed and the former manifests."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal, TypeAlias, get_args

from webchat_sync.domain.hours import FIELD as HOURS
from webchat_sync.frozen import frozen
from webchat_sync.model import (
    NO_REMARKS,
    ActiveChange,
    Change,
    CreateChannel,
    DeleteChannel,
    FieldChange,
    Listing,
    MakeSecret,
    Manifest,
    Operation,
    PatchChannel,
    Plan,
    RevokeSecret,
    Steps,
    Unchanged,
    Update,
    within,
)
from webchat_sync.plan.match_channels import match_channels

Cause: TypeAlias = Literal["differs", "live_changed", "git_changed", "both_changed"]
"""``differs``: there's no base revision, so it isn't known which side moved."""

CAUSES: Final[Sequence[Cause]] = get_args(Cause)


@frozen
class Revision:
    """A commit: the ``name`` given by the user, and the ``commit`` it resolves to."""

    name: str
    commit: str


@frozen
class Group:
    """The differences with one cause, as the part of the plan that would undo them."""

    cause: Cause
    plan: Plan


@frozen
class Drift:
    """How the live channels differ from the committed files.

    ``plan`` would make the live channels match ``declared``; ``groups`` are its parts in the order of CAUSES.
    ``declared`` is None for files outside a repository, ``base`` if no base revision was given.
    """

    plan: Plan
    groups: tuple[Group, ...]
    declared: Revision | None = None
    base: Revision | None = None


def attribute(plan: Plan, base: Plan | None) -> tuple[Group, ...]:
    """Group the changes of ``plan`` by what moved, field by field; ``base`` is the plan for the former manifests.

    Both plans are against the same listing. If ``base`` has the same change, only live moved. If it has none, live is
    as Git declared it then (or Git declared nothing), so Git moved. Otherwise both did.
    """
    before = {planned.organization: planned.changes for planned in base.organizations} if base else None
    parts: dict[Cause, dict[str, list[ActiveChange]]] = {cause: defaultdict(list) for cause in CAUSES}
    for planned in plan.organizations:
        for change in planned.active_changes:
            whole: Iterable[tuple[Cause, ActiveChange]] = [("differs", change)]
            for cause, part in whole if before is None else _parts(change, before.get(planned.organization, ())):
                parts[cause][planned.organization].append(part)
    return tuple(Group(cause, only(plan, changes)) for cause, changes in parts.items() if changes)


def without_unmatched(pairs: Sequence[tuple[Manifest, Listing]]) -> list[tuple[Manifest, Listing]]:
    """``pairs`` without declarations that can't be planned, such as those pinned to a channel that's gone.

    Former manifests can't be fixed any more.
    """
    return [(_matched(manifest, listing), listing) for manifest, listing in pairs]


def _matched(manifest: Manifest, listing: Listing) -> Manifest:
    unmatched = {problem.place for problem in match_channels(manifest.declarations, listing.channels).problems}
    return replace(
        manifest,
        declarations=tuple(declaration for declaration in manifest.declarations if declaration.place not in unmatched),
    )


def only(plan: Plan, changes: Mapping[str, Sequence[ActiveChange]]) -> Plan:
    """``plan`` with nothing but these changes, by organisation; those without any are still in it."""
    return replace(
        plan,
        organizations=tuple(
            replace(planned, changes=tuple(changes.get(planned.organization, ())), undeclared=())
            for planned in plan.organizations
        ),
    )


def _parts(change: ActiveChange, before: Sequence[Change]) -> Iterator[tuple[Cause, ActiveChange]]:
    """The change, split by which side caused what."""
    former = _former(change, before)
    match change, former:
        case _, None | Unchanged():
            yield "git_changed", change
        case Update(), Update():
            yield from _update_parts(change, former)
        case _:
            yield "live_changed" if _outcome(change) == _outcome(former) else "both_changed", change


def _update_parts(change: Update, former: Update) -> Iterator[tuple[Cause, Update]]:
    causes = _field_causes(change.fields, former.fields)
    beside = _cause_beside_fields(change, former)
    for cause in CAUSES:
        fields = tuple(field for field, its_cause in zip(change.fields, causes, strict=True) if its_cause == cause)
        if fields or beside == cause:
            yield cause, part_of(change, fields, beside=beside == cause)


def _former(change: ActiveChange, before: Sequence[Change]) -> Change | None:
    """The earlier change of the same channel: by id, or by name if it isn't live."""
    same: list[Change]
    if change.channel_id is not None:
        same = [earlier for earlier in before if earlier.channel_id == change.channel_id]
    else:
        same = [earlier for earlier in before if earlier.address == change.address]
    return same[0] if same else None


def _outcome(change: ActiveChange) -> object:
    """A comparable value for the effect of a create or a delete."""
    return change.action, {field.steps: _comparable(field) for field in change.fields}


def _field_causes(fields: Sequence[FieldChange], former: Sequence[FieldChange]) -> list[Cause]:
    causes = [_field_cause(field, former) for field in fields]
    hours = {cause for field, cause in zip(fields, causes, strict=True) if field.field == HOURS}
    if len(hours) < 2:
        return causes
    # Hours are shown as one week, so they have one cause.
    return ["both_changed" if field.field == HOURS else cause for field, cause in zip(fields, causes, strict=True)]


def _field_cause(field: FieldChange, former: Sequence[FieldChange]) -> Cause:
    touched = [earlier for earlier in former if _touch(earlier.steps, field.steps)]
    if not touched:
        return "git_changed"
    same = any(earlier.steps == field.steps and _comparable(earlier) == _comparable(field) for earlier in touched)
    return "live_changed" if same else "both_changed"


def _cause_beside_fields(change: Update, former: Update) -> Cause | None:
    """The cause of the operations that aren't about fields, if there are any."""
    operations, earlier = _beside_fields(change), _beside_fields(former)
    if not operations:
        return None
    if not earlier:
        return "git_changed"
    return "live_changed" if operations == earlier else "both_changed"


def _beside_fields(change: Update) -> list[Operation]:
    return [operation for operation in change.operations if not _is_of_fields(operation)]


def _touch(one: Steps, other: Steps) -> bool:
    """Whether both are the same place, or one is inside the other."""
    return within(one, other) or within(other, one)


def _comparable(field: FieldChange) -> str:
    # As JSON, since True equals 1 in Python.
    return json.dumps([field.action == "remove", field.after], sort_keys=True)


def part_of(change: Update, fields: tuple[FieldChange, ...], *, beside: bool) -> Update:
    """The change limited to these fields and what belongs to them, and with ``beside`` to what isn't about fields."""

    def belongs(name: str) -> bool:
        return any(field.field == name for field in fields) if name else beside

    return replace(
        change,
        fields=fields,
        operations=tuple(operation for operation in change.operations if beside or _is_of_fields(operation)),
        impact=tuple(impact for impact in change.impact if belongs(impact.field)),
        remarks=change.remarks if beside else NO_REMARKS,
        renamed_from=change.renamed_from if belongs("name") else None,
    )


def _is_of_fields(operation: Operation) -> bool:
    match operation:
        case CreateChannel() | PatchChannel() | DeleteChannel():
            return True
        case MakeSecret() | RevokeSecret():
            return False
