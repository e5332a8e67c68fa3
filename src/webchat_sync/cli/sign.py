"""``webchat-sync secret sign``: unlike the other commands for secrets, it calls no API and changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.subject import (
    ANYWHERE,
    WITHOUT_KEY,
    LedgerOptions,
    find_offline,
    manifest_option,
    with_ledger_to_read,
)
from webchat_sync.model import Ledger
from webchat_sync.workflow.state import open_run_memory


def _not_empty(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not value:
        raise click.BadParameter("the id is empty. Use the id of a signed-in visitor.")
    return value


@click.command("sign", short_help="Print the signature of a user id, to compare with the site's.")
@click.argument("name")
@click.option(
    "--user-id", metavar="ID", required=True, callback=_not_empty, help="The user id to sign, as the site sends it."
)
@click.option(
    "--from",
    "source",
    metavar="SINK",
    help="Where the secret is: FILE, FILE:KEY for a dotenv file, or - for standard input.  [default: the sink "
    "that the ledger records]",
)
@with_ledger_to_read
@manifest_option(WITHOUT_KEY)
@click.pass_obj
def sign(
    runtime: Runtime,
    *,
    name: str,
    user_id: str,
    source: str | None,
    ledger_options: LedgerOptions,
    paths: tuple[Path, ...],
) -> None:
    """Print the signature of a user id, so that a site's developer can compare it with theirs.

    The signature is the hexadecimal HMAC-SHA256 of the user id, with the identity secret as the key. NAME is the
    channel's name or id. Needs no API key, and no network unless the memory is in Git.

    \b
    Examples:
      webchat-sync secret sign Support --user-id user-1
      webchat-sync secret sign Support --user-id user-1 --from .secrets/support.env:MOSEND_IDENTITY_SECRET
    """
    from webchat_sync.secrets.sign import piped_secret, signature, stored_secret

    secret = (
        piped_secret(sys.stdin.read())
        if source == "-"
        else stored_secret(name, source, _ledger(paths, runtime, ledger_options, name, source))
    )
    click.echo(signature(secret, user_id))


def _ledger(
    paths: Sequence[Path], runtime: Runtime, ledger_options: LedgerOptions, name: str, source: str | None
) -> Ledger:
    """The remembered rotations, unless the source of the secret is given."""
    if source is not None:
        return {}
    place = find_offline(paths, runtime, ledger_options, name).place
    with open_run_memory(place, runtime, base_url=ANYWHERE.label(runtime), with_owner=False) as memory:
        return memory.read().ledger
