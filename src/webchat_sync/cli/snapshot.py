"""``webchat-sync snapshot``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.connection import ConnectionOptions, connection_options
from webchat_sync.cli.files import check_outputs, output_path, write_private_text
from webchat_sync.cli.fleet import FleetOptions, exit_codes, fleet_options, read_named
from webchat_sync.cli.live import take_live
from webchat_sync.cli.manifests import overlay_option, paths_argument
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note
from webchat_sync.errors import worst_exit_code
from webchat_sync.sentences import counted


@click.command("snapshot", short_help="Save the live channels, for plan --live.")
@paths_argument
@overlay_option
@connection_options
@fleet_options
@click.option(
    "--out",
    metavar="FILE",
    required=True,
    type=output_path,
    help="Write to FILE, readable by you only.",
)
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    paths: tuple[Path, ...],
    overlays: tuple[Path, ...],
    connection: ConnectionOptions,
    fleet: FleetOptions,
    out: Path,
) -> int:
    """Save the live channels, so that `plan --live` needs neither the API nor a key.

    PATH is a manifest file or a folder of them: the live channels of their organisations are saved. Without PATH,
    those of --org are saved. If one of several organisations fails, it's reported and left out, and the exit code is
    the most severe one. Planning against the file reports it again.

    \b
    Examples:
      webchat-sync snapshot channels/ --out live.json
      webchat-sync plan channels/ --live live.json
    """
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.planfile.snapshot import render_snapshot

    check_outputs({"--out": out, "--debug-http": connection.debug_http}, paths, overlays=overlays)
    manifests = read_named(paths, connection, load_catalogue(), runtime, overlays, fleet)
    snapshot = take_live(manifests, connection, runtime)
    if snapshot.listings or not snapshot.failed:
        write_private_text(out, render_snapshot(snapshot))
        count = sum(len(listing.channels) for listing in snapshot.listings.values())
        note(f"Saved {counted(count, 'live channel')} to {out}.")
    return worst_exit_code(exit_codes(snapshot.failed))
