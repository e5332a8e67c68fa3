"""The guards: reasons to refuse a plan before anything is written, and the options that override them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.frozen import frozen
from webchat_sync.model import (
    Change,
    Create,
    Delete,
    Key,
    Listing,
    OrganizationPlan,
    Plan,
    RevokeSecret,
    Unchanged,
    Update,
)
from webchat_sync.plan.former_channels import IN_DOUBT, TWICE
from webchat_sync.sentences import counted, in_a_row, quoted

_MOST_SEARCHES: Final = 20
"""How many names are compared with all others, to find similar ones."""


@frozen
class MaxDeletes:
    """How many channels of one organisation a plan may delete: a number, or a percentage of the live ones."""

    number: int
    percent: bool = False

    def of(self, listed: int) -> int:
        """The limit for ``listed`` live channels; a percentage is rounded down."""
        return listed * self.number // 100 if self.percent else self.number

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)


DEFAULT_PERCENTAGE: Final = MaxDeletes(20, percent=True)
"""The limit without --max-deletes; one delete is always allowed."""


@frozen
class GuardOptions:
    """What the guards let pass. ``max_deletes`` None: one channel, or 20% of the live ones if that's more."""

    max_deletes: MaxDeletes | None = None
    allow_protected: bool = False
    allow_empty: bool = False
    allow_short_listing: bool = False
    allow_lookalikes: bool = False


_ENABLED: Final = (Key("enabled"),)

_WAYS_OUT: Final = (
    'Use --rotate "%s" to create and deliver a new secret first (this needs `sync.identitySecret` with '
    "`deliver`), or --adopt-secret with the same name if the site already has the current one."
)

_DECLARE_IT: Final = "Declare `sync.identitySecret` for it"

NO_OPTIONS: Final = GuardOptions()


def judged(plan: Plan, options: GuardOptions, *, strict: bool = False) -> Plan:
    """``plan`` with every reason not to apply it, for everyone who sees it later; ``strict`` also refuses dangers."""
    return replace(
        plan,
        organizations=tuple(
            replace(
                planned,
                refused=(*_refused(planned, options, several=plan.several), *(_dangers(planned) if strict else ())),
            )
            for planned in plan.organizations
        ),
    )


def _refused(organization: OrganizationPlan, options: GuardOptions, *, several: bool) -> Iterator[Diagnostic]:
    yield from _protected(organization, options)
    yield from _lookalikes(organization, options)
    yield from _lost_renames(organization)
    yield from _lockouts(organization, several=several)
    yield from _emptied(organization, options)
    yield from _too_many_deletes(organization, options)


def _dangers(organization: OrganizationPlan) -> Iterator[Diagnostic]:
    """What --strict refuses in addition: harm to visitors, and possible duplicates."""
    for change in organization.changes:
        yield from _secret_dangers(change)
        yield from _second_channel(change, IN_DOUBT)


def _secret_dangers(change: Change) -> Iterator[Diagnostic]:
    if change.remarks.danger and not change.remarks.lockout:
        has_it_revoked = isinstance(change, Update) and isinstance(change.secret, RevokeSecret)
        keep = "Remove `state: absent` from its `sync.identitySecret`" if has_it_revoked else _DECLARE_IT
        yield Diagnostic(
            f'channel "{change.address}": {change.remarks.danger}',
            change.place,
            hint=f"{keep}, turn `identityRequired` off, or remove --strict.",
        )


