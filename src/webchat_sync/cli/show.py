"""``webchat-sync show``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.files import read_text
from webchat_sync.cli.output import Output, output_options
from webchat_sync.cli.runtime import Runtime


@click.command("show", short_help="Show a saved plan as plan did, without a network or a key.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@output_options
@click.pass_obj
def command(runtime: Runtime, *, file: Path, output: Output) -> None:
    """Show a saved plan as plan did when it was made, without a network or a key.

    FILE is what `plan --out FILE` wrote. A plan that was edited since is refused.

    \b
    Examples:
      webchat-sync show plan.json
      webchat-sync show plan.json --format json | jq .summary
      webchat-sync show plan.json --format markdown | gh pr comment --body-file -
    """
    from webchat_sync.planfile.reader import read_plan
    from webchat_sync.render.formats import FORMATS

    text = read_text(file)
    saved = text.rstrip("\n")
    output = output.checked({}, [file])
    output.emit(read_plan(text, file=str(file)), runtime, formats={**FORMATS, "json": lambda _: saved})
