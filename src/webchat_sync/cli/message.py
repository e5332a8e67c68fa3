"""``webchat-sync message``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from webchat_sync.cli.connection import ConnectionOptions, connection_options, open_api
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.flat import json_text

if TYPE_CHECKING:
    from webchat_sync.api.types import MessageType
    from webchat_sync.model import Json


@click.group("message")
def command() -> None:
    """Send messages to web-chat conversations.

    \b
    Example:
      webchat-sync message send 2b1f… --body "We are back online."
    """


@command.command(short_help="Send a message to a conversation.")
@click.argument("conversation")
@click.option(
    "--type",
    "message_type",
    type=click.Choice(["text", "image", "video", "audio", "document"]),
    default="text",
    show_default=True,
    help="The type of the message.",
)
@click.option(
    "--body", metavar="TEXT", help="The text, or the optional caption of the media: at most 4,096 characters."
)
@click.option(
    "--media",
    metavar="ID",
    help="The id of the media asset to send, as printed by `media upload`; required unless --type is text.",
)
@click.option("--reply-to", metavar="ID", help="The id of the message to reply to.")
@connection_options
@click.pass_obj
def send(
    runtime: Runtime,
    *,
    conversation: str,
    message_type: str,
    body: str | None,
    media: str | None,
    reply_to: str | None,
    connection: ConnectionOptions,
) -> None:
    """Send a message to a conversation, and print it as the server stored it (JSON).

    \b
    Examples:
      webchat-sync message send 2b1f… --body "We are back online."
      webchat-sync message send 2b1f… --type image --media 9c0d… --body "The new opening hours"
    """
    from webchat_sync.api import Message

    message = Message(cast("MessageType", message_type), body, media, reply_to)

    async def sent() -> dict[str, Json]:
        async with open_api(connection, runtime) as api:
            return await api.send_message(conversation, message, idempotency_key=runtime.new_id())

    click.echo(json_text(wait_for(sent)))
