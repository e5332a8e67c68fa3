"""``webchat-sync schema``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webchat_sync.cli.files import FilledPath, read_bytes
from webchat_sync.errors import Diagnostic, InputError, Place
from webchat_sync.flat import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command("schema")
@click.argument(
    "name", metavar="NAME", type=click.Choice(["manifest", "channel", "plan", "report", "events", "drift", "shapes"])
)
@click.option(
    "--learned",
    metavar="FILE",
    type=FilledPath(path_type=Path, dir_okay=False),
    help="For manifest: also complete and explain what `shapes --format schema` learned.",
)
def command(*, name: str, learned: Path | None) -> None:
    """Print the JSON Schema of what webchat-sync reads and writes.

    \b
    manifest  what you write; gives completion, help and squiggles in editors with yaml-language-server
    channel   the field catalogue: every field of a channel, and what is known about it
    plan      what plan --format json prints and plan --out saves
    report    what apply --report saves
    events    a line of what apply --events writes
    drift     what drift --format json prints
    shapes    what shapes --format json prints

    The manifest schema is self-contained. Name it in the first line of a manifest:

    \b
      # yaml-language-server: $schema=manifest.schema.json

    \b
    Examples:
      webchat-sync schema manifest > manifest.schema.json
      webchat-sync schema manifest --learned learned.schema.json > manifest.schema.json
      webchat-sync schema plan
    """
    import json

    from webchat_sync.domain.catalogue import load_catalogue, whole_schema
    from webchat_sync.plan.shapes_schema import with_learned

    if learned is not None and name != "manifest":
        raise click.UsageError("--learned can only be used with manifest.")
    schema = whole_schema(name)
    if learned is None:
        click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
    else:
        click.echo(json_text(with_learned(schema, _learned(learned), load_catalogue())))


def _learned(file: Path) -> Mapping[str, Any]:
    """The schema in ``file``. Raises InputError if it isn't a schema of fields."""
    from webchat_sync.strict_json import JsonError, load_json

    hint = "Make it with `webchat-sync shapes --format schema > FILE`."
    try:
        schema = load_json(read_bytes(file), unique_keys=True)
    except JsonError as error:
        raise InputError(
            [Diagnostic(f"this isn't a JSON Schema: {error}", Place(str(file), error.line, error.column), hint=hint)]
        ) from None
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        raise InputError([Diagnostic("this isn't a JSON Schema with `properties`", Place(str(file), 1, 1), hint=hint)])
    return schema
