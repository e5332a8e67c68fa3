"""The options about identity secrets, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note
from webchat_sync.workflow.rotations import SecretRules
from webchat_sync.workflow.state import LEDGER

rotate_option = click.option(
    "--rotate",
    "rotate",
    metavar="NAME",
    multiple=True,
    help="Rotate the identity secret of the declared channels of this name; globs match many. May be repeated.",
)
adopt_secret_option = click.option(
    "--adopt-secret",
    "adopt_secrets",
    metavar="NAME",
    multiple=True,
    help="Vouch that the site has the present identity secret of the declared channels of this name; the ledger then "
    "remembers it as delivered. Globs match many. May be repeated.",
)
strict_option = click.option(
    "--strict",
    is_flag=True,
    help="Refuse a plan that leaves a channel with identityRequired and no identity secret: exit with 1.",
)
verify_option = click.option(
    "--verify-secrets", is_flag=True, help="Prove each new identity secret by opening two sessions."
)
take_over_option = click.option(
    "--take-over-sink",
    "take_over_sinks",
    is_flag=True,
    help="Let a new identity secret replace that of another channel, or what is not known, in a file or under a key.",
)
remove_twins_option = click.option(
    "--remove-twins",
    is_flag=True,
    help="Delete the second channels of a name that creates of ours made whose answers were lost.",
)
ledger_option = click.option(
    "--ledger",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Where rotations are remembered.  [default: settings.ledger of the manifest, or {LEDGER}]",
)


def secret_rules(
    runtime: Runtime,
    *,
    verify: bool = False,
    by_hand: bool = False,
    take_over_sinks: bool = False,
    reserved: Mapping[str, str] | None = None,
) -> SecretRules:
    """How the commands handle secrets: what is shown goes to stdout, what is said to stderr.

    ``reserved`` is what :func:`~webchat_sync.cli.files.in_use` gives.
    """
    return SecretRules(
        show=click.echo,
        say=note,
        allowed_paths=runtime.allowed_paths,
        verify=verify,
        by_hand=by_hand,
        take_over_sinks=take_over_sinks,
        reserved=reserved or {},
    )
