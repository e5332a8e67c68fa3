"""``webchat-sync version``."""

from __future__ import annotations

import click

from webchat_sync import __version__


@click.command("version")
def command() -> None:
    """Show the version, as --version does.

    \b
    Example:
      webchat-sync version
    """
    click.echo(f"webchat-sync {__version__}")
