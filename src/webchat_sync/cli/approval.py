"""Asks before something is changed."""

from __future__ import annotations

import click


def approved(question: str, *, refused: str) -> bool:
    """Whether somebody answers ``question`` with yes; any other answer is met with ``refused``."""
    click.echo(f"\n{question} Only 'yes' will be accepted.", err=True)
    answer: str = click.prompt("  Enter a value", default="", show_default=False, err=True)
    if answer != "yes":
        click.echo(refused, err=True)
    return answer == "yes"
