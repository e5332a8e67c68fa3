"""``webchat-sync history``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webchat_sync.cli.fleet import target_org_option
from webchat_sync.cli.memory import memory_option
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.subject import ANYWHERE, UNLESS_MEMORY, manifest_option, shared_place
from webchat_sync.cli.tone import note
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.flat import flat, json_text
from webchat_sync.model import moment_text
from webchat_sync.sentences import in_a_row
from webchat_sync.workflow.state import open_run_memory

if TYPE_CHECKING:
    from webchat_sync.memory.ports import Record


@click.command("history", short_help="Show what was done, when, by which run and from which commit.")
@click.argument("name", metavar="[NAME]", default="")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Show only the last N entries.  [default: all]")
@target_org_option
@memory_option
@manifest_option("Use the memory of the manifests in PATH.", UNLESS_MEMORY)
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    name: str,
    output_format: str,
    limit: int | None,
    target_orgs: tuple[str, ...],
    memory: str | None,
    paths: tuple[Path, ...],
) -> None:
    """Show what was done, when and by whom, as recorded in Git.

    Each entry names its run and the commit of its manifests. NAME is a channel's name; without one, everything is
    shown, newest first. Needs `settings.memory: git` or --memory, since a local file keeps no history.

    \b
    Examples:
      webchat-sync history
      webchat-sync history Support --limit 5
      webchat-sync history --target-org 'acme-*'
      webchat-sync history --memory https://github.com/acme/memory.git
    """
    from webchat_sync.domain.ids import Choice
    from webchat_sync.domain.names import same
    from webchat_sync.memory.ref_memory import RefMemory

    choice = Choice(target_orgs)
    with open_run_memory(
        shared_place(paths, memory, runtime), runtime, base_url=ANYWHERE.label(runtime), with_owner=False
    ) as opened:
        ref_memory = opened.opened.memory
        if not isinstance(ref_memory, RefMemory):
            hint = "Set `settings.memory: git` in the manifests, or use --memory git or --memory URL."
            raise InputError([Diagnostic("the memory is a local file, which keeps no history", hint=hint)])
        records = [
            record
            for record in ref_memory.history()
            if (not name or any(same(name, channel) for channel in record.note.channels))
            and (not target_orgs or any(map(choice.has, record.organizations)))
        ][:limit]
    if output_format == "json":
        click.echo(json_text([_document(record) for record in records]))
        return
    for record in records:
        click.echo("\n".join(map(flat, _lines(record))))
    if not records:
        about = f' about "{name}"' if name else ""
        organizations = in_a_row([f'"{pattern}"' for pattern in target_orgs], last="or")
        where = f" for organisation {organizations}" if target_orgs else ""
        note(f"Nothing is recorded{about}{where}.")


def _lines(record: Record) -> list[str]:
    names = ", ".join(f'"{channel}"' for channel in record.note.channels)
    lines = [f"{moment_text(record.at)}  {record.note.what}{f': {names}' if names else ''}"]
    details = {
        "organisation" if len(record.organizations) == 1 else "organisations": in_a_row(record.organizations),
        "run": record.run.url or record.run.host,
        "commit": record.run.commit[:10],
    }
    return [*lines, f"    {', '.join(f'{label} {value}' for label, value in details.items() if value)}"]


def _document(record: Record) -> dict[str, Any]:
    return {
        "at": moment_text(record.at),
        "what": record.note.what,
        "channels": list(record.note.channels),
        "organizations": list(record.organizations),
        "run": {"id": record.run.id, "url": record.run.url, "host": record.run.host, "commit": record.run.commit},
    }
