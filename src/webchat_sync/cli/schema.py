"""``webchat-sync schema``."""

from __future__ import annotations

import click


@click.command("schema")
@click.argument("name", type=click.Choice(["manifest", "channel", "plan", "report", "drift"]))
def command(*, name: str) -> None:
    """Print the JSON Schema of what this program reads and writes.

    \b
    manifest  what people write; completion, help and squiggles in editors with yaml-language-server
    channel   the field catalogue: every field of a channel, and what the program knows about it
    plan      what plan --format json prints and plan --out saves
    report    what apply --report saves
    drift     what drift --format json prints

    The schema of manifests is whole: it needs no other file beside it. Name it in the first line of a manifest:

    \b
      # yaml-language-server: $schema=manifest.schema.json

    \b
    Examples:
      webchat-sync schema manifest > manifest.schema.json
      webchat-sync schema plan
    """
    import json

    from webchat_sync.domain.catalogue import whole_schema

    click.echo(json.dumps(whole_schema(name), indent=2, ensure_ascii=False))
