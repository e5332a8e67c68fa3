"""The ``--port`` of commands that serve something on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


def port_option(default: int) -> Callable[[F], F]:
    """Give a command ``port``, the TCP port to listen on; 0 is any free one."""
    return click.option(
        "--port",
        metavar="N",
        type=click.IntRange(0, 65535),
        default=default,
        show_default=True,
        help="The port to listen on; 0 picks a free one.",
    )
