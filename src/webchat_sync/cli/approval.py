"""Asks before something is changed."""

from __future__ import annotations

import select
import signal
import sys
from typing import Final

import click

LOOK: Final = 0.2
"""Seconds between looks for a signal while nobody answers."""


def approved(question: str, *, refused: str) -> bool:
    """Whether somebody answers ``question`` with yes; any other answer is met with ``refused``."""
    click.echo(f"\n{question} Only `yes` will be accepted.", err=True)
    # Where asyncio runs, it takes the first Ctrl-C for itself, and the question would stay.
    before = signal.getsignal(signal.SIGINT)
    try:
        if before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        click.echo("  Enter a value: ", nl=False, err=True)
        _wait_for_answer()
        answer: str = click.prompt("", prompt_suffix="", default="", show_default=False, err=True)
    finally:
        signal.signal(signal.SIGINT, before)
    if answer != "yes":
        click.echo(refused, err=True)
    return answer == "yes"


def _wait_for_answer() -> None:
    """Wait until stdin can be read: a signal right before a read that blocks would go unheard until its end."""
    try:
        while not select.select([sys.stdin], [], [], LOOK)[0]:
            pass
    except (OSError, TypeError, ValueError):
        return  # no stdin, one without a descriptor, or a system that selects sockets only
