"""Merges saved plans of different organisations, such as the shards of a fleet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.model import FailedOrganization, OrganizationPlan, Plan, Shard
from webchat_sync.planfile.digest import document_digest
from webchat_sync.sentences import in_a_row

FEW: Final = 5
"""How many organisations that are in several plans are named."""


def merge_plans(plans: Mapping[str, Plan]) -> Plan:
    """The plan of all organisations in ``plans``, which are keyed by file name; a single plan is returned as is.

    Its creation time is the oldest one. Raises InputError if an organisation is in two of them, if they were made with
    different targets or kinds of listings, or if they're shards and some are missing or from other manifests.
    """
    first, *others = plans.values()
    if not others:
        return first
    problems = [
        Diagnostic(
            f"{_counted(organizations)} in {' and in '.join(files)}",
            hint="Use one plan for each organisation, for example those of all shards of one run.",
        )
        for files, organizations in _shared(plans).items()
    ]
    for name, plan in plans.items():
        if plan.partial != first.partial or (plan.live_created_at is None) != (first.live_created_at is None):
            problems.append(
                Diagnostic(
                    f"{name} was made with different options from {next(iter(plans))}: --target or --live",
                    hint="Use the same options for all of them.",
                )
            )
    problems += _missing([plan.shard for plan in plans.values() if plan.shard is not None])
    problems += _mixed(plans)
    if problems:
        raise InputError(problems)
    live_times = [plan.live_created_at for plan in plans.values() if plan.live_created_at]
    return replace(
        first,
        created_at=min(plan.created_at for plan in plans.values()),
        # The order of the files must not count, or a comment on the same plans would change.
        organizations=tuple(sorted((planned for plan in plans.values() for planned in plan.organizations), key=_name)),
        failed=tuple(sorted((failed for plan in plans.values() for failed in plan.failed), key=_name)),
        limited=any(plan.limited for plan in plans.values()),
        shard=None,
        fleet_digest="",
        live_created_at=min(live_times, default=None),
        manifest_digest=_digest(plans),
    )


def _digest(plans: Mapping[str, Plan]) -> str:
    """The digest of the manifests of all shards; that of other plans matches none, as each is checked on its own."""
    fleets = {plan.fleet_digest for plan in plans.values()}
    if len(fleets) == 1 and (fleet := fleets.pop()):
        return fleet
    return document_digest({name: plan.manifest_digest for name, plan in plans.items()})


def _name(part: OrganizationPlan | FailedOrganization) -> str:
    return part.organization


def _missing(shards: Sequence[Shard]) -> Iterator[Diagnostic]:
    """A problem if ``shards`` aren't all of one run: what they say together would leave out organisations."""
    totals = sorted({shard.total for shard in shards})
    if len(totals) > 1:
        yield Diagnostic(
            f"the plans come from runs with different numbers of shards: {in_a_row(list(map(str, totals)))}",
            hint="Use the plans of one run.",
        )
        return
    given = {shard.index for shard in shards}
    missing = [str(Shard(index, total)) for total in totals for index in range(1, total + 1) if index not in given]
    if missing:
        what, are = ("plan of shard", "is") if len(missing) == 1 else ("plans of shards", "are")
        yield Diagnostic(
            f"the {what} {in_a_row(missing, most=FEW)} {are} missing",
            hint="Use the plans of all shards, or only one of them.",
        )


def _mixed(plans: Mapping[str, Plan]) -> Iterator[Diagnostic]:
    """A problem if they are shards of different manifests: what they say together is true of neither commit."""
    files: defaultdict[str, list[str]] = defaultdict(list)
    for name, plan in plans.items():
        if plan.fleet_digest:
            files[plan.fleet_digest].append(name)
    if len(files) > 1:
        groups = [in_a_row(names, most=FEW) for names in files.values()]
        yield Diagnostic(
            f"the plans of the shards were made from different manifests: {' / '.join(groups)}",
            hint="Use the plans of one run, which have the same commit, options and variables.",
        )


def _shared(plans: Mapping[str, Plan]) -> Mapping[tuple[str, ...], list[str]]:
    """The organisations that are in more than one of the files, by these files."""
    files: defaultdict[str, list[str]] = defaultdict(list)
    for name, plan in plans.items():
        for organization in dict.fromkeys(plan.names):
            files[organization].append(name)
    shared: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for organization, names in files.items():
        if len(names) > 1:
            shared[tuple(names)].append(organization)
    return shared


def _counted(organizations: Sequence[str]) -> str:
    if len(organizations) == 1:
        return f'organisation "{organizations[0]}" is'
    names = [f'"{organization}"' for organization in organizations]
    return f"organisations {in_a_row(names, most=FEW)} are"
