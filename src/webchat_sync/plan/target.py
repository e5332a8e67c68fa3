"""Limits a plan to the channels that somebody named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase

from webchat_sync.errors import InputError, Problem
from webchat_sync.model import ChannelChange, OrganizationPlan, Plan


def limit(plan: Plan, targets: Sequence[str]) -> Plan:
    """``plan`` with nothing but the channels whose declared or live name matches one of ``targets``.

    A target is a name or a pattern (``*``, ``?``, ``[…]``; case counts). Without any, the plan stays as it is.
    Raises InputError for each target that no channel matches, with the names that come near.
    """
    if not targets:
        return plan
    names = [name for each in plan.organizations for name in _all_names(each)]
    problems = [_no_match(target, names) for target in targets if not _matches(names, [target])]
    if problems:
        raise InputError(problems)
    return replace(
        plan, organizations=tuple(_limited(each, targets) for each in plan.organizations), partial=tuple(targets)
    )


def _limited(organization: OrganizationPlan, targets: Sequence[str]) -> OrganizationPlan:
    return replace(
        organization,
        changes=tuple(change for change in organization.changes if _matches(_names(change), targets)),
        undeclared=tuple(channel for channel in organization.undeclared if _matches([channel.name], targets)),
    )


def _all_names(organization: OrganizationPlan) -> list[str]:
    changed = [name for change in organization.changes for name in _names(change)]
    return changed + [channel.name for channel in organization.undeclared]


def _names(change: ChannelChange) -> list[str]:
    """The name as declared and, where it is another, as it is live."""
    return [change.address] if change.renamed_from is None else [change.address, change.renamed_from]


def _matches(names: Iterable[str], targets: Iterable[str]) -> bool:
    return any(name == target or fnmatchcase(name, target) for target in targets for name in names)


def _no_match(target: str, names: Sequence[str]) -> Problem:
    near = get_close_matches(target, names, n=5, cutoff=0.5) or sorted(set(names))
    shown = ", ".join(f'"{name}"' for name in near) or "none"
    return Problem(f'--target "{target}" matches no channel', hint=f"Channels: {shown}.")