def _second_channel(change: Change, ways_out: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Impacts of a create that ``ways_out`` has a hint for: it may duplicate a channel."""
    for impact in change.impact if isinstance(change, Create) else ():
        if impact.code in ways_out:
            yield Diagnostic(
                f'channel "{change.address}" would be created, but {impact.text}',
                change.place,
                hint=ways_out[impact.code],
            )


def short_listings(
    plan: Plan, live: Mapping[str, Listing], options: GuardOptions = NO_OPTIONS
) -> tuple[Diagnostic, ...]:
    """A problem for every organisation whose listing lost more channels since ``plan`` than the plan deletes.

    ``live`` has the current listing of every organisation. A listing that's suddenly short may be incomplete.
    """
    if options.allow_short_listing:
        return ()
    return tuple(
        Diagnostic(
            f'organisation "{planned.organization}" had {counted(planned.listed, "live channel")} when the plan was '
            f"made, and now has {now:,}, although the plan deletes {_only(len(_deletes(planned)))}",
            hint="Check that the list is complete and plan again, or use --allow-short-listing.",
        )
        for planned in plan.organizations
        if (now := len(live[planned.organization].channels)) < planned.listed - len(_deletes(planned))
    )


def _only(count: int) -> str:
    return f"only {count:,}" if count else "none"


def _lockouts(organization: OrganizationPlan, *, several: bool) -> Iterator[Diagnostic]:
    only = (
        f" Add --target-org {organization.organization}, or the option also applies to channels of that name in other "
        "organisations."
        if several
        else ""
    )
    for change in organization.changes:
        if change.remarks.lockout:
            danger = f'channel "{change.address}": {change.remarks.danger}'
            yield Diagnostic(danger, change.place, hint=f"{_WAYS_OUT % change.address}{only}")


def _lookalikes(organization: OrganizationPlan, options: GuardOptions) -> Iterator[Diagnostic]:
    going = frozenset(change.channel_id for change in _deletes(organization))
    for change in organization.changes if not options.allow_lookalikes else ():
        yield from _second_channel(change, TWICE)
        if isinstance(change, Create) and change.lookalikes:
            others = ", ".join(f'"{name}" ({channel_id})' for channel_id, name in change.lookalikes)
            channel_id, name = change.lookalikes[0]
            gone = [json.dumps(name) for channel_id, name in change.lookalikes if channel_id in going]
            several = len(change.lookalikes) > 1
            others_are = "others whose names are" if several else "one whose name is"
            declare_it = (
                f"If you mean one of them, such as {json.dumps(name)}, declare that exact name"
                if several
                else f"If you mean that one, declare its exact name {json.dumps(name)}"
            )
            both = (
                f"To create a new one and delete {in_a_row(gone)}, use --allow-lookalikes."
                if gone
                else f"If you want {'all of them' if several else 'both'}, use --allow-lookalikes."
            )
            taken_for = "it" if change.renamed is None else f'it or with its former name "{change.renamed}"'
            yield Diagnostic(
                f'channel "{change.address}" would be created next to {others_are} easily confused with '
                f"{taken_for}: {others}",
                change.place,
                hint=f"{declare_it}, rename it with "
                f"`sync.renamedFrom: {json.dumps(name)}`, or pin it with `sync.id: {channel_id}`. {both}",
            )


def _lost_renames(organization: OrganizationPlan) -> Iterator[Diagnostic]:
    """A former name that no live channel has, next to a delete: the deleted channel may be the one to rename."""
    going = [change.address for change in organization.changes if isinstance(change, Delete) and change.place is None]
    searches = 0
    for change in organization.changes:
        if isinstance(change, Create) and change.renamed is not None and going:
            from difflib import get_close_matches

            searches += 1
            similar = get_close_matches(change.renamed, going, cutoff=0.4) if searches <= _MOST_SEARCHES else []
            near = similar or going[:3]
            names = ", ".join(f'"{name}"' for name in near)
            what = "an undeclared channel" if len(near) == 1 else "undeclared channels"
            yield Diagnostic(
                f'channel "{change.address}" would be renamed from "{change.renamed}", but no live channel '
                f"has that name, and {what} would be deleted in the same apply: {names}",
                change.place,
                hint="Fix `sync.renamedFrom`, or remove it if the channel is new.",
            )


def _protected(organization: OrganizationPlan, options: GuardOptions) -> Iterator[Diagnostic]:
    for change in organization.changes:
        if change.protected and not options.allow_protected and (harm := _harm(change)):
            # Without a place, it's no longer declared, and only the memory knows that it was protected.
            is_protected, first = (
                ("is protected", "Remove sync.protect from its declaration first, in a separate change")
                if change.place
                else (
                    "was protected when it was last declared",
                    "Declare it without sync.protect and apply once",
                )
            )
            yield Diagnostic(
                f'channel "{change.address}" {is_protected} and would be {harm}',
                change.place,
                hint=f"{first}, or use --allow-protected.",
            )


def _harm(change: Change) -> str:
    """What sync.protect prevents and the change would do; empty if nothing."""
    match change:
        case Delete():
            return "deleted"
        case Update():
            off = any(field.steps == _ENABLED and field.after is False for field in change.fields)
            return "switched off" if off else ""
        case Create() | Unchanged():
            return ""


def _emptied(organization: OrganizationPlan, options: GuardOptions) -> Iterator[Diagnostic]:
    if organization.prune and not organization.declared_count and _deletes(organization) and not options.allow_empty:
        yield Diagnostic(
            f'the manifest of organisation "{organization.organization}" declares no channels to keep, and '
            f"settings.prune is {'on' if organization.prune is True else organization.prune}",
            hint="Check for a missing or empty file, or use --allow-empty.",
        )


def _too_many_deletes(organization: OrganizationPlan, options: GuardOptions) -> Iterator[Diagnostic]:
    deletes, listed = _deletes(organization), organization.listed
    max_deletes = options.max_deletes
    limit = max_deletes.of(listed) if max_deletes else max(1, DEFAULT_PERCENTAGE.of(listed))
    if len(deletes) > limit:
        names = quoted([change.address for change in deletes])
        them = "it" if len(deletes) == 1 else "all of them"
        explanation = (
            f"--max-deletes is {max_deletes}"
            if max_deletes
            else f"the default: 1, or {DEFAULT_PERCENTAGE} if that's more"
        )
        yield Diagnostic(
            f'organisation "{organization.organization}": {len(deletes):,} of {counted(listed, "live channel")} would '
            f"be deleted ({names}), but the limit is {limit:,} ({explanation})",
            hint=f"If you want to delete {them}, use --max-deletes {len(deletes)}.",
        )


def _deletes(organization: OrganizationPlan) -> list[Delete]:
    return [change for change in organization.changes if isinstance(change, Delete)]
