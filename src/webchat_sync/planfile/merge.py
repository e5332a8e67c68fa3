"""Saved plans of several organisations, put together: the shards of one fleet, say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.model import Plan
from webchat_sync.plan.digest import document_digest


def merge_plans(plans: Mapping[str, Plan]) -> Plan:
    """The plan of all organisations of ``plans``, which are by the names of their files; of one, that one.

    It was made when the oldest was. Raises InputError when an organisation is in two of them, or when they were limited
    to different channels or made against different kinds of listings.
    """
    first, *others = plans.values()
    if not others:
        return first
    problems = [
        Diagnostic(
            f'organisation "{organization}" is in {" and in ".join(files)}',
            hint="Use one plan for each organisation, for example those of all shards of one run.",
        )
        for organization, files in _files_of(plans).items()
        if len(files) > 1
    ]
    for name, plan in plans.items():
        if plan.partial != first.partial or (plan.live_created_at is None) != (first.live_created_at is None):
            problems.append(
                Diagnostic(
                    f"{name} was made with different options from {next(iter(plans))}: --target or --live",
                    hint="Use the same options for all of them.",
                )
            )
    if problems:
        raise InputError(problems)
    taken = [plan.live_created_at for plan in plans.values() if plan.live_created_at]
    return replace(
        first,
        created_at=min(plan.created_at for plan in plans.values()),
        organizations=tuple(planned for plan in plans.values() for planned in plan.organizations),
        failed=tuple(failed for plan in plans.values() for failed in plan.failed),
        limited=any(plan.limited for plan in plans.values()),
        live_created_at=min(taken) if taken else None,
        # It fits no manifests: who gives them beside the plan gives the parts.
        manifest_digest=document_digest({name: plan.manifest_digest for name, plan in plans.items()}),
    )


def _files_of(plans: Mapping[str, Plan]) -> Mapping[str, list[str]]:
    files: defaultdict[str, list[str]] = defaultdict(list)
    for name, plan in plans.items():
        for organization in dict.fromkeys(plan.names):
            files[organization].append(name)
    return files
