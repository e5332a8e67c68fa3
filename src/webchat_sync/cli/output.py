"""Where results go: stdout or a file, and nothing else to stdout."""

from __future__ import annotations

import click

from webchat_sync.cli.runtime import Runtime

no_color_option = click.option("--no-color", is_flag=True, help="No colours.  [env: NO_COLOR]")


def use_color(no_color: bool, runtime: Runtime) -> bool:
    """Whether to colour: only on a terminal, and not when --no-color or NO_COLOR (any text) says otherwise."""
    return runtime.colorful and not no_color and not runtime.environ.get("NO_COLOR")
