"""Saved plans on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.files import read_text
from webchat_sync.strict_json import JsonError, load_json
from webchat_sync.tree import special

if TYPE_CHECKING:
    from webchat_sync.model import Plan


def split_saved_plan(paths: Sequence[Path]) -> tuple[Path | None, tuple[Path, ...]]:
    """The saved plan among ``paths``, None when there is none, and the other paths.

    A saved plan is a file of JSON whose top level has ``format_version`` and ``organizations``, be it sound or
    not. Two of them are wrong usage.
    """
    plans = [path for path in paths if _is_saved_plan(path)]
    if len(plans) > 1:
        raise click.UsageError(f"One saved plan at a time, please: {', '.join(map(str, plans))}.")
    return (plans[0] if plans else None), tuple(path for path in paths if path not in plans)


def read_saved_plan(path: Path) -> Plan:
    """The plan in the file. Raises InputError when it is none, StalePlanError when it may not be applied."""
    from webchat_sync.planfile.reader import read_plan

    return read_plan(read_text(path), file=str(path))


def _is_saved_plan(path: Path) -> bool:
    from webchat_sync.planfile.reader import is_saved_plan

    if special(path):
        return False
    try:
        with path.open("rb") as file:
            # A manifest in YAML need not be read to know that it is no JSON object.
            text = file.read() if file.read(1) == b"{" else b""
    except (OSError, ValueError):
        return False
    try:
        return bool(text) and is_saved_plan(load_json(b"{" + text))
    except JsonError as error:
        # A plan beyond the limits is a plan still: who reads it tells what is wrong with it.
        return error.beyond and b'"format_version"' in text and b'"organizations"' in text
