"""``webchat-sync adopt``."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.approval import approved
from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options, open_apis
from webchat_sync.cli.files import read_bytes
from webchat_sync.cli.manifests import manifest_environ, paths_argument, read_manifests
from webchat_sync.cli.output import no_color_option, use_color
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.errors import InputError, Problem
from webchat_sync.flat import flat

if TYPE_CHECKING:
    from webchat_sync.domain.catalogue import Catalogue
    from webchat_sync.manifest.adopt import Edit, Edited
    from webchat_sync.model import LiveChannel, Manifest
    from webchat_sync.plan.adopt import Adoption
    from webchat_sync.plan.make import Listing

FEW: Final = 5
"""How many undeclared channels are named in the command that imports them."""

QUESTION: Final = "Do you want to write these changes to the files?"
REFUSED: Final = "Adopt cancelled. No file was changed."


@click.command("adopt")
@paths_argument
@connection_options
@click.option("--auto-approve", is_flag=True, help="Do not ask before the files are changed.")
@click.option("--check", is_flag=True, help="Only show what would change; exit with 2 if anything would.")
@no_color_option
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    paths: tuple[Path, ...],
    connection: ConnectionOptions,
    auto_approve: bool,
    check: bool,
    no_color: bool,
) -> int:
    """Bring the files up to what is live, in place. Nothing is written to the server.

    PATH is a manifest file or a folder of them (*.yaml, *.yml, *.json); without one, the current directory.

    Channels are pinned to their ids, and declared fields take their live values. Fields that are not declared
    or that sync.ignore names are left alone, and so are channels that are not live or declared absent. Comments,
    order, quotes, anchors and every ${VARIABLE} that still gives the live value stay; where a value came from
    defaults, from an anchor or from a variable and no longer holds, the channel gets a value of its own.

    Shows the edit as a diff, asks for `yes`, then writes. Where nobody can be asked, in a pipeline,
    --auto-approve or --check is required.

    \b
    Examples:
      webchat-sync adopt channels/
      webchat-sync adopt channels/support.yaml --auto-approve
      webchat-sync adopt channels/ --check > drift.diff
    """
    if not (auto_approve or check or runtime.interactive):
        raise click.UsageError("adopt cannot ask for approval here: give --auto-approve or --check.")
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.manifest.files import find_files

    catalogue = load_catalogue()
    manifests = read_manifests(paths, connection, catalogue, runtime)
    files, _ = find_files(paths or [Path()])
    listings = _listings(manifests, connection, runtime)
    edits = _edits(manifests, listings, connection, catalogue)
    edited = list(_edited(files, edits, connection, runtime))
    if not edited:
        click.echo("Nothing to adopt: what the files declare is what is live.", err=True)
        return 0
    _show(edited, color=use_color(no_color, runtime))
    if check:
        return 2
    if not auto_approve and not approved(QUESTION, refused=REFUSED):
        return 1
    for file, each in edited:
        _write(file, each)
    return 0


def _listings(manifests: Sequence[Manifest], connection: ConnectionOptions, runtime: Runtime) -> Mapping[str, Listing]:
    from webchat_sync.apply.read import read_listings

    organizations = [manifest.organization for manifest in manifests]

    async def read() -> Mapping[str, Listing]:
        with connect(connection, runtime) as connected:
            async with open_apis(connected, organizations, runtime) as apis:
                return await read_listings(organizations, apis, base_url=connected.label)

    return wait_for(read)


def _edits(
    manifests: Sequence[Manifest],
    listings: Mapping[str, Listing],
    connection: ConnectionOptions,
    catalogue: Catalogue,
) -> list[Edit]:
    """What is to change in the files; stderr is told what cannot be, and of the channels that are in no file."""
    from webchat_sync.manifest.adopt import Edit, refusals
    from webchat_sync.plan.adopt import adoptions

    edits: list[Edit] = []
    for manifest in manifests:
        found, undeclared = adoptions(manifest, listings[manifest.organization].channels, catalogue=catalogue)
        for each in found:
            refused = refusals(each.fields, catalogue=catalogue)
            _tell(_left(each, {**each.left, **refused}))
            fields = {name: value for name, value in each.fields.items() if name not in refused}
            if fields or each.pin:
                edits.append(Edit(each.declaration.place, fields, each.live.id if each.pin else None))
        if undeclared:
            _tell_undeclared(manifest.organization, undeclared, sandbox=connection.sandbox)
    return edits


def _left(adoption: Adoption, reasons: Mapping[str, str]) -> list[Problem]:
    declaration = adoption.declaration
    return [
        Problem(
            f'`{name}` of "{declaration.name}" is not what is live, and stays: {reason}',
            declaration.field_places.get(name, declaration.place),
            severity="warning",
        )
        for name, reason in reasons.items()
    ]


def _edited(
    files: Sequence[Path], edits: Sequence[Edit], connection: ConnectionOptions, runtime: Runtime
) -> Iterator[tuple[Path, Edited]]:
    """Each file that changes; raises InputError when one cannot be edited in place."""
    from webchat_sync.manifest.adopt import edit
    from webchat_sync.manifest.files import read_source

    environ = manifest_environ(connection, runtime)
    by_file: defaultdict[str, list[Edit]] = defaultdict(list)
    for each in edits:
        by_file[each.place.file].append(each)
    for file in files:
        source = read_source(file)
        if not isinstance(source, Problem) and source.name in by_file:
            result = edit(source, by_file[source.name], environ=environ)
            if isinstance(result, Problem):
                raise InputError([result])
            yield file, result


def _show(edited: Sequence[tuple[Path, Edited]], *, color: bool) -> None:
    from webchat_sync.render.edits import render_edit

    for _, each in edited:
        _tell(each.notes)
        before, after = (data.decode("utf-8-sig") for data in (each.source.data, each.data))
        click.echo(render_edit(each.source.name, before, after, color=color), nl=False, color=color)


def _tell(problems: Sequence[Problem]) -> None:
    from webchat_sync.render.problems import render_problems

    if problems:
        click.echo(render_problems(problems), err=True)


def _tell_undeclared(organization: str, undeclared: Sequence[LiveChannel], *, sandbox: bool) -> None:
    from webchat_sync.render.values import inline

    few = undeclared[:FEW]
    names = ", ".join(inline(channel.name) for channel in few) + (" and others" if len(undeclared) > FEW else "")
    words = ["webchat-sync", "import", "--org", organization, *(["--sandbox"] if sandbox else [])]
    words += [word for channel in few for word in ("--only", channel.id)]
    counted = f"{len(undeclared)} live {'channel is' if len(undeclared) == 1 else 'channels are'} in no file"
    click.echo(flat(f"{counted}: {names}. To write a file for each:"), err=True)
    click.echo(f"  {flat(shlex.join([*words, '--out', 'imported/']))}", err=True)


def _write(file: Path, edited: Edited) -> None:
    """Write one file; raises InputError when that is not possible or when it has changed since it was read."""
    from webchat_sync.files import replace_bytes

    if read_bytes(file) != edited.source.data:
        raise InputError(
            [Problem(f"{file} has changed since it was read, and is left as it is", hint="Run adopt again.")]
        )
    try:
        replace_bytes(file, edited.data)
    except OSError as error:
        raise InputError([Problem(f"{file} cannot be written: {error.strerror}")]) from None
    click.echo(flat(f"Wrote {file}."), err=True)
