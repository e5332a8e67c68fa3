"""``webchat-sync unlock``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.approval import approved
from webchat_sync.cli.memory import memory_option
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.subject import ANYWHERE, manifest_option, shared_place
from webchat_sync.cli.tone import note
from webchat_sync.flat import flat
from webchat_sync.workflow.state import open_run_memory


@click.command("unlock")
@click.option("--auto-approve", is_flag=True, help="Release the lock without asking.")
@memory_option
@manifest_option
@click.pass_obj
def command(runtime: Runtime, *, auto_approve: bool, memory: str | None, paths: tuple[Path, ...]) -> int:
    """Release the lock of a run that has died.

    If that run is still alive, it loses the lock and writes nothing more. Without this command, a lock becomes free
    once its holder hasn't renewed it for 60 s. Asks for `yes`. Outside a terminal, for example in a pipeline,
    --auto-approve is required.

    \b
    Example:
      webchat-sync unlock
    """
    if not auto_approve and not runtime.interactive:
        raise click.UsageError("unlock can't ask for approval here: use --auto-approve, or run it in a terminal.")
    place = shared_place(paths, memory, runtime)
    with open_run_memory(place, runtime, base_url=ANYWHERE.label(runtime), with_owner=False) as opened:
        lock = opened.opened.lock
        holder = lock.holder()
        if holder is None:
            note("Nobody holds the lock.")
            return 0
        click.echo(flat(f"The lock is held by {holder}."), err=True)
        if not auto_approve and not approved("Do you want to release it?", refused="The lock was not released."):
            return 1
        former = lock.break_open()
    note(f"Released the lock of {former}." if former else "The lock has been released in the meantime.")
    return 0
