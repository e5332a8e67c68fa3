"""Saved plans on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.files import read_text, refuse_written
from webchat_sync.errors import Diagnostic, InputError, StalePlanError
from webchat_sync.strict_json import JsonError, load_json
from webchat_sync.tree import special

if TYPE_CHECKING:
    from webchat_sync.model import Plan


plans_argument = click.argument("plans", metavar="PLAN...", nargs=-1, required=True, type=click.Path(path_type=Path))
"""Saved plans, passed to the command as ``plans``."""


def split_saved_plans(paths: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The saved plans among ``paths``, and the other paths.

    A saved plan is a JSON file with the top-level keys ``format_version`` and ``organizations``, valid or not.
    """
    plans = tuple(path for path in dict.fromkeys(paths) if _is_saved_plan(path))
    return plans, tuple(path for path in paths if path not in plans)


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
    except JsonError as error:
        # A plan that exceeds the limits still counts as one; reading it reports the problem.
        return error.beyond and b'"format_version"' in text and b'"organizations"' in text
