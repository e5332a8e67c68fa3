"""``webchat-sync drift``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.committed import Tree, read_at, repository_of, say_uncommitted, tree_at
from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options, key_variables
from webchat_sync.cli.files import output_path, write_private_text
from webchat_sync.cli.fleet import FleetOptions, exit_codes, fleet_options, read_fleet, say_failed
from webchat_sync.cli.live import live_and_memory_option, open_snapshot, say_age
from webchat_sync.cli.manifests import load, overlay_option, paths_argument
from webchat_sync.cli.memory import memory_option, remembered_by
from webchat_sync.cli.output import Output, output_options_of
from webchat_sync.cli.pages import drift_page
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.targets import target_option
from webchat_sync.cli.tone import note
from webchat_sync.errors import Diagnostic, InputError, worst_exit_code
from webchat_sync.frozen import frozen
from webchat_sync.model import Manifest

if TYPE_CHECKING:
    from webchat_sync.git import Commit
    from webchat_sync.plan.drift import Drift, Revision
    from webchat_sync.planfile.snapshot import Snapshot
    from webchat_sync.workflow.listings import Readings

FORMATS: Final = ("text", "json", "markdown", "html")


@click.command("drift", short_help="Show how the live channels differ from the committed manifests.")
@paths_argument
@overlay_option
@connection_options
@click.option(
    "--base", metavar="REV", help="Also show what has changed since this commit, branch or tag: live, Git or both."
)
@click.option(
    "--out",
    metavar="FILE",
    type=output_path,
    help="Save the plan that undoes the drift to FILE, readable by you only, for `ci drift FILE`.",
)
@live_and_memory_option
@memory_option
@fleet_options
@target_option
@output_options_of(FORMATS)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if anything has drifted.")
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    paths: tuple[Path, ...],
    overlays: tuple[Path, ...],
    connection: ConnectionOptions,
    base: str | None,
    out: Path | None,
    live: Path | None,
    memory: str | None,
    fleet: FleetOptions,
    targets: tuple[str, ...],
    output: Output,
    detailed_exitcode: bool,
) -> int:
    """Show how the live channels differ from the committed manifests.

    PATH is a manifest file or a folder of them; without one, the current directory. They're read from HEAD of their
    Git repository: uncommitted edits don't count, and stderr lists them. Outside a repository, the files are read as
    they are.

    With --base, the output shows which side has changed since that revision: live, Git or both.

    Formats: text for terminals; json for programs (schemas/drift.schema.json); markdown for issues and chats; html
    for a page that shows each channel as it is live and as Git declares it.

    \b
    Examples:
      webchat-sync drift channels/
      webchat-sync drift channels/ --detailed-exitcode --out drift.json
      webchat-sync drift channels/ --base origin/main
      webchat-sync drift channels/ --live live.json --format json
    """
    from webchat_sync.plan.summary import has_changes
    from webchat_sync.planfile.writer import plan_pieces
    from webchat_sync.render import drift as text
    from webchat_sync.render.drift_json import render_drift as render_json
    from webchat_sync.render.drift_markdown import render_drift as render_markdown

    others = {"--out": out, "--debug-http": connection.debug_http}
    output = output.checked(others, [*(paths or [Path()]), *([live] if live else [])], overlays)
    with ExitStack() as stack:
        asked = _Asked(paths or (Path(),), overlays, connection, base, live, memory, fleet, targets)
        drift = _drift(asked, stack, runtime)
    if out is not None:
        write_private_text(out, plan_pieces(drift.plan))
    formats: dict[str, Callable[[Drift], str]] = {
        "text": text.render_drift,
        "json": render_json,
        "markdown": render_markdown,
        "html": drift_page(runtime),
    }
    output.emit_as(drift, runtime, formats, render_text=text.render_drift, last_line=text.last_line)
    say_failed(drift.plan.failed, drift.plan.names)
    if out is not None:
        note(f"Saved the plan to {out}.")
    return worst_exit_code([*exit_codes(drift.plan.failed), 2 if detailed_exitcode and has_changes(drift.plan) else 0])


@frozen
class _Asked:
    """What the command line asks for."""

    paths: Sequence[Path]
    overlays: Sequence[Path]
    connection: ConnectionOptions
    base: str | None
    live: Path | None
    memory: str | None
    fleet: FleetOptions
    targets: Sequence[str]


def _drift(asked: _Asked, stack: ExitStack, runtime: Runtime) -> Drift:
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.workflow.drift import find_drift
    from webchat_sync.workflow.plan import PlanOptions

    catalogue = load_catalogue()
    tree, older = _trees(asked, stack, runtime)
    snapshot = None
    if asked.live is not None:
        snapshot, runtime = open_snapshot(asked.live, runtime)
    with tree.entered():
        manifests, selection = read_fleet(
            tree.paths, asked.connection, catalogue, runtime, tree.overlays, asked.fleet, policies=False, planning=False
        )

    def read_older(older: Tree) -> tuple[Manifest, ...]:
        return load(older.paths, asked.connection, catalogue, runtime, older.overlays, policies=False).manifests

    former = None
    if older is not None:
        # The files may not exist yet in a revision.
        former = read_at(older, read_older) if older.paths else ()
    single = len(manifests) == 1 and not selection.limited
    readings = _readings(manifests, asked, snapshot, runtime, single=single, part=selection.limited)
    remembered = remembered_by(manifests, asked.memory, asked.connection, runtime, asked.paths, asked.overlays)
    with tree.entered():
        return find_drift(
            manifests,
            former,
            readings,
            runtime,
            catalogue,
            remembered,
            options=PlanOptions(targets=asked.targets, selection=selection),
            listed_at=snapshot.created_at if snapshot else None,
            declared=_revision(tree.commit),
            base=_revision(older.commit) if older else None,
        )


def _trees(asked: _Asked, stack: ExitStack, runtime: Runtime) -> tuple[Tree, Tree | None]:
    """What is committed, and what was at the base; the files as they lie where they are in no repository."""
    repository = repository_of(asked.paths, runtime)
    if repository is None:
        if asked.base is not None:
            hint = "Leave out --base to see what differs, although not which side changed."
            raise InputError([Diagnostic("--base needs a Git repository, and the files aren't in one", hint=hint)])
        note("Compared with the files as they are now, since they aren't in a Git repository.")
        return Tree(tuple(asked.paths), tuple(asked.overlays)), None
    tree = stack.enter_context(tree_at(repository, "HEAD", asked.paths, asked.overlays, whole=True))
    older = None
    if asked.base is not None:
        older = stack.enter_context(tree_at(repository, asked.base, asked.paths, asked.overlays, whole=False))
    say_uncommitted(repository, tree, asked.paths, asked.overlays)
    return tree, older


def _readings(
    manifests: Sequence[Manifest],
    asked: _Asked,
    snapshot: Snapshot | None,
    runtime: Runtime,
    *,
    single: bool,
    part: bool,
) -> Readings:
    """What is live of every organisation, or what the snapshot says was."""
    from webchat_sync.workflow.listings import list_readings

    if asked.live is not None and snapshot is not None:
        from webchat_sync.workflow.snapshot import readings_of

        base_url = asked.connection.named_label(runtime)
        readings = readings_of(snapshot, manifests, base_url=base_url, file=str(asked.live))
        say_age(asked.live, snapshot, runtime, did="Compared", preposition="with")
        return readings
    with connect(asked.connection, runtime, key_variables(manifests), manifests, part=part) as connected:
        return wait_for(lambda: list_readings(connected, runtime, single=single))


def _revision(commit: Commit | None) -> Revision | None:
    from webchat_sync.plan.drift import Revision

    return Revision(commit.revision, commit.id) if commit else None
