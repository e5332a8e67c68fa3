"""``webchat-sync plan``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options, open_apis
from webchat_sync.cli.manifests import paths_argument, read_manifests
from webchat_sync.cli.output import no_color_option, use_color
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import GuardError


@click.command("plan")
@paths_argument
@connection_options
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when the plan has changes.")
@no_color_option
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    paths: tuple[Path, ...],
    connection: ConnectionOptions,
    output_format: str,
    detailed_exitcode: bool,
    no_color: bool,
) -> int:
    """Show what apply would change. Nothing is written.

    PATH is a manifest file or a folder of them (*.yaml, *.yml, *.json); without one, the current directory.
    What a manifest does not declare is not managed: an absent field keeps its live value, and a live channel
    that no file declares stays, unless settings.prune is on.

    \b
    Examples:
      webchat-sync plan channels/
      webchat-sync plan channels/ --format json > plan.json
      webchat-sync plan examples/quickstart --sandbox
    """
    import anyio

    from webchat_sync.apply.read import plan_live
    from webchat_sync.fields import load_catalogue
    from webchat_sync.model import Plan
    from webchat_sync.plan.make import has_changes
    from webchat_sync.render import plan_json, text

    catalogue = load_catalogue()
    manifests = read_manifests(paths, connection, catalogue, runtime)

    async def make() -> Plan:
        with connect(connection, runtime) as connected:
            async with open_apis(connected, (each.organization for each in manifests), runtime) as apis:
                return await plan_live(
                    manifests, apis, base_url=connected.label, catalogue=catalogue, now=runtime.now()
                )

    plan = anyio.run(make)
    color = use_color(no_color, runtime)
    as_json = output_format == "json"
    click.echo(plan_json.render_plan(plan) if as_json else text.render_plan(plan, color=color), color=color)
    if plan.refusals:
        raise GuardError(plan.refusals)
    return 2 if detailed_exitcode and has_changes(plan) else 0
