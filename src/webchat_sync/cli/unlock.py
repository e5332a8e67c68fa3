"""``webchat-sync unlock``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.approval import approved
from webchat_sync.cli.memory import memory_option
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.subject import ANYWHERE, manifest_option, shared_place
from webchat_sync.cli.tone import note
from webchat_sync.flat import flat
from webchat_sync.workflow.state import LEDGER, open_run_memory

if TYPE_CHECKING:
    from webchat_sync.memory.ports import Holder


@click.command("unlock")
@click.option("--auto-approve", is_flag=True, help="Do not ask before a lock is taken away.")
@click.option(
    "--org", metavar="ID", help="Only the lock of this organisation.  [default: those of the manifests, or all]"
)
@memory_option
@manifest_option
@click.pass_obj
def command(
    runtime: Runtime, *, auto_approve: bool, org: str | None, memory: str | None, paths: tuple[Path, ...]
) -> int:
    """Take the lock away from a run that is dead.

    Runs over different organisations have locks of their own, so there may be several: it asks for `yes` for each.
    Where nobody can be asked, in a pipeline, --auto-approve is required. A run that is alive and loses its lock
    writes nothing more. Without this, a lock is free once its holder has not renewed it for a minute.

    \b
    Examples:
      webchat-sync unlock
      webchat-sync unlock --org acme --auto-approve
    """
    if not auto_approve and not runtime.interactive:
        raise click.UsageError("unlock cannot ask for approval here: give --auto-approve, or run it in a terminal.")
    place = shared_place(paths, memory, runtime)
    if org:
        place = replace(place, ledgers={org: place.ledgers.get(org, LEDGER)})
    with open_run_memory(place, runtime, base_url=ANYWHERE.label(runtime), with_owner=False) as opened:
        lock = opened.opened.lock
        holders = lock.holders()
        left = 0
        for holder in holders:
            click.echo(flat(f"The lock{_of(holder)} is held by {holder}."), err=True)
            if not auto_approve and not approved("Do you want to take it away?", refused="The lock stays as it is."):
                left += 1
            elif lock.break_open(holder):
                note(f"Took the lock away from {holder}.")
            else:
                note("The lock was given back meanwhile.")
    if not holders:
        note("Nobody holds the lock.")
    return 1 if left else 0


def _of(holder: Holder) -> str:
    return f" of {', '.join(holder.organizations)}" if holder.organizations else ""
