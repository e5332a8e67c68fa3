"""``webchat-sync avatar``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.completion import name_argument
from webchat_sync.cli.connection import ConnectionOptions, connection_options, live_channel, open_api
from webchat_sync.cli.files import FilledPath, read_bytes
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.tone import note
from webchat_sync.model import LiveChannel


@click.group("avatar")
def command() -> None:
    """Set or remove the avatar of a channel.

    \b
    Example:
      webchat-sync avatar set Support logo.png
    """


@command.command("set", short_help="Set the avatar of a channel.")
@name_argument
@click.argument("file", type=FilledPath(path_type=Path))
@connection_options
@click.pass_obj
def set_(runtime: Runtime, *, name: str, file: Path, connection: ConnectionOptions) -> None:
    """Give a channel the image in FILE: a PNG, JPG or WebP of at most 8 MB.

    NAME is the channel's name or id.

    \b
    Example:
      webchat-sync avatar set Support logo.png
    """
    from webchat_sync.api import Upload

    upload = Upload(file.name, read_bytes(file)).as_avatar()

    async def send() -> None:
        async with open_api(connection, runtime) as api:
            await api.set_avatar((await live_channel(api, name)).id, upload)

    wait_for(send)
    note(f'Set the avatar of "{name}".')


@command.command()
@name_argument
@connection_options
@click.pass_obj
def remove(runtime: Runtime, *, name: str, connection: ConnectionOptions) -> None:
    """Remove a channel's avatar. The widget shows its default image again.

    NAME is the channel's name or id.

    \b
    Example:
      webchat-sync avatar remove Support
    """

    async def send() -> LiveChannel:
        async with open_api(connection, runtime) as api:
            before = await live_channel(api, name)
            await api.remove_avatar(before.id)
            return before

    had_none = wait_for(send).fields.get("avatarUrl", "") is None
    note(f'"{name}" had no avatar.' if had_none else f'Removed the avatar of "{name}".')
