"""``webchat-sync plan``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options, key_variables
from webchat_sync.cli.files import output_path, write_private_text
from webchat_sync.cli.fleet import FleetOptions, exit_codes, fleet_options, read_fleet, say_failed
from webchat_sync.cli.growing import GrowingPlan
from webchat_sync.cli.guards import guard_options
from webchat_sync.cli.live import live_and_memory_option, plan_against
from webchat_sync.cli.manifests import overlay_option, paths_argument, quoting
from webchat_sync.cli.memory import memory_option, remembered_by
from webchat_sync.cli.output import Output, output_options
from webchat_sync.cli.rotations import adopt_secret_option, remove_twins_option, rotate_option, strict_option
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.targets import target_option
from webchat_sync.cli.tone import note
from webchat_sync.errors import worst_exit_code

if TYPE_CHECKING:
    from webchat_sync.plan.guard import GuardOptions


@click.command("plan")
@paths_argument
@overlay_option
@connection_options
@click.option(
    "--out",
    metavar="FILE",
    type=output_path,
    help="Save the plan to FILE, readable by you only, for `apply FILE`.",
)
@live_and_memory_option
@fleet_options
@target_option
@rotate_option
@adopt_secret_option
@memory_option
@remove_twins_option
@strict_option
@guard_options
@output_options
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if the plan has changes.")
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    paths: tuple[Path, ...],
    overlays: tuple[Path, ...],
    connection: ConnectionOptions,
    out: Path | None,
    live: Path | None,
    fleet: FleetOptions,
    targets: tuple[str, ...],
    rotate: tuple[str, ...],
    adopt_secrets: tuple[str, ...],
    memory: str | None,
    remove_twins: bool,
    strict: bool,
    guards: GuardOptions,
    output: Output,
    detailed_exitcode: bool,
) -> int:
    """Show what apply would change. Nothing is written to the server.

    PATH is a manifest file or a folder of them (*.yaml, *.yml, *.json); without one, the current directory.
    What a manifest doesn't declare isn't managed: an absent field keeps its live value, and a live channel that no
    file declares is kept, unless settings.prune is on.

    Formats: text for terminals; json for programs (schemas/plan.schema.json); markdown for a comment on a pull
    request; github for annotations in GitHub Actions; gitlab for GitLab's terraform report; html for a page that
    shows each channel before and after.

    A plan that a guard refuses is still shown and saved, and the exit code is 5. If one of several organisations
    fails, it's reported and left out of the plan, and the exit code is the most severe one.

    \b
    Examples:
      webchat-sync plan channels/
      webchat-sync plan channels/ --overlay staging.yaml
      webchat-sync plan channels/ --out plan.json
      webchat-sync plan channels/ --target 'Support*'
      webchat-sync plan channels/ --target-org 'acme-*'
      webchat-sync plan channels/ --shard 1/4 --out plan-1.json
      webchat-sync plan channels/ --live live.json --format json
      webchat-sync plan channels/ --render markdown=comment.md --render gitlab=report.json
      webchat-sync plan channels/ --render html=report.html
      webchat-sync plan examples/quickstart --sandbox
    """
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.plan.guard import judged
    from webchat_sync.plan.summary import has_changes
    from webchat_sync.workflow.plan import PlanOptions, plan_live, refuse

    others = {"--out": out, "--debug-http": connection.debug_http}
    output = output.checked(others, [*(paths or [Path()]), *([live] if live else [])], overlays)
    growing = GrowingPlan(output, runtime)
    catalogue = load_catalogue()
    options = PlanOptions(
        targets=targets,
        rotate=rotate,
        adopt_secrets=adopt_secrets,
        remove_twins=remove_twins,
        with_digests=live is not None or out is not None or output.written,
    )
    with quoting(paths or [Path()]):
        if live is not None:
            plan = plan_against(live, paths, overlays, connection, memory, catalogue, runtime, options, fleet)
        else:
            manifests, selection = read_fleet(paths, connection, catalogue, runtime, overlays, fleet)
            options = replace(options, selection=selection)
            remembered = remembered_by(manifests, memory, connection, runtime, paths, overlays)
            part = selection.limited
            with connect(connection, runtime, key_variables(manifests), manifests, part=part) as connected:
                plan = wait_for(
                    lambda: plan_live(manifests, connected, runtime, catalogue, remembered, options, growing)
                )
    plan = judged(plan, guards, strict=strict)
    if out is not None:
        from webchat_sync.planfile.writer import plan_pieces

        write_private_text(out, plan_pieces(plan))
    growing.emit(plan)
    say_failed(plan.failed, plan.names)
    if out is not None:
        note(f"Saved the plan to {out}.")
    with quoting(paths or [Path()]):
        refuse(plan)
    return worst_exit_code([*exit_codes(plan.failed), 2 if detailed_exitcode and has_changes(plan) else 0])
