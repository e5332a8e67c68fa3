"""The options that override guards."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.jsonvalue import show
from webchat_sync.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from webchat_sync.plan.guard import MaxDeletes

_LIMIT: Final = lazy_pattern(r"([0-9]{1,9})(%?)", re.ASCII)


def _max_deletes(context: click.Context, parameter: click.Parameter, value: str | None) -> MaxDeletes | None:
    """Parses ``N`` or ``N%``."""
    from webchat_sync.plan.guard import MaxDeletes

    if value is None:
        return None
    written = _LIMIT.fullmatch(value)
    limit = MaxDeletes(int(written[1]), percent=bool(written[2])) if written else None
    if limit is None or (limit.percent and limit.number > 100):
        raise click.BadParameter(
            f"{show(value)} is neither a number of channels, such as 3, nor a percentage of at most 100%, such as 25%.",
            context,
            parameter,
        )
    return limit


def guard_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the options of the guards, as ``guards``."""

    @click.option(
        "--max-deletes",
        metavar="N|N%",
        callback=_max_deletes,
        help="Refuse to delete more channels of one organisation than this.  [default: 1, or 20% of the live "
        "channels if that's more]",
    )
    @click.option(
        "--allow-protected", is_flag=True, help="Allow channels with sync.protect to be deleted or switched off."
    )
    @click.option(
        "--allow-empty", is_flag=True, help="Allow a manifest without channels to delete channels under settings.prune."
    )
    @click.option(
        "--allow-short-listing",
        is_flag=True,
        help="For apply: apply a saved plan even if channels that it doesn't delete have disappeared.",
    )
    @click.option(
        "--allow-lookalikes",
        is_flag=True,
        help="Create a channel even if a live one might be the same channel under another name.",
    )
    @wraps(command)
    def wrapped(
        *arguments: object,
        max_deletes: MaxDeletes | None,
        allow_protected: bool,
        allow_empty: bool,
        allow_short_listing: bool,
        allow_lookalikes: bool,
        **rest: object,
    ) -> object:
        from webchat_sync.plan.guard import GuardOptions

        guards = GuardOptions(max_deletes, allow_protected, allow_empty, allow_short_listing, allow_lookalikes)
        return command(*arguments, guards=guards, **rest)

    return wrapped
