"""``webchat-sync import``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options, one_organization
from webchat_sync.cli.files import STDOUT, FilledText, check_outputs, unwritable
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.tone import note
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.files import create, is_special
from webchat_sync.sentences import in_a_row
from webchat_sync.tree import exists, is_folder

if TYPE_CHECKING:
    from webchat_sync.model import LiveChannel


@click.command("import")
@connection_options
@click.option(
    "--out",
    metavar="FILE|DIR/",
    type=FilledText(),
    help="Write to FILE, or one file per channel to DIR/ (a path that ends with a slash, or an existing folder). "
    "Existing files aren't overwritten.  [default: stdout]",
)
@click.option(
    "--only",
    metavar="NAME",
    multiple=True,
    help="Only channels with this name or id; globs match several. May be repeated.",
)
@click.option(
    "--exclude",
    metavar="NAME",
    multiple=True,
    help="Leave out channels with this name or id; globs match several. May be repeated.",
)
@click.option(
    "--skip-defaults",
    is_flag=True,
    help="Leave out fields that have the emulator's default for new channels. They won't be managed.",
)
@click.option(
    "--extra-fields",
    is_flag=True,
    help="Also declare live fields that this release doesn't know, and list them in settings.extraFields.",
)
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    connection: ConnectionOptions,
    out: str | None,
    only: tuple[str, ...],
    exclude: tuple[str, ...],
    skip_defaults: bool,
    extra_fields: bool,
) -> None:
    """Write a manifest that matches the live channels.

    Each channel is pinned to its id. What a manifest can't declare becomes a comment with the reason. Existing files
    are never overwritten; use adopt to update them.

    In --only and --exclude, *, ? and [...] match several names; patterns are case-sensitive.

    \b
    Examples:
      webchat-sync import --out channels.yaml
      webchat-sync import --out channels/
      webchat-sync import --only 'Shop*' --exclude '*test*' --skip-defaults
      webchat-sync import --org 7f3e… > channels.yaml
    """
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.manifest.file_names import file_names
    from webchat_sync.manifest.write import write_manifest
    from webchat_sync.workflow.import_ import channels_to_import

    organization = one_organization(connection, runtime)
    folder = Path(out) if out is not None and _means_folder(out) else None
    to_stdout = out in {None, "-"}
    target = STDOUT if out is None or to_stdout else _free_target(Path(out), folder)
    check_outputs({"--out": target, "--debug-http": connection.debug_http})

    with connect(connection, runtime, {organization: None}) as connected:
        channels = wait_for(lambda: channels_to_import(connected, runtime, only=only, exclude=exclude))
    catalogue = load_catalogue()

    def written(channels: Sequence[LiveChannel]) -> str:
        return write_manifest(
            organization, channels, catalogue=catalogue, skip_defaults=skip_defaults, extra_fields=extra_fields
        )

    if folder is not None:
        names = file_names(channel.name for channel in channels)
        texts = {folder / name: written([channel]) for name, channel in zip(names, channels, strict=True)}
        _refuse_existing([path for path in texts if os.path.lexists(path)])
        _write_all(texts)
        if not channels:
            reason = "No channels match" if exclude else "There are no live channels"
            note(f"{reason}, so nothing was written.")
    elif out is not None and not to_stdout:
        _write_all({Path(out): written(channels)})
        _say_skipped(out)
    else:
        click.echo(written(channels), nl=False)


def _means_folder(out: str) -> bool:
    return out.endswith(("/", os.sep)) or is_folder(Path(out))


def _write_all(texts: Mapping[Path, str]) -> None:
    """Write new files; raises InputError if one can't be written."""
    for path, text in texts.items():
        try:
            create(path, text.encode())
        except OSError as error:
            raise InputError([unwritable(path, error)]) from None
        note(f"Wrote {path}.")


def _say_skipped(out: str) -> None:
    """Say that a run over the folder of the new file skips it, if its name isn't that of a manifest."""
    from webchat_sync.manifest.files import SUFFIXES

    if not out.endswith(SUFFIXES):
        note(
            f"Runs over its folder skip it: manifests end in {in_a_row(SUFFIXES, last='or')}. "
            f"To write one file per channel, end the folder with a slash: --out {out}/."
        )


def _free_target(path: Path, folder: Path | None) -> Path:
    """What must be writable to create ``path``, or files in ``folder``; raises InputError if it exists."""
    # The user may mean a dangling link named by --out, but not one inside the folder.
    if folder is None and exists(path):
        _refuse_existing([path])
    # Missing folders are created once there's something to write.
    target = path if folder is None else folder / ".yaml"
    while not exists(target.parent):
        target = target.parent
    return target


def _refuse_existing(paths: Sequence[Path]) -> None:
    hint = "Choose another path, or remove it first. To update it to match what is live, use adopt."
    existing = [Diagnostic(f"{path} already exists", hint=hint) for path in paths if not is_special(path)]
    if existing:
        raise InputError(existing)
