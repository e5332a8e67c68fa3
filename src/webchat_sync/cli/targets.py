"""Options that choose an organisation, channels and a label: --org, --target and --label."""

from __future__ import annotations

import click

from webchat_sync.cli.completion import complete_channel

org_option = click.option(
    "--org",
    metavar="ID",
    help="The organisation's id, if no manifest is read or the manifest doesn't name it. The option, but not the "
    "variable, also selects one of several organisations.  [env: MOSEND_ORG_ID]",
)
"""Passed to the command as ``org``."""

target_option = click.option(
    "--target",
    "targets",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_channel,
    help="Only channels with this name, declared or live; *, ? and [...] match several. May be repeated.",
)
"""Passed to the command as ``targets``."""

label_option = click.option(
    "--label",
    metavar="LABEL",
    default="",
    help="Distinguish this comment, issue or request from others of the same organisations, for example `production`.",
)
"""Passed to the command as ``label``."""
