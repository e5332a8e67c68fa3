"""``webchat-sync show``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.files import read_text
from webchat_sync.cli.fleet import say_failed
from webchat_sync.cli.output import Output, output_options
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.saved import plans_argument, read_merged_plan


@click.command("show", short_help="Show a saved plan again, without a network or a key.")
@plans_argument
@output_options
@click.pass_obj
def command(runtime: Runtime, *, plans: tuple[Path, ...], output: Output) -> None:
    """Show a saved plan again, without a network or a key.

    PLAN is a file saved with `plan --out FILE`. Several plans of different organisations are shown as one. A plan
    that was edited after it was saved is refused. If a guard refused the plan when it was made, stderr says why.

    \b
    Examples:
      webchat-sync show plan.json
      webchat-sync show plan.json --format json | jq .summary
      webchat-sync show plan.json --format markdown | gh pr comment --body-file -
      webchat-sync show plan-*.json --format json > plan.json
    """
    from webchat_sync.plan.organizations import refused
    from webchat_sync.render.formats import PIECES
    from webchat_sync.render.problems.text import render_problems

    formats = dict(PIECES)
    if len(plans) == 1:
        # The saved document itself, even from another version.
        saved = read_text(plans[0]).rstrip("\n")
        formats["json"] = lambda _: saved
    output = output.checked({}, plans)
    plan = read_merged_plan(plans)
    say_failed(plan.failed, plan.names)
    output.emit(plan, runtime, formats=formats)
    if reasons := refused(plan):
        click.echo(render_problems(reasons), err=True)
