"""``webchat-sync hours``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.completion import name_argument
from webchat_sync.cli.connection import ConnectionOptions, connection_options, live_channel, open_api
from webchat_sync.cli.manifests import load_and_warn, paths_argument
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.tone import note
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.jsonvalue import show

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from webchat_sync.model import Json

_READABLE: Final = '{"timezone": "Europe/Madrid", "days": {"mon": ["09:00-13:00"]}}'


def _moment(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    try:
        return None if value is None else datetime.fromisoformat(value)
    except ValueError:
        wrong = f"{show(value)} isn't a time such as 2026-11-02T18:30, 2026-11-02T18:30-05:00 or 2026-11-02."
        raise click.BadParameter(wrong, context, parameter) from None


@click.command("hours", short_help="Show whether a channel's chat is open, and until when.")
@name_argument
@paths_argument
@click.option(
    "--at",
    metavar="TIME",
    callback=_moment,
    help="The time to look at (ISO 8601). Without an offset, it's in the channel's time zone.  [default: now]",
)
@click.option(
    "--live", is_flag=True, help="Use the live hours instead of the declared ones, without reading manifests."
)
@connection_options
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    name: str,
    paths: tuple[Path, ...],
    at: datetime | None,
    live: bool,
    connection: ConnectionOptions,
) -> None:
    """Show whether a channel's chat is open at a given time, and when it next opens or closes.

    NAME is the channel's name or, with --live, its name or id. PATH is a manifest file or a folder of them; without
    one, the current directory. The hours must have the form {timezone, days: {mon: ["09:00-13:00"]}}.

    \b
    Examples:
      webchat-sync hours Support
      webchat-sync hours Support --at 2026-12-24T18:30 channels/
      webchat-sync hours Support --live
    """
    import json

    from webchat_sync.domain.hours import is_open, next_change, parse_week, zone
    from webchat_sync.render.hours import render_hours

    value = _live_hours(name, connection, runtime) if live else _declared_hours(name, paths, connection, runtime)
    week = parse_week(value)
    if week is None:
        if value is None:
            hint = f"Set them, for example to {_READABLE}."
            raise InputError([Diagnostic(f'no operating hours are set for "{name}"', hint=hint)])
        shown = json.dumps(value, ensure_ascii=False)
        hint = f"webchat-sync can read hours of the form {_READABLE}."
        raise InputError([Diagnostic(f'can\'t read the operating hours of "{name}": {shown}', hint=hint)])
    moment = at or runtime.now()
    try:
        here = moment.astimezone(zone(week)) if moment.tzinfo else _on_the_wall(moment, zone(week))
        open_now, until = is_open(week, here), next_change(week, here)
    except OverflowError:
        hint = "Use a time between the years 2 and 9998."
        message = f"--at {moment} is too close to the beginning or the end of the calendar"
        raise InputError([Diagnostic(message, hint=hint)]) from None
    click.echo(render_hours(name, week.timezone, here, open_now=open_now, until=until))


def _on_the_wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """``moment`` as local time in the time zone; raises an error if that time is skipped or ambiguous."""
    wall = moment.replace(tzinfo=zone)
    local = wall.astimezone(UTC).astimezone(zone)
    if local.replace(tzinfo=None) != moment:
        message = f"clocks in {zone.key} skip {moment:%H:%M} on {moment:%d %b %Y}; using {local:%H:%M}"
        note(f"Note: {message}.")
    elif local.utcoffset() != (later := wall.replace(fold=1)).utcoffset():
        message = f"clocks in {zone.key} show {moment:%H:%M} twice on {moment:%d %b %Y}; using the first"
        note(f"Note: {message}. The second is {later.isoformat(timespec='minutes')}.")
    return local


def _declared_hours(name: str, paths: tuple[Path, ...], connection: ConnectionOptions, runtime: Runtime) -> Json:
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.domain.hours import FIELD
    from webchat_sync.domain.names import same
    from webchat_sync.sentences import candidates

    manifests = load_and_warn(paths, connection.offline, load_catalogue(), runtime).manifests
    declared = [declaration for manifest in manifests for declaration in manifest.declarations]
    matching = [declaration for declaration in declared if same(declaration.name, name)]
    if not matching:
        names = candidates(name, [declaration.name for declaration in declared])
        raise InputError([Diagnostic(f'no declared channel is named "{name}"', hint=f"Declared channels: {names}.")])
    if len(matching) > 1:
        found = [
            (manifest.organization, declaration.place)
            for manifest in manifests
            for declaration in manifest.declarations
            if declaration in matching
        ]
        hint = "Use --org ID, or give the path of the file that you mean."
        if len({(organization, place.file) for organization, place in found}) == 1:
            hint = "Use --live with the id of the channel that you mean, to see its live hours."
        raise InputError(
            [
                Diagnostic(
                    f'several channels have this name: "{name}" of {organization} is declared here', place, hint=hint
                )
                for organization, place in found
            ]
        )
    if FIELD not in matching[0].fields:
        hint = "Use --live to see the live hours."
        raise InputError([Diagnostic(f'"{name}" doesn\'t declare {FIELD}', matching[0].place, hint=hint)])
    return matching[0].fields[FIELD]


def _live_hours(name: str, connection: ConnectionOptions, runtime: Runtime) -> Json:
    from webchat_sync.domain.hours import FIELD

    async def hours() -> Json:
        async with open_api(connection, runtime) as api:
            fields = (await live_channel(api, name)).fields
        if FIELD in fields:
            return fields[FIELD]
        hint = "Leave out --live to use the declared hours."
        raise InputError([Diagnostic(f'the API doesn\'t list the operating hours of "{name}"', hint=hint)])

    return wait_for(hours)
