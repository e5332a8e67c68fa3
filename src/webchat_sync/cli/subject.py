"""Which organisation a command about single channels is for: as the options say, or the manifests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.connection import ConnectionOptions, KeyVariable, key_variables, one_organization
from webchat_sync.cli.manifests import load
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import InputError, Problem
from webchat_sync.model import Sink
from webchat_sync.workflow.state import LEDGER

if TYPE_CHECKING:
    from webchat_sync.model import Declaration, Manifest


def manifest_option(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the option --manifest, handed to it as ``paths``."""
    return click.option(
        "--manifest",
        "paths",
        metavar="PATH",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Take the organisation, its key and its ledger from the manifests in PATH. May be repeated.  "
        "[default: those in the current directory, where there are any]",
    )(command)


@dataclass(frozen=True, slots=True)
class Subject:
    """The organisation, the variable that holds its own key, its ledger, and what is declared of the channel."""

    organization: str
    key_variable: KeyVariable | None
    ledger: Path
    declaration: Declaration | None = None

    @property
    def keys(self) -> Mapping[str, KeyVariable | None]:
        """What a connection is made with."""
        return {self.organization: self.key_variable}

    @property
    def sinks(self) -> tuple[Sink, ...]:
        """Where the channel's secret goes as it is declared now."""
        block = self.declaration.identity_secret if self.declaration else None
        return block.deliver if block else ()


def find_subject(
    paths: Sequence[Path], connection: ConnectionOptions, runtime: Runtime, ledger: Path | None, name: str = ""
) -> Subject:
    """What the manifests and the options say of the channel ``name``; --org and --ledger count before manifests.

    Raises InputError when nothing names the organisation or several do, and for manifests that cannot be read,
    unless they were only looked for and the options say enough.
    """
    manifests = _manifests(paths, connection, runtime)
    manifest = _one_of(manifests, connection, name)
    if manifest is None:
        return Subject(one_organization(connection, runtime), None, ledger or LEDGER)
    declared = next(
        (declaration for declaration in manifest.declarations if name and name in {declaration.name, declaration.id}),
        None,
    )
    of_manifest = Path(manifest.ledger) if manifest.ledger else LEDGER
    return Subject(
        manifest.organization, key_variables([manifest])[manifest.organization], ledger or of_manifest, declared
    )


def find_offline(paths: Sequence[Path], runtime: Runtime, ledger: Path | None, name: str) -> Subject:
    """As :func:`find_subject`, for what needs no network: no organisation has to be named."""
    nowhere = ConnectionOptions(None, base_url=None, api_key_file=None, sandbox=False)
    try:
        return find_subject(paths, nowhere.offline, runtime, ledger, name)
    except InputError:
        if paths:
            raise
        return Subject("", None, ledger or LEDGER)


def _manifests(paths: Sequence[Path], connection: ConnectionOptions, runtime: Runtime) -> Sequence[Manifest]:
    """The manifests in ``paths`` or else those of the current directory, in which other files do not count."""
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.manifest.completion_names import manifest_files

    found = paths or manifest_files([Path()], runtime.environ)
    if not found:
        return ()
    try:
        return load(found, connection, load_catalogue(), runtime).manifests
    except InputError:
        if paths or not connection.default_organization(runtime):
            raise
        # What nobody named must not keep the command from what the options say.
        return ()


def _one_of(manifests: Sequence[Manifest], connection: ConnectionOptions, name: str) -> Manifest | None:
    """The manifest that is meant: of --org, else the one that declares the channel, else the only one."""
    if connection.organization:
        return next((manifest for manifest in manifests if manifest.organization == connection.organization), None)
    if len(manifests) <= 1:
        return manifests[0] if manifests else None
    declaring = [
        manifest
        for manifest in manifests
        if any(name in {declaration.name, declaration.id} for declaration in manifest.declarations)
    ]
    if len(declaring) == 1:
        return declaring[0]
    named = ", ".join(manifest.organization for manifest in manifests)
    raise InputError([Problem(f"the manifests are of several organisations: {named}", hint="Give --org ID.")])
