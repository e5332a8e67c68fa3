"""Asks before something is changed."""

from __future__ import annotations

import signal

import click


def approved(question: str, *, refused: str) -> bool:
    """Whether somebody answers ``question`` with yes; any other answer is met with ``refused``."""
    click.echo(f"\n{question} Only 'yes' will be accepted.", err=True)
    # Where asyncio runs, it takes the first Ctrl-C for itself, and the question would stay.
    before = signal.getsignal(signal.SIGINT)
    try:
        if before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        answer: str = click.prompt("  Enter a value", default="", show_default=False, err=True)
    finally:
        signal.signal(signal.SIGINT, before)
    if answer != "yes":
        click.echo(refused, err=True)
    return answer == "yes"
