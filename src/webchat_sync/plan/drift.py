"""What moved since a revision, live or Git: the plan against what is committed, beside the one against what was."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, get_args

from webchat_sync.domain.hours import FIELD as HOURS
from webchat_sync.model import ChannelChange, FieldChange, Manifest, Plan
from webchat_sync.plan.make import Listing
from webchat_sync.plan.match import match

Cause: TypeAlias = Literal["differs", "live_changed", "git_changed", "both_changed"]
"""``differs``: nobody said since when, so what moved is not known."""

CAUSES: Final[Sequence[Cause]] = get_args(Cause)


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit: the ``name`` that somebody gave, and the ``commit`` that it stands for."""

    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Group:
    """What differs for one cause, as the part of the plan that would undo it."""

    cause: Cause
    plan: Plan


@dataclass(frozen=True, slots=True)
class Drift:
    """How live differs from what is committed.

    ``plan`` is the whole plan that would make live equal to ``declared``, ``groups`` are its parts in the order of
    CAUSES. ``declared`` is None for files that lie in no repository, ``base`` where nobody said since when.
    """

    plan: Plan
    groups: tuple[Group, ...]
    declared: Revision | None = None
    base: Revision | None = None


def attribute(plan: Plan, base: Plan | None) -> tuple[Group, ...]:
    """The changes of ``plan`` by what moved, field by field; ``base`` is the plan against what was declared before.

    Both are plans against the same listing. Where ``base`` asks for the same, only live moved; where it asks for
    nothing, live is as Git declared it then (or Git declared nothing), and Git moved; else both did.
    """
    before = {each.organization: each.changes for each in base.organizations} if base else None
    parts: dict[Cause, dict[str, list[ChannelChange]]] = {cause: defaultdict(list) for cause in CAUSES}
    for each in plan.organizations:
        for change in each.changes:
            if change.action == "none":
                continue
            whole: Iterable[tuple[Cause, ChannelChange]] = [("differs", change)]
            for cause, part in whole if before is None else _parts(change, before.get(each.organization, ())):
                parts[cause][each.organization].append(part)
    return tuple(Group(cause, _only(plan, found)) for cause, found in parts.items() if found)


def without_unmatched(sides: Sequence[tuple[Manifest, Listing]]) -> list[tuple[Manifest, Listing]]:
    """``sides`` without the declarations that no plan can be made for, such as those pinned to a channel that is gone.

    What was declared once cannot be put right any more.
    """
    return [(_matched(manifest, listing), listing) for manifest, listing in sides]


def _matched(manifest: Manifest, listing: Listing) -> Manifest:
    unmatched = {problem.place for problem in match(manifest.declarations, listing.channels).problems}
    return replace(manifest, declarations=tuple(each for each in manifest.declarations if each.place not in unmatched))


def _only(plan: Plan, changes: Mapping[str, Sequence[ChannelChange]]) -> Plan:
    """``plan`` with nothing but these changes, by organisation."""
    return replace(
        plan,
        organizations=tuple(
            replace(each, changes=tuple(changes[each.organization]), undeclared=())
            for each in plan.organizations
            if each.organization in changes
        ),
    )


def _parts(change: ChannelChange, before: Sequence[ChannelChange]) -> Iterator[tuple[Cause, ChannelChange]]:
    """The change cut into what each side caused."""
    former = _former(change, before)
    if former is None or former.action == "none":
        yield "git_changed", change
    elif change.action != "update" or former.action != "update":
        yield "live_changed" if _wanted(change) == _wanted(former) else "both_changed", change
    else:
        causes = _field_causes(change.fields, former.fields)
        secret = _secret_cause(change, former)
        for cause in CAUSES:
            fields = tuple(field for field, each in zip(change.fields, causes, strict=True) if each == cause)
            if fields or secret == cause:
                yield cause, _part(change, fields, secret=secret == cause)


def _former(change: ChannelChange, before: Sequence[ChannelChange]) -> ChannelChange | None:
    """What was to be done to the same channel: the same live one, or that of the same name where none is live."""
    if change.channel_id is not None:
        same = [each for each in before if each.channel_id == change.channel_id]
    else:
        same = [each for each in before if each.address == change.address]
    return same[0] if same else None


def _wanted(change: ChannelChange) -> object:
    """What a create or a delete comes to, for comparison."""
    return change.action, {field.path: _comparable(field) for field in change.fields}


def _field_causes(fields: Sequence[FieldChange], former: Sequence[FieldChange]) -> list[Cause]:
    causes = [_field_cause(field, former) for field in fields]
    hours = {cause for field, cause in zip(fields, causes, strict=True) if _touch(field.path, HOURS)}
    if len(hours) < 2:
        return causes
    # Hours are told as one week, so they have one cause.
    return ["both_changed" if _touch(field.path, HOURS) else cause for field, cause in zip(fields, causes, strict=True)]


def _field_cause(field: FieldChange, former: Sequence[FieldChange]) -> Cause:
    touched = [each for each in former if _touch(each.path, field.path)]
    if not touched:
        return "git_changed"
    same = any(each.path == field.path and _comparable(each) == _comparable(field) for each in touched)
    return "live_changed" if same else "both_changed"


def _secret_cause(change: ChannelChange, former: ChannelChange) -> Cause | None:
    if change.secret is None:
        return None
    if former.secret is None:
        return "git_changed"
    return "live_changed" if change.secret == former.secret else "both_changed"


def _touch(one: str, other: str) -> bool:
    """Whether two paths name the same place, or one a place inside the other."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and long[len(short) : len(short) + 1] in {"", ".", "[", " "}


def _comparable(field: FieldChange) -> str:
    # As JSON, since Python takes True for 1.
    return json.dumps([field.action == "remove", field.after], sort_keys=True)


def _part(change: ChannelChange, fields: tuple[FieldChange, ...], *, secret: bool) -> ChannelChange:
    """The change with these fields only, and what belongs to them."""

    def belongs(path: str) -> bool:
        return any(_touch(field.path, path) for field in fields) if path else secret

    return replace(
        change,
        fields=fields,
        impact=tuple(each for each in change.impact if belongs(each.path)),
        secret=change.secret if secret else None,
        secret_note=change.secret_note if secret else "",
        danger=change.danger if secret else "",
        renamed_from=change.renamed_from if belongs("name") else None,
    )
