"""The PATH arguments, and the manifests they lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.connection import ConnectionOptions
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import GuardError, InputError, Problem

if TYPE_CHECKING:
    from webchat_sync.domain.catalogue import Catalogue
    from webchat_sync.manifest import Loaded
    from webchat_sync.model import Manifest

paths_argument = click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
"""Manifest files and folders; without one, the current directory."""

overlay_option = click.option(
    "--overlay",
    "overlays",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Lay FILE over the manifests: mappings are merged, channels by name, all else is replaced. May be repeated.",
)
"""Handed to the command as ``overlays``."""


def manifest_environ(options: ConnectionOptions, runtime: Runtime) -> Mapping[str, str]:
    """The variables of a manifest: the environment, in which ``--org`` stands for ``MOSEND_ORG_ID``."""
    given = {"MOSEND_ORG_ID": options.organization} if options.organization else {}
    return {**runtime.environ, **given}


def read_manifests(
    paths: Sequence[Path],
    options: ConnectionOptions,
    catalogue: Catalogue,
    runtime: Runtime,
    overlays: Sequence[Path] = (),
) -> tuple[Manifest, ...]:
    """As :func:`load`, but the manifests alone; warnings are printed."""
    from webchat_sync.render.problems import render_problems

    loaded = load(paths, options, catalogue, runtime, overlays)
    if loaded.problems:
        click.echo(render_problems(loaded.problems), err=True)
    return loaded.manifests


@contextmanager
def quoting(paths: Sequence[Path]) -> Iterator[None]:
    """Gives the problems that are raised inside the lines of the manifests in ``paths`` that they are about."""
    try:
        yield
    except (InputError, GuardError) as error:
        from webchat_sync.manifest import with_lines

        raise type(error)(with_lines(error.problems, paths)) from None


def load(
    paths: Sequence[Path],
    options: ConnectionOptions,
    catalogue: Catalogue,
    runtime: Runtime,
    overlays: Sequence[Path] = (),
) -> Loaded:
    """The manifests in ``paths`` with ``overlays`` over them. Raises InputError with every problem of every file.

    ``--org`` stands for ``${MOSEND_ORG_ID}`` too, and must not contradict an organisation that a file names.
    """
    from webchat_sync.manifest import load_manifests

    loaded = load_manifests(
        paths or [Path()],
        catalogue=catalogue,
        environ=manifest_environ(options, runtime),
        organization=options.default_organization(runtime),
        overlays=overlays,
    )
    others = {manifest.organization for manifest in loaded.manifests} - {options.organization}
    if options.organization and others:
        named = ", ".join(sorted(others))
        hint = "Drop --org, or give it the organisation that the files name."
        raise InputError([Problem(f"--org is {options.organization}, but the files name {named}", hint=hint)])
    return loaded
