"""``webchat-sync validate``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.connection import ConnectionOptions
from webchat_sync.cli.manifests import paths_argument, read_manifests
from webchat_sync.cli.runtime import Runtime


@click.command("validate")
@paths_argument
@click.option("--org", metavar="ID", help="Organisation, where the manifest names none.  [env: MOSEND_ORG_ID]")
@click.pass_obj
def command(runtime: Runtime, *, paths: tuple[Path, ...], org: str | None) -> None:
    """Check manifests without a network or a key.

    PATH is a manifest file or a folder of them (*.yaml, *.yml, *.json); without one, the current directory.
    Every problem of every file is listed, each with its place and what to do about it.

    \b
    Examples:
      webchat-sync validate
      webchat-sync validate channels/
    """
    from webchat_sync.fields import load_catalogue

    # No organisation is needed to check a file; one that is not named anywhere is asked for by plan and apply.
    options = ConnectionOptions(org, base_url=None, api_key_file=None, sandbox=True)
    manifests = read_manifests(paths, options, load_catalogue(), runtime)
    channels = sum(len(manifest.declarations) for manifest in manifests)
    click.echo(f"Valid: {channels} {'channel' if channels == 1 else 'channels'} declared.")
