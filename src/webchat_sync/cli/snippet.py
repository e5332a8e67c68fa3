"""``webchat-sync snippet``."""

from __future__ import annotations

import click

from webchat_sync.cli.completion import name_argument
from webchat_sync.cli.connection import ConnectionOptions, connection_options, live_channel, open_api
from webchat_sync.cli.runtime import Runtime, wait_for


@click.command("snippet")
@name_argument
@connection_options
@click.pass_obj
def command(runtime: Runtime, *, name: str, connection: ConnectionOptions) -> None:
    """Print the HTML that adds a channel's widget to a page.

    NAME is the channel's name or id.

    \b
    Example:
      webchat-sync snippet Support
    """

    async def snippet() -> str:
        async with open_api(connection, runtime) as api:
            return await api.get_snippet((await live_channel(api, name)).id)

    click.echo(wait_for(snippet))
