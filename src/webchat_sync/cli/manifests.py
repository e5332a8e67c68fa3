"""The PATH arguments, and the manifests in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.connection import ConnectionOptions
from webchat_sync.cli.files import input_path, read_bytes, refuse_written
from webchat_sync.cli.runtime import Runtime
from webchat_sync.environment import ORGANIZATION_VARIABLE
from webchat_sync.errors import Diagnostic, GuardError, InputError
from webchat_sync.sentences import candidates
from webchat_sync.workflow.state import recognizer_of, secrets_that_wait

if TYPE_CHECKING:
    from webchat_sync.check.variables import Variables
    from webchat_sync.domain.catalogue import Catalogue
    from webchat_sync.manifest import Loaded


def _allow_env(context: click.Context, _: click.Parameter, names: tuple[str, ...]) -> None:
    if names and isinstance(context.obj, Runtime):
        context.obj = replace(context.obj, allowed_env=names)


def _allow_path(context: click.Context, _: click.Parameter, globs: tuple[str, ...]) -> None:
    if globs and isinstance(context.obj, Runtime):
        context.obj = replace(context.obj, allowed_paths=globs)


_allow_env_option = click.option(
    "--allow-env",
    metavar="NAME",
    multiple=True,
    expose_value=False,
    callback=_allow_env,
    help="Let manifests read the variable NAME in addition to WEBCHAT_*; globs match several. May be repeated.  "
    "[env: WEBCHAT_SYNC_ALLOW_ENV]",
)

_allow_path_option = click.option(
    "--allow-path",
    metavar="GLOB",
    multiple=True,
    expose_value=False,
    callback=_allow_path,
    help="In CI, allow a ledger or sink outside the repository if its path matches GLOB, in which * also matches /. "
    "May be repeated.  [env: WEBCHAT_SYNC_ALLOW_PATHS]",
)


def allow_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command --allow-env and --allow-path, which the runtime remembers."""
    return _allow_env_option(_allow_path_option(command))


def paths_argument(command: Callable[..., object]) -> Callable[..., object]:
    """Manifest files and folders, as ``paths``; by default, the current directory. Includes :func:`allow_options`."""
    argument = click.argument("paths", metavar="[PATH]...", nargs=-1, type=input_path)
    return argument(allow_options(command))


overlay_option = click.option(
    "--overlay",
    "overlays",
    metavar="FILE",
    multiple=True,
    type=input_path,
    help="Apply the overlay FILE to the manifests: mappings are merged, channels are merged by name, and "
    "everything else is replaced. May be repeated.",
)
"""Passed to the command as ``overlays``."""


IN_PLANS: Final = frozenset({"contrast"})
"""The codes of warnings that a plan itself shows for its changes."""


def manifest_environ(options: ConnectionOptions, runtime: Runtime) -> Variables:
    """The variables for manifests: the environment, with ``--org`` as ``MOSEND_ORG_ID``."""
    from webchat_sync.check.variables import Variables
    from webchat_sync.model import Secret

    from_options = {ORGANIZATION_VARIABLE: options.organization} if options.organization else {}
    keys = secrets_that_wait()
    if options.api_key_file is not None:
        with suppress(InputError):  # reported when the key is needed
            keys = (*keys, Secret(read_bytes(options.api_key_file).decode("utf-8", "replace").strip()))
    return Variables.of({**runtime.environ, **from_options}, runtime.allowed_env, keys, recognizer_of)


def load_and_warn(
    paths: Sequence[Path],
    options: ConnectionOptions,
    catalogue: Catalogue,
    runtime: Runtime,
    overlays: Sequence[Path] = (),
    *,
    policies: bool = True,
    planning: bool = False,
) -> Loaded:
    """Like :func:`load`, and print the warnings.

    With ``planning``, undeclared channels may be deleted, so it's refused if other files of a folder declare them: see
    :func:`~webchat_sync.manifest.left_out.refuse_left_out`. Warnings that the plan itself shows are omitted then.
    """
    loaded = load(paths, options, catalogue, runtime, overlays, policies=policies)
    if planning:
        from webchat_sync.manifest import refuse_left_out

        environ, organization = manifest_environ(options, runtime), options.default_organization(runtime)
        refuse_left_out(
            loaded, paths, catalogue=catalogue, environ=environ, organization=organization, overlays=overlays
        )
    warnings = [problem for problem in loaded.problems if not (planning and problem.code in IN_PLANS)]
    if warnings and not runtime.quiet:
        from webchat_sync.render.problems.text import render_problems

        click.echo(render_problems(warnings), err=True)
    return loaded


@contextmanager
def quoting(paths: Sequence[Path]) -> Iterator[None]:
    """Add the lines of the manifests in ``paths`` to the problems that are raised inside."""
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
    *,
    policies: bool = True,
    despite_errors: bool = False,
) -> Loaded:
    """The manifests in ``paths`` with ``overlays`` applied. Raises InputError with every problem of every file.

    ``--org`` also sets ``${MOSEND_ORG_ID}``, and limits the manifests to that organisation, which must be one of
    theirs. ``policies`` and ``despite_errors`` are as for :func:`~webchat_sync.manifest.load.load_manifests`.
    """
    from webchat_sync.manifest import load_manifests

    loaded = load_manifests(
        paths or [Path()],
        catalogue=catalogue,
        environ=manifest_environ(options, runtime),
        organization=options.default_organization(runtime),
        overlays=overlays,
        policies=policies,
        despite_errors=despite_errors,
    )
    refuse_written(manifest.ledger for manifest in loaded.manifests)
    others = {manifest.organization for manifest in loaded.manifests} - {options.organization}
    if options.organization and others:
        own = tuple(manifest for manifest in loaded.manifests if manifest.organization == options.organization)
        if own:
            return replace(loaded, manifests=own, limited=True)
        named = candidates(options.organization, list(others))
        hint = "Remove --org, or use an organisation that the files name."
        raise InputError([Diagnostic(f'--org is "{options.organization}", but the files name {named}', hint=hint)])
    return loaded
