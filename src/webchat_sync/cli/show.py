"""``webchat-sync show``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.files import read_text
from webchat_sync.cli.output import no_color_option, use_color
from webchat_sync.cli.runtime import Runtime


@click.command("show")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@no_color_option
@click.pass_obj
def command(runtime: Runtime, *, file: Path, output_format: str, no_color: bool) -> None:
    """Show a saved plan as plan did when it was made, without a network or a key.

    FILE is what `plan --out FILE` wrote. A plan that was edited since is refused.

    \b
    Examples:
      webchat-sync show plan.json
      webchat-sync show plan.json --format json | jq .summary
    """
    from webchat_sync.plan.saved import read_plan
    from webchat_sync.render.text import render_plan

    text = read_text(file)
    plan = read_plan(text, file=str(file))
    as_json = output_format == "json"
    click.echo(text.rstrip("\n") if as_json else render_plan(plan, color=use_color(no_color, runtime)))
