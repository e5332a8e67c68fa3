"""``webchat-sync apply``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options, open_apis
from webchat_sync.cli.manifests import paths_argument, read_manifests
from webchat_sync.cli.output import no_color_option, use_color
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import GuardError

if TYPE_CHECKING:
    from webchat_sync.model import ApplyReport, Plan


@click.command("apply")
@paths_argument
@connection_options
@click.option("--auto-approve", is_flag=True, help="Do not ask before the changes are made.")
@click.option(
    "--parallelism",
    metavar="N",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="How many channels are written to at once.",
)
@no_color_option
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    paths: tuple[Path, ...],
    connection: ConnectionOptions,
    auto_approve: bool,
    parallelism: int,
    no_color: bool,
) -> int:
    """Make the live channels equal to the manifests.

    Shows the plan, asks for `yes`, makes the changes, then reads the channels again and says whether they are
    as declared. Deletes come last, and only when everything else worked. Where nobody can be asked, in a
    pipeline, --auto-approve is required.

    \b
    Examples:
      webchat-sync apply channels/
      webchat-sync apply channels/ --auto-approve
      webchat-sync apply examples/quickstart --sandbox --auto-approve
    """
    if not auto_approve and not runtime.interactive:
        raise click.UsageError("apply cannot ask for approval here: give --auto-approve, or run it in a terminal.")
    import anyio

    from webchat_sync.apply.converge import apply_plan
    from webchat_sync.apply.read import plan_live
    from webchat_sync.cli.progress import show_progress
    from webchat_sync.fields import load_catalogue
    from webchat_sync.plan.make import has_changes
    from webchat_sync.render.report import render_report
    from webchat_sync.render.text import render_plan

    color = use_color(no_color, runtime)
    catalogue = load_catalogue()
    manifests = read_manifests(paths, connection, catalogue, runtime)

    async def converge() -> tuple[Plan, ApplyReport | None]:
        with connect(connection, runtime) as connected:
            async with open_apis(connected, (each.organization for each in manifests), runtime) as apis:
                plan = await plan_live(
                    manifests, apis, base_url=connected.label, catalogue=catalogue, now=runtime.now()
                )
                click.echo(render_plan(plan, color=color), color=color)
                if plan.refusals:
                    raise GuardError(plan.refusals)
                if not has_changes(plan) or not (auto_approve or _approved()):
                    return plan, None
                with show_progress(plan, runtime) as on_result:
                    return plan, await apply_plan(
                        plan,
                        manifests,
                        apis,
                        base_url=connected.label,
                        catalogue=catalogue,
                        now=runtime.now,
                        parallelism=parallelism,
                        new_idempotency_key=runtime.new_id,
                        on_result=on_result,
                    )

    plan, report = anyio.run(converge)
    if report is None:
        return 1 if has_changes(plan) else 0
    click.echo(render_report(plan, report))
    return 0 if report.outcome == "converged" else 3


def _approved() -> bool:
    click.echo("\nDo you want to perform these actions? Only 'yes' will be accepted.", err=True)
    answer: str = click.prompt("  Enter a value", default="", show_default=False, err=True)
    if answer == "yes":
        return True
    click.echo("Apply cancelled. Nothing was changed.", err=True)
    return False
