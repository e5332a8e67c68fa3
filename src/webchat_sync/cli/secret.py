"""``webchat-sync secret``."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.completion import name_argument
from webchat_sync.cli.connection import (
    ConnectionOptions,
    connect,
    connection_options,
    live_channel,
    one_organization,
    open_apis,
)
from webchat_sync.cli.lock import apply_lock
from webchat_sync.cli.rotations import RECOVERY, ledger_option, open_rotations, verify_option
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.errors import ApiError, ApplyError, InputError
from webchat_sync.flat import flat
from webchat_sync.model import ChannelChange, ChannelKey, LiveChannel, Secret, SecretChange, Sink

if TYPE_CHECKING:
    from webchat_sync.api import Mosend
    from webchat_sync.secrets.rotate import Rotations

to_option = click.option(
    "--to",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the secret to FILE, readable by you only.",
)


@click.group("secret")
def command() -> None:
    """Rotate, revoke, deliver and try out the identity secrets of channels.

    A site's servers sign its visitors with this secret. It is shown once, when it is made.

    \b
    Example:
      webchat-sync secret rotate Support --to support.secret
    """


@command.command()
@name_argument
@to_option
@click.option("--show", is_flag=True, help="Print the new secret.")
@ledger_option
@verify_option
@connection_options
@click.pass_obj
def rotate(
    runtime: Runtime,
    *,
    name: str,
    to: Path | None,
    show: bool,
    ledger: Path,
    verify_secrets: bool,
    connection: ConnectionOptions,
) -> None:
    """Make a new identity secret. The old one stops working at once.

    NAME is the channel's name or id. The secret cannot be read again, so --to or --show is required. Until it is
    where it should be, a copy lies in .webchat-sync/recovery/.

    \b
    Examples:
      webchat-sync secret rotate Support --to support.secret
      webchat-sync secret rotate Support --show | vault kv put secret/support key=-
    """
    if to is None and not show:
        raise click.UsageError("The new secret is shown only once: give --to FILE, or --show to print it.")
    sinks = _sinks(to, show=show)

    async def rotated() -> str:
        async with _opened(runtime, connection, ledger, verify=verify_secrets) as desk:
            wanted = SecretChange("rotate", "asked for", sinks=sinks)
            if problems := await desk.rotations.probe(
                desk.organization, [ChannelChange(name, "update", None, secret=wanted)]
            ):
                raise InputError(problems)
            return await _carried_out(desk, name, wanted)

    rotated_at = wait_for(rotated)
    where = f" The new one is in {to}." if to else ""
    told = f'Rotated the identity secret of "{name}" at {rotated_at}; the old one no longer works.{where}'
    click.echo(flat(told), err=True)


@command.command()
@name_argument
@ledger_option
@connection_options
@click.pass_obj
def revoke(runtime: Runtime, *, name: str, ledger: Path, connection: ConnectionOptions) -> None:
    """Revoke the identity secret. Visitors signed with it are refused from then on.

    NAME is the channel's name or id.

    \b
    Example:
      webchat-sync secret revoke Support
    """

    async def revoked() -> None:
        async with _opened(runtime, connection, ledger) as desk:
            await _carried_out(desk, name, SecretChange("revoke", "asked for"))

    wait_for(revoked)
    click.echo(flat(f'Revoked the identity secret of "{name}".'), err=True)


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@ledger_option
@connection_options
@click.pass_obj
def status(
    runtime: Runtime, *, names: tuple[str, ...], output_format: str, ledger: Path, connection: ConnectionOptions
) -> None:
    """Show which channels have an identity secret, and what the ledger remembers of it.

    NAME is a channel's name or id; without one, all live channels are shown. Nothing is written.

    \b
    Example:
      webchat-sync secret status
    """
    from webchat_sync.render.secrets import SecretStatus, render_json, render_text
    from webchat_sync.secrets.ledger import read_ledger
    from webchat_sync.secrets.recovery import waiting

    remembered, waits = read_ledger(ledger), {each.key for each in waiting(RECOVERY)}

    async def read() -> list[SecretStatus]:
        organization = one_organization(connection, runtime)
        with connect(connection, runtime) as connected:
            async with open_apis(connected, [organization], runtime) as apis:
                api = apis[organization]
                listed = [await live_channel(api, name) for name in names] or await api.list_channels()
        keys = [ChannelKey(connected.label, organization, each.id) for each in listed]
        return [
            SecretStatus(channel.name, channel.id, _has(channel), remembered.get(key), key in waits)
            for channel, key in zip(listed, keys, strict=True)
        ]

    statuses = wait_for(read)
    click.echo(render_json(statuses) if output_format == "json" else render_text(statuses, now=runtime.now()))


@command.command()
@click.argument("name")
@to_option
@click.option("--show", is_flag=True, help="Print the secret.")
@ledger_option
@click.pass_obj
def deliver(runtime: Runtime, *, name: str, to: Path | None, show: bool, ledger: Path) -> None:
    """Bring a secret on that a sink did not take, without another rotation. Needs no network and no API key.

    NAME is the channel's name or id. The secret goes to all the sinks that it was made for, or, with --to or --show,
    there instead. Then it is removed from .webchat-sync/recovery/.

    \b
    Examples:
      webchat-sync secret deliver Support
      webchat-sync secret deliver Support --to support.secret
    """
    from webchat_sync.secrets.deliver import deliver_waiting
    from webchat_sync.secrets.recovery import find_waiting
    from webchat_sync.secrets.sinks import Sinks

    key = Secret(runtime.environ.get("MOSEND_API_KEY", "").strip())

    async def delivered() -> tuple[Sink, ...]:
        with apply_lock(runtime):
            return await deliver_waiting(
                find_waiting(RECOVERY, ledger, name),
                Sinks(runtime.environ, keys=(key,), show=click.echo),
                folder=RECOVERY,
                ledger=ledger,
                instead=_sinks(to, show=show),
                sleep=runtime.sleep,
                now=runtime.now,
            )

    labels = ", ".join(sink.label for sink in wait_for(delivered))
    click.echo(flat(f'Delivered the identity secret of "{name}": {labels}.'), err=True)


@command.command()
@click.argument("name")
@click.option("--user-id", metavar="ID", required=True, help="The user id to sign, as the site sends it.")
@click.option(
    "--from",
    "source",
    metavar="SINK",
    help="Where the secret is: FILE, FILE:KEY for a dotenv file, or - for standard input.  "
    "[default: the sink that the ledger remembers]",
)
@ledger_option
def sign(*, name: str, user_id: str, source: str | None, ledger: Path) -> None:
    """Print the signature of a user id, for a site's developer to compare with.

    It is the hexadecimal HMAC-SHA256 of the user id, with the identity secret as its key. NAME is the channel's name
    or id. Needs no network and no API key.

    \b
    Examples:
      webchat-sync secret sign Support --user-id user-1
      webchat-sync secret sign Support --user-id user-1 --from .secrets/support.env:MOSEND_IDENTITY_SECRET
    """
    from webchat_sync.secrets.sign import secret_of, signature

    given = sys.stdin.read().strip() if source == "-" else ""
    secret = Secret(given) if given else secret_of(name, source, ledger)
    click.echo(signature(secret, user_id))


@dataclass(frozen=True, slots=True)
class _Desk:
    rotations: Rotations
    api: Mosend
    organization: str


@asynccontextmanager
async def _opened(
    runtime: Runtime, options: ConnectionOptions, ledger: Path, *, verify: bool = False
) -> AsyncIterator[_Desk]:
    organization = one_organization(options, runtime)
    with apply_lock(runtime), connect(options, runtime) as connected:
        async with open_apis(connected, [organization], runtime) as apis:
            paths = {organization: ledger}
            rotations = open_rotations(apis, connected, paths, runtime, verify=verify, by_hand=True)
            yield _Desk(rotations, apis[organization], organization)


async def _carried_out(desk: _Desk, name: str, secret: SecretChange) -> str:
    """Do it, and return when the server says that it did."""
    live = await live_channel(desk.api, name)
    change = ChannelChange(live.name, "update", live.id, secret=secret)
    try:
        await desk.rotations.carry_out(desk.organization, change, live.id)
    except ApiError as error:
        if not error.in_doubt:
            raise
        hint = "The secret may be another one now, which nobody knows: rotate it again."
        raise ApplyError(error.message, hint=hint) from None
    entry = desk.rotations.ledger()[ChannelKey(desk.rotations.base_url, desk.organization, live.id)]
    return entry.server_at or entry.at


def _sinks(to: Path | None, *, show: bool) -> tuple[Sink, ...]:
    file = (Sink("file", str(to), folder=str(Path.cwd())),) if to else ()
    return (*file, Sink("show", folder=str(Path.cwd()))) if show else file


def _has(channel: LiveChannel) -> bool | None:
    has = channel.fields.get("hasIdentitySecret")
    return has if isinstance(has, bool) else None
