"""Asks for approval before something is changed."""

from __future__ import annotations

import select
import signal
import sys
from typing import Final

import click

LOOK: Final = 0.2
"""Seconds between checks for a signal while there is no answer."""


def approved(question: str, *, refused: str) -> bool:
    """Whether the user answers ``question`` with yes; otherwise, ``refused`` is printed."""
    # While asyncio runs, it handles the first Ctrl-C itself, and the question would remain.
    before = signal.getsignal(signal.SIGINT)
    try:
        if before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if _is_interrupted():
            raise KeyboardInterrupt
        click.echo(f"\n{question} Only `yes` will be accepted.", err=True)
        click.echo("  Enter a value: ", nl=False, err=True)
        _wait_for_answer()
        answer: str = click.prompt("", prompt_suffix="", default="", show_default=False, err=True)
    finally:
        signal.signal(signal.SIGINT, before)
    if answer != "yes":
        click.echo(refused, err=True)
    return answer == "yes"


def _is_interrupted() -> bool:
    """Whether asyncio has handled a Ctrl-C that nothing else has noticed yet."""
    import asyncio

    try:
        task = asyncio.current_task()
    except RuntimeError:  # it isn't running
        return False
    return task is not None and task.cancelling() > 0


def _wait_for_answer() -> None:
    """Wait until stdin can be read, since a blocking read would delay signals."""
    try:
        while not select.select([sys.stdin], [], [], LOOK)[0]:
            pass
    except (OSError, TypeError, ValueError):
        return  # no stdin, one without a descriptor, or a system that selects sockets only
