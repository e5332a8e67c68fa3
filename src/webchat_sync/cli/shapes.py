"""``webchat-sync shapes``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.connection import ConnectionOptions, connection_options
from webchat_sync.cli.files import check_outputs
from webchat_sync.cli.fleet import FleetOptions, exit_codes, fleet_options, read_named
from webchat_sync.cli.live import live_option, open_snapshot, say_age, take_live
from webchat_sync.cli.manifests import overlay_option, paths_argument
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import worst_exit_code
from webchat_sync.flat import json_text
from webchat_sync.model import Listing, Manifest

if TYPE_CHECKING:
    from webchat_sync.planfile.snapshot import Snapshot


@click.command("shapes", short_help="Show what live channels contain in undocumented fields.")
@paths_argument
@overlay_option
@connection_options
@live_option
@fleet_options
@click.option(
    "--format", "output_format", type=click.Choice(["text", "json", "schema"]), default="text", show_default=True
)
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    paths: tuple[Path, ...],
    overlays: tuple[Path, ...],
    connection: ConnectionOptions,
    live: Path | None,
    fleet: FleetOptions,
    output_format: str,
) -> int:
    """Show what live channels contain in fields whose structure isn't documented.

    These are proactiveTriggers, departments, prechatFields, operatingHours and offlineAction, whose structure
    Mosend hasn't published in full, and fields that this release doesn't know. For each key, at any depth, you see
    its types, how many of the values have it, and up to three examples, shortened and without anything that looks
    like a secret.

    PATH is a manifest file or a folder of them: their organisations are examined, including the fields that their
    settings describe. Without PATH, the organisation of --org is examined, or every organisation in --live.

    Formats: text for terminals; json for programs (schemas/shapes.schema.json); schema is JSON Schema, which `schema
    manifest --learned FILE` includes for editors.

    \b
    Examples:
      webchat-sync shapes
      webchat-sync shapes channels/ --live live.json
      webchat-sync shapes --format schema > learned.schema.json
    """
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.render.shapes import render_json, render_text
    from webchat_sync.workflow.shapes import learn

    check_outputs({"--debug-http": connection.debug_http}, [*paths, *([live] if live else [])], overlays=overlays)
    catalogue = load_catalogue()
    if live is not None:
        snapshot, runtime = open_snapshot(live, runtime)
        manifests = read_named(paths, connection, catalogue, runtime, overlays, fleet)
        listings = _listings(snapshot, manifests, connection, runtime, live)
        say_age(live, snapshot, runtime, did="Learned", preposition="from")
    else:
        manifests = read_named(paths, connection, catalogue, runtime, overlays, fleet)
        snapshot = take_live(manifests, connection, runtime)
        listings = snapshot.listings
    learned = learn(listings, manifests or (), catalogue)
    match output_format:
        case "json":
            taken_at = snapshot.created_at if live else None
            click.echo(render_json(learned.shapes, created_at=runtime.now(), live_created_at=taken_at))
        case "schema":
            click.echo(json_text(learned.schema))
        case _:
            click.echo(render_text(learned.shapes))
    return worst_exit_code(exit_codes(snapshot.failed))


def _listings(
    snapshot: Snapshot,
    manifests: Sequence[Manifest] | None,
    connection: ConnectionOptions,
    runtime: Runtime,
    file: Path,
) -> Mapping[str, Listing]:
    """The listings of the manifests' organisations, or of --org, or else all in the snapshot."""
    from webchat_sync.planfile.snapshot import against

    names = [connection.organization] if connection.organization else [*snapshot.listings]
    named = [Manifest(name, ()) for name in names] if manifests is None else manifests
    pairs = against(snapshot, named, base_url=connection.named_label(runtime), file=str(file))
    return {manifest.organization: listing for manifest, listing in pairs}
