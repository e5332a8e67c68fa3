"""``webchat-sync unlock``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.approval import approved
from webchat_sync.cli.memory import memory_option
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.subject import ANYWHERE, manifest_option, shared_place
from webchat_sync.flat import flat
from webchat_sync.workflow.state import open_run_memory


@click.command("unlock")
@click.option("--auto-approve", is_flag=True, help="Do not ask before the lock is taken away.")
@memory_option
@manifest_option
@click.pass_obj
def command(runtime: Runtime, *, auto_approve: bool, memory: str | None, paths: tuple[Path, ...]) -> int:
    """Take the lock away from a run that is dead.

    A run that is alive and loses its lock writes nothing more. Without this, a lock is free once its holder has not
    renewed it for a minute. Asks for `yes`; where nobody can be asked, in a pipeline, --auto-approve is required.

    \b
    Example:
      webchat-sync unlock
    """
    if not auto_approve and not runtime.interactive:
        raise click.UsageError("unlock cannot ask for approval here: give --auto-approve, or run it in a terminal.")
    place = shared_place(paths, memory, runtime)
    with open_run_memory(place, runtime, base_url=ANYWHERE.label(runtime), with_owner=False) as opened:
        lock = opened.opened.lock
        holder = lock.holder()
        if holder is None:
            click.echo("Nobody holds the lock.", err=True)
            return 0
        click.echo(flat(f"The lock is held by {holder}."), err=True)
        if not auto_approve and not approved("Do you want to take it away?", refused="The lock stays as it is."):
            return 1
        former = lock.break_open()
    click.echo(flat(f"Took the lock away from {former}." if former else "The lock was given back meanwhile."), err=True)
    return 0
