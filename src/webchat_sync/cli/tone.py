"""Verbosity and colours: three options of every command, and the notes that --quiet silences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import click

from webchat_sync.cli.runtime import Runtime
from webchat_sync.flat import flat

_CONTRADICTION: Final = "--verbose and --quiet can't be used together."


def note(text: str) -> None:
    """Print something to stderr that's neither a result nor a problem, unless --quiet is given."""
    if not is_quiet():
        click.echo(flat(text), err=True)


def is_quiet() -> bool:
    """Whether the current command has --quiet."""
    context = click.get_current_context(silent=True)
    return context is not None and isinstance(context.obj, Runtime) and context.obj.quiet


def use_color(runtime: Runtime) -> bool:
    """Whether to use colours: only on a terminal, and not with --no-color or NO_COLOR (any text)."""
    return runtime.colorful and not runtime.no_color and not runtime.environ.get("NO_COLOR")


def with_tone(command: click.Command) -> click.Command:
    """``command`` and its subcommands with --verbose, --quiet and --no-color, which the runtime remembers."""
    names = {parameter.name for parameter in command.params}
    command.params += [option for option in _options() if option.name not in names]
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        with_tone(below)
    return command


def _options() -> list[click.Option]:
    return [
        _option(
            "-v",
            "--verbose",
            about="In plans and drift, also show unchanged fields and the names of undeclared channels.",
        ),
        _option("-q", "--quiet", about="Show only the result, warnings and errors."),
        _option("--no-color", about="Disable colours.  [env: NO_COLOR]"),
    ]


def _option(*names: str, about: str) -> click.Option:
    return click.Option(names, is_flag=True, expose_value=False, callback=_remember, help=about)


def _remember(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    if given and isinstance(context.obj, Runtime):
        changed: dict[str, Any] = {str(parameter.name): True}
        context.obj = replace(context.obj, **changed)
        if context.obj.verbose and context.obj.quiet:
            raise click.UsageError(_CONTRADICTION, context)
