"""Planning against a snapshot, without a key or a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.connection import ConnectionOptions, connect, key_variables, one_organization
from webchat_sync.cli.files import FilledPath, read_text
from webchat_sync.cli.fleet import FleetOptions, read_fleet, say_failed
from webchat_sync.cli.memory import remembered_by
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.tone import note
from webchat_sync.environment import ORGANIZATION_VARIABLE
from webchat_sync.model import Manifest, moment_text

if TYPE_CHECKING:
    from webchat_sync.domain.catalogue import Catalogue
    from webchat_sync.model import Plan
    from webchat_sync.planfile.snapshot import Snapshot
    from webchat_sync.workflow.plan import PlanOptions

_NAME_ONE: Final = "Use --org ID, set MOSEND_ORG_ID, or give the path of manifests that name it."


def _live_option(needs: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    return click.option(
        "--live",
        metavar="FILE",
        type=FilledPath(path_type=Path, dir_okay=False),
        help=f"Use a snapshot saved with `snapshot --out FILE` instead of the API. {needs}",
    )


live_option = _live_option("Needs neither a key nor a network.")
"""Passed to the command as ``live``."""

live_and_memory_option = _live_option("Needs no key, and no network unless the memory is in Git.")
"""The same, for commands that also read the memory."""


def plan_against(
    file: Path,
    paths: Sequence[Path],
    overlays: Sequence[Path],
    connection: ConnectionOptions,
    memory: str | None,
    catalogue: Catalogue,
    runtime: Runtime,
    options: PlanOptions,
    fleet: FleetOptions,
) -> Plan:
    """The plan of the manifests in ``paths`` against the snapshot in ``file``, whose age is printed to stderr.

    The only organisation of a snapshot is used if nothing else names one. Raises InputError if the snapshot is invalid
    or for another organisation or server.
    """
    from webchat_sync.workflow.plan import plan_snapshot

    snapshot, runtime = open_snapshot(file, runtime)
    manifests, selection = read_fleet(paths, connection, catalogue, runtime, overlays, fleet)
    options = replace(options, selection=selection)
    remembered = remembered_by(manifests, memory, connection, runtime, paths, overlays)
    base_url = connection.named_label(runtime)
    plan = plan_snapshot(
        manifests, snapshot, runtime, catalogue, remembered, options, base_url=base_url, file=str(file)
    )
    say_age(file, snapshot, runtime)
    return plan


def take_live(manifests: Sequence[Manifest] | None, connection: ConnectionOptions, runtime: Runtime) -> Snapshot:
    """The live channels of the organisations of ``manifests``, or without any of --org; failures are printed to stderr.

    Raises InputError if no organisation is named, and ApiError if the only one fails.
    """
    from webchat_sync.workflow.snapshot import take_snapshot

    named = [Manifest(one_organization(connection, runtime, _NAME_ONE), ())] if manifests is None else manifests
    organizations = key_variables(named)
    with connect(connection, runtime, organizations, named) as connected:
        snapshot = wait_for(lambda: take_snapshot(connected, runtime))
    say_failed(snapshot.failed, organizations)
    return snapshot


def open_snapshot(file: Path, runtime: Runtime) -> tuple[Snapshot, Runtime]:
    """The snapshot in ``file``, and a runtime in which its only organisation is the default."""
    from webchat_sync.planfile.snapshot import read_snapshot

    snapshot = read_snapshot(read_text(file), file=str(file))
    if len(snapshot.listings) == 1:
        (organization,) = snapshot.listings
        runtime = replace(runtime, environ={ORGANIZATION_VARIABLE: organization, **runtime.environ})
    return snapshot, runtime


def say_age(
    file: Path, snapshot: Snapshot, runtime: Runtime, *, did: str = "Planned", preposition: str = "against"
) -> None:
    """Print to stderr what the command ``did`` with a snapshot instead of the live channels, and how old that is."""
    from webchat_sync.render.values import age

    old = age(runtime.now() - snapshot.created_at)
    created_at = moment_text(snapshot.created_at)
    note(f"{did} {preposition} {file}, a snapshot that is {old} old ({created_at}), not {preposition} what is live.")
