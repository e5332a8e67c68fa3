"""``webchat-sync secret``."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from webchat_sync.cli.completion import name_argument
from webchat_sync.cli.connection import ConnectionOptions, connection_options, live_channel, open_api
from webchat_sync.cli.runtime import Runtime


@click.group("secret")
def command() -> None:
    """Rotate or revoke the identity secret of a channel.

    A site's servers sign its visitors with this secret. It is shown once, when it is made.

    \b
    Example:
      webchat-sync secret rotate Support --to support.secret
    """


@command.command()
@name_argument
@click.option(
    "--to",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the new secret to FILE, readable by you only.",
)
@click.option("--show", is_flag=True, help="Print the new secret.")
@connection_options
@click.pass_obj
def rotate(runtime: Runtime, *, name: str, to: Path | None, show: bool, connection: ConnectionOptions) -> None:
    """Make a new identity secret. The old one stops working at once.

    NAME is the channel's name or id. The secret cannot be read again, so --to or --show is required.

    \b
    Examples:
      webchat-sync secret rotate Support --to support.secret
      webchat-sync secret rotate Support --show | vault kv put secret/support key=-
    """
    if to is None and not show:
        raise click.UsageError("The new secret is shown only once: give --to FILE, or --show to print it.")
    import anyio

    from webchat_sync.secrets.file import secret_file

    async def rotated() -> str:
        with nullcontext() if to is None else secret_file(to) as deliver:
            async with open_api(connection, runtime) as api:
                made = await api.rotate_identity_secret((await live_channel(api, name)).id)
                if show:
                    click.echo(made.secret.reveal())
                if deliver is not None:
                    deliver(made.secret)
                return made.rotated_at

    rotated_at = anyio.run(rotated)
    where = f" The new one is in {to}." if to else ""
    click.echo(
        f'Rotated the identity secret of "{name}" at {rotated_at}; the old one no longer works.{where}', err=True
    )


@command.command()
@name_argument
@connection_options
@click.pass_obj
def revoke(runtime: Runtime, *, name: str, connection: ConnectionOptions) -> None:
    """Revoke the identity secret. Visitors signed with it are refused from then on.

    NAME is the channel's name or id.

    \b
    Example:
      webchat-sync secret revoke Support
    """
    import anyio

    async def revoked() -> None:
        async with open_api(connection, runtime) as api:
            await api.revoke_identity_secret((await live_channel(api, name)).id)

    anyio.run(revoked)
    click.echo(f'Revoked the identity secret of "{name}".', err=True)
