"""The --target option."""

from __future__ import annotations

import click

from webchat_sync.cli.completion import complete_channel

target_option = click.option(
    "--target",
    "targets",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_channel,
    help="Only the channels of this name, declared or live; *, ? and [...] match many. May be repeated.",
)
"""Handed to the command as ``targets``."""
