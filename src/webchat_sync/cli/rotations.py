"""The options for identity secrets, and the rules for them."""

from __future__ import annotations

from collections.abc import Mapping

import click

from webchat_sync.cli.files import KeptFile
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.streams import echo_read
from webchat_sync.cli.tone import note
from webchat_sync.workflow.rotations import SecretRules
from webchat_sync.workflow.state import LEDGER

rotate_option = click.option(
    "--rotate",
    "rotate",
    metavar="NAME",
    multiple=True,
    help="Rotate the identity secret of the declared channels with this name; globs match several. May be repeated.",
)
adopt_secret_option = click.option(
    "--adopt-secret",
    "adopt_secrets",
    metavar="NAME",
    multiple=True,
    help="Confirm that the site already has the current identity secret of the declared channels with this name; "
    "the ledger then records it as delivered. Globs match several. May be repeated.",
)
strict_option = click.option(
    "--strict",
    is_flag=True,
    help="Also refuse a plan that would create a channel that may already exist, or leave one with identityRequired "
    "but no identity secret.",
)
verify_option = click.option(
    "--verify-secrets", is_flag=True, help="Verify each new identity secret by opening two sessions."
)
take_over_option = click.option(
    "--take-over-sink",
    "take_over_sinks",
    is_flag=True,
    help="Let a new identity secret replace another channel's secret, or an unknown value, in a file or under a key.",
)
remove_twins_option = click.option(
    "--remove-twins",
    is_flag=True,
    help="Delete duplicate channels left by earlier creates that webchat-sync sent and got no response to.",
)
ledger_option = click.option(
    "--ledger",
    metavar="FILE",
    type=KeptFile(f"Use a path such as {LEDGER}."),
    help=f"Where rotations are recorded.  [default: settings.ledger of the manifest, or {LEDGER}]",
)


def secret_rules(
    runtime: Runtime,
    *,
    verify: bool = False,
    by_hand: bool = False,
    take_over_sinks: bool = False,
    reserved: Mapping[str, str] | None = None,
) -> SecretRules:
    """How the commands handle secrets: secrets are printed to stdout, notices to stderr.

    ``reserved`` comes from :func:`~webchat_sync.cli.files.in_use`.
    """
    return SecretRules(
        show=echo_read,
        say=note,
        allowed_paths=runtime.allowed_paths,
        verify=verify,
        by_hand=by_hand,
        take_over_sinks=take_over_sinks,
        reserved=reserved or {},
    )
