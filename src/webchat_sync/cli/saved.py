"""Saved plans on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.files import input_path, read_text, refuse_written
from webchat_sync.errors import Diagnostic, InputError, StalePlanError
from webchat_sync.strict_json import JsonError, load_json
from webchat_sync.tree import special

if TYPE_CHECKING:
    from webchat_sync.cli.connection import ConnectionOptions
    from webchat_sync.cli.runtime import Runtime
    from webchat_sync.domain.catalogue import Catalogue
    from webchat_sync.model import Manifest, Plan
    from webchat_sync.workflow.sources import FromSavedPlan


plans_argument = click.argument("plans", metavar="PLAN...", nargs=-1, required=True, type=input_path)
"""Saved plans, passed to the command as ``plans``."""


def split_saved_plans(paths: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The saved plans among ``paths``, and the other paths.

    A saved plan is a JSON file with the top-level keys ``format_version`` and ``organizations``, valid or not.
    """
    plans = {path: None for path in dict.fromkeys(paths) if _is_saved_plan(path)}
    return tuple(plans), tuple(path for path in paths if path not in plans)


def read_saved_plans(paths: Sequence[Path]) -> tuple[Plan, ...]:
    """:func:`read_saved_plan` for each; all problems of all files are raised together."""
    plans: list[Plan] = []
    problems: list[Diagnostic] = []
    stale: list[Diagnostic] = []
    for path in paths:
        try:
            plans.append(read_saved_plan(path))
        except InputError as error:
            problems += error.problems
        except StalePlanError as error:
            stale += error.problems
    if problems:
        raise InputError([*problems, *stale])
    if stale:
        raise StalePlanError(stale)
    return tuple(plans)


def read_merged_plan(paths: Sequence[Path]) -> Plan:
    """The plan that the files form together; raises the errors of reading and merging."""
    from webchat_sync.planfile.merge import merge_plans

    files = tuple(dict.fromkeys(paths))
    return merge_plans(dict(zip(map(str, files), read_saved_plans(files), strict=True)))


def read_saved_plan(path: Path) -> Plan:
    """The plan in the file. Raises InputError if it isn't one, StalePlanError if it can't be applied."""
    from webchat_sync.planfile.reader import read_plan

    plan = read_plan(read_text(path), file=str(path))
    refuse_written(planned.ledger for planned in plan.organizations)
    return plan


def _is_saved_plan(path: Path) -> bool:
    from webchat_sync.planfile.reader import is_saved_plan

    if special(path):
        return False
    try:
        with path.open("rb") as file:
            # A YAML manifest isn't a JSON object, so it needn't be read.
            text = file.read() if file.read(1) == b"{" else b""
    except (OSError, ValueError):
        return False
    try:
        return bool(text) and is_saved_plan(load_json(b"{" + text))
    except JsonError:
        # A plan that is cut off or exceeds the limits still counts as one; reading it reports the problem.
        return b'"format_version"' in text and b'"organizations"' in text


def saved_source(
    plan_files: Sequence[Path],
    manifest_paths: Sequence[Path],
    overlays: Sequence[Path],
    connection: ConnectionOptions,
    catalogue: Catalogue,
    runtime: Runtime,
) -> FromSavedPlan:
    """The saved plans in ``plan_files``, merged, with the manifests that they must match, if any are given."""
    from webchat_sync.cli.manifests import load_and_warn
    from webchat_sync.planfile.merge import merge_plans
    from webchat_sync.workflow.sources import FromSavedPlan

    parts = read_saved_plans(plan_files)
    manifests: Sequence[Manifest] | None = None
    if manifest_paths:
        manifests = load_and_warn(manifest_paths, connection, catalogue, runtime, overlays, planning=True).manifests
    return FromSavedPlan(
        saved=merge_plans(dict(zip(map(str, plan_files), parts, strict=True))),
        parts=parts,
        manifests=manifests,
        organization=connection.organization,
    )
