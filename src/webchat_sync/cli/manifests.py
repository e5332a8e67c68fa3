"""The PATH arguments, and the manifests they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.connection import ConnectionOptions
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import InputError, Problem

if TYPE_CHECKING:
    from webchat_sync.fields import Catalogue
    from webchat_sync.model import Manifest

paths_argument = click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
"""Manifest files and folders; without one, the current directory."""


def read_manifests(
    paths: Sequence[Path], options: ConnectionOptions, catalogue: Catalogue, runtime: Runtime
) -> tuple[Manifest, ...]:
    """The manifests in ``paths``; warnings are printed. Raises InputError with every problem of every file.

    ``--org`` stands for ``${MOSEND_ORG_ID}`` too, and must not contradict an organisation that a file names.
    """
    from webchat_sync.manifest import load_manifests
    from webchat_sync.render.problems import render_problems

    given = {"MOSEND_ORG_ID": options.organization} if options.organization else {}
    loaded = load_manifests(
        paths or [Path()],
        catalogue=catalogue,
        environ={**runtime.environ, **given},
        organization=options.default_organization(runtime),
    )
    if loaded.problems:
        click.echo(render_problems(loaded.problems), err=True)
    others = {manifest.organization for manifest in loaded.manifests} - {options.organization}
    if options.organization and others:
        named = ", ".join(sorted(others))
        hint = "Drop --org, or give it the organisation that the files name."
        raise InputError([Problem(f"--org is {options.organization}, but the files name {named}", hint=hint)])
    return loaded.manifests
