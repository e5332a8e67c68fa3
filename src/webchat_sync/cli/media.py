"""``webchat-sync media``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.connection import ConnectionOptions, connection_options, open_api
from webchat_sync.cli.files import FilledPath, read_bytes
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.tone import note
from webchat_sync.flat import flat

if TYPE_CHECKING:
    from webchat_sync.api import Media


@click.group("media")
def command() -> None:
    """Upload media to web-chat conversations.

    \b
    Example:
      webchat-sync media upload 2b1f… hours.png
    """


@command.command(short_help="Upload a file to a conversation.")
@click.argument("conversation")
@click.argument("file", type=FilledPath(path_type=Path))
@connection_options
@click.pass_obj
def upload(runtime: Runtime, *, conversation: str, file: Path, connection: ConnectionOptions) -> None:
    """Upload FILE to a conversation, and print the id of the media asset.

    \b
    Example:
      webchat-sync message send 2b1f… --type image --media "$(webchat-sync media upload 2b1f… hours.png)"
    """
    from webchat_sync.api import Upload

    content = Upload(file.name, read_bytes(file))

    async def uploaded() -> Media:
        async with open_api(connection, runtime) as api:
            return await api.upload_media(conversation, content)

    media = wait_for(uploaded)
    click.echo(flat(media.asset_id))
    note(f"Uploaded {file} to {media.url}." if media.url else f"Uploaded {file}.")
