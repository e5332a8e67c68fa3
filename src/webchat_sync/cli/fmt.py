"""``webchat-sync fmt``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.files import input_path, unwritable
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note, use_color
from webchat_sync.errors import InputError


@click.command("fmt")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=input_path)
@click.option("--check", is_flag=True, help="Only show what would change, and exit with 2 if anything would.")
@click.pass_obj
def command(runtime: Runtime, *, paths: tuple[Path, ...], check: bool) -> int:
    """Format manifests and overlays in place.

    PATH is a file or a folder of them; without one, the current directory.

    Fields are sorted as in the catalogue, with `name` first and `sync` last. Text is quoted only if necessary. Short
    lists of texts go in brackets; other lists have one item per line. Comments, variables and anchors are
    kept. A file is written only if reading it again gives the same values, whatever the variables contain. A file with
    errors, or that isn't a manifest, is reported and left out, and the exit code is 1. Needs no variables, network or
    key.

    \b
    Examples:
      webchat-sync fmt
      webchat-sync fmt channels/ staging.yaml
      webchat-sync fmt --check channels/
    """
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.manifest import with_lines
    from webchat_sync.manifest.files import find_files
    from webchat_sync.manifest.fmt import lay_out_files
    from webchat_sync.render.edits import render_edit

    paths = paths or (Path(),)
    files, unreadable = find_files(paths)
    changed, problems = lay_out_files(files, load_catalogue())
    color = use_color(runtime)
    for file, source, data in changed:
        if check:
            before, after = (text.decode("utf-8-sig") for text in (source.data, data))
            click.echo(render_edit(source.name, before, after, color=color), nl=False, color=color)
        else:
            _write(file, data)
    if unreadable or problems:
        raise InputError(with_lines([*unreadable, *problems], paths))
    if not changed:
        note("Nothing to format.")
    return 2 if check and changed else 0


def _write(file: Path, data: bytes) -> None:
    from webchat_sync.files import replace_bytes

    try:
        replace_bytes(file, data)
    except OSError as error:
        raise InputError([unwritable(file, error)]) from None
    note(f"Wrote {file}.")
