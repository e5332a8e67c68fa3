"""``webchat-sync help``."""

from __future__ import annotations

import click


@click.command("help")
@click.argument("names", metavar="[COMMAND]...", nargs=-1)
@click.pass_context
def command(context: click.Context, *, names: tuple[str, ...]) -> None:
    """Show what a command does and its options, as --help does.

    \b
    Examples:
      webchat-sync help
      webchat-sync help secret rotate
    """
    shown = context.find_root()
    for name in names:
        group = shown.command
        below = group.get_command(shown, name) if isinstance(group, click.Group) else None
        if below is None:
            raise click.UsageError(f"There's no command {name!r}.", shown)
        shown = click.Context(below, shown, below.name, **below.context_settings)
    click.echo(shown.get_help())
