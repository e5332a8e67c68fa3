"""Limits a plan, or a list of live channels, to the channels that the user named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from webchat_sync.domain.names import matches
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.model import Change, Create, Delete, LiveChannel, OrganizationPlan, Plan, Unchanged, Update
from webchat_sync.sentences import candidates


def filter_by_target(plan: Plan, targets: Sequence[str], *, elsewhere: frozenset[str] = frozenset()) -> Plan:
    """``plan`` limited to the channels whose declared or live name matches one of ``targets``.

    A target is a name or a pattern (``*``, ``?``, ``[…]``; case-sensitive). Without targets, the plan is unchanged.
    Raises InputError with every target that matches neither a channel nor a name in ``elsewhere``, and suggests similar
    names.
    """
    if not targets:
        return plan
    names = [name for organization in plan.organizations for name in _all_names(organization)]
    problems = [_no_match(target, names) for target in targets if not _matches([*names, *elsewhere], [target])]
    if problems:
        raise InputError(problems)
    limited = tuple(_limited(organization, targets) for organization in plan.organizations)
    return replace(plan, organizations=limited, partial=tuple(targets))


def filter_channels(channels: Sequence[LiveChannel], only: Sequence[str], exclude: Sequence[str]) -> list[LiveChannel]:
    """The ``channels`` whose name or id matches one of ``only`` (if there are any) and none of ``exclude``.

    Patterns are as in :func:`filter_by_target`. Raises InputError for any of ``only`` that matches no channel.
    """
    names = [channel.name for channel in channels]
    all_names = names + [channel.id for channel in channels]
    problems = [_no_match(name, names, option="--only") for name in only if not _matches(all_names, [name])]
    if problems:
        raise InputError(problems)
    return [
        channel
        for channel in channels
        if (not only or _matches((channel.name, channel.id), only))
        and not _matches((channel.name, channel.id), exclude)
    ]


def _limited(organization: OrganizationPlan, targets: Sequence[str]) -> OrganizationPlan:
    return replace(
        organization,
        changes=tuple(change for change in organization.changes if _matches(_names(change), targets)),
        undeclared=tuple(channel for channel in organization.undeclared if _matches([channel.name], targets)),
    )


def _all_names(organization: OrganizationPlan) -> list[str]:
    changed = [name for change in organization.changes for name in _names(change)]
    return changed + [channel.name for channel in organization.undeclared]


def _names(change: Change) -> list[str]:
    """The declared name, and the live one if it differs."""
    match change:
        case Update(renamed_from=str(former)):
            return [change.address, former]
        case Create() | Update() | Delete() | Unchanged():
            return [change.address]


def _matches(names: Iterable[str], targets: Iterable[str]) -> bool:
    return any(matches(name, target) for target in targets for name in names)


def _no_match(target: str, names: Sequence[str], *, option: str = "--target") -> Diagnostic:
    return Diagnostic(f'{option} "{target}" matches no channel', hint=f"Channels: {candidates(target, names)}.")
