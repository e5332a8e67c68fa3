"""The --target option."""

from __future__ import annotations

import click

target_option = click.option(
    "--target",
    "targets",
    metavar="NAME",
    multiple=True,
    help="Only the channels of this name, declared or live; *, ? and [...] match many. May be repeated.",
)
"""Handed to the command as ``targets``."""
