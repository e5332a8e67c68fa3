"""``webchat-sync unlock``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.approval import approved
from webchat_sync.cli.files import FilledText
from webchat_sync.cli.memory import memory_option
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.subject import ANYWHERE, UNLESS_MEMORY, manifest_option, shared_place
from webchat_sync.cli.tone import note
from webchat_sync.flat import flat
from webchat_sync.sentences import in_a_row
from webchat_sync.workflow.state import LEDGER, open_run_memory

if TYPE_CHECKING:
    from webchat_sync.memory.ports import Holder

_MOST_NAMED: Final = 3
"""How many organisations of a lock are named."""

_ELSEWHERE: Final = "For a lock on a Git remote, use --memory git or --memory URL."


@click.command("unlock")
@click.option("--auto-approve", is_flag=True, help="Release locks without asking.")
@click.option(
    "--org",
    metavar="ID",
    type=FilledText(),
    help="Only the lock of this organisation.  [default: those of the manifests, or all]",
)
@memory_option
@manifest_option("Use the organisations and the memory of the manifests in PATH.", UNLESS_MEMORY)
@click.pass_obj
def command(
    runtime: Runtime, *, auto_approve: bool, org: str | None, memory: str | None, paths: tuple[Path, ...]
) -> int:
    """Release the lock of a run that has died.

    Only a memory in Git needs this: a lock in a local folder is released as soon as its process ends.

    First make sure that the run is dead: one that's still alive only notices the loss, and stops writing, when it next
    renews the lock, up to 15 s later. Without this command, a lock becomes free once its holder hasn't renewed it for
    60 s. That run's WEBCHAT_SYNC_LOCK_EXPIRY changes both times.

    If there are several organisations, there may be several locks; each needs a `yes`. With --memory, but
    neither --org nor --manifest, all locks in that memory are released. Outside a terminal, for example in a pipeline,
    --auto-approve is required.

    \b
    Examples:
      webchat-sync unlock
      webchat-sync unlock --org acme --auto-approve
    """
    if not auto_approve and not runtime.interactive:
        raise click.UsageError("unlock can't ask for approval here: use --auto-approve, or run it in a terminal.")
    place = shared_place(paths, memory, runtime)
    if org:
        place = replace(place, ledgers={org: place.ledgers.get(org, LEDGER)})
    with open_run_memory(place, runtime, base_url=ANYWHERE.label(runtime), with_owner=False) as opened:
        lock = opened.opened.lock
        holders = lock.holders()
        remaining = 0
        for holder in holders:
            click.echo(flat(f"The lock{_of(holder)} is held by {holder}."), err=True)
            if not auto_approve and not approved("Do you want to release it?", refused="The lock wasn't released."):
                remaining += 1
            elif lock.break_open(holder):
                note(f"Released the lock of {holder}.")
            else:
                note("The lock has been released in the meantime.")
    if not holders:
        # A pipeline may have chosen its memory by a variable, which isn't set here.
        note("Nobody holds the lock." if opened.blocking else f"Nobody holds the lock of this folder. {_ELSEWHERE}")
    return 1 if remaining else 0


def _of(holder: Holder) -> str:
    return f" of {in_a_row(holder.organizations, most=_MOST_NAMED)}" if holder.organizations else ""
