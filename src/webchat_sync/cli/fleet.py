"""Options that limit a run over many organisations, and messages about failures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.connection import ConnectionOptions
from webchat_sync.cli.manifests import load_and_warn
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.flat import flat
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.sentences import counted

if TYPE_CHECKING:
    from webchat_sync.domain.catalogue import Catalogue
    from webchat_sync.manifest import Loaded
    from webchat_sync.model import FailedOrganization, Manifest, Shard
    from webchat_sync.plan.select import Selection

MOST_SHARDS: Final = 100_000
_SHARD: Final = lazy_pattern(r"([0-9]{1,6})/([0-9]{1,6})", re.ASCII)
_NUMBER: Final = lazy_pattern(r"[0-9]{1,6}", re.ASCII)


@frozen
class FleetOptions:
    """``--target-org`` and ``--shard``."""

    organizations: tuple[str, ...] = ()
    shard: Shard | None = None


def _shard(context: click.Context, parameter: click.Parameter, value: str | None) -> Shard | None:
    from webchat_sync.model import Shard

    if value is None:
        return None
    parts = _SHARD.fullmatch(value)
    if parts is None or not 1 <= int(parts[1]) <= int(parts[2]) <= MOST_SHARDS:
        raise click.BadParameter(f"{show(value)} isn't a shard such as 1/4, 2/4, 3/4 or 4/4.", context, parameter)
    return Shard(int(parts[1]), int(parts[2]))


target_org_option = click.option(
    "--target-org",
    "target_orgs",
    metavar="ID",
    multiple=True,
    help="Only organisations with this id; *, ? and [...] match several. May be repeated.",
)
"""Handed to the command as ``target_orgs``."""


def fleet_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command --target-org and --shard, as ``fleet``."""

    @target_org_option
    @click.option(
        "--shard",
        metavar="I/N",
        callback=_shard,
        help="Only shard I of N of the organisations, assigned by a hash of their ids.  [env: CI_NODE_INDEX and "
        "CI_NODE_TOTAL of GitLab's `parallel`; JOB_COMPLETION_INDEX of Kubernetes with WEBCHAT_SYNC_SHARDS]",
    )
    @wraps(command)
    def wrapped(*arguments: object, target_orgs: tuple[str, ...], shard: Shard | None, **rest: object) -> object:
        return command(*arguments, fleet=FleetOptions(target_orgs, shard), **rest)

    return wrapped


def read_fleet(
    paths: Sequence[Path],
    options: ConnectionOptions,
    catalogue: Catalogue,
    runtime: Runtime,
    overlays: Sequence[Path],
    fleet: FleetOptions,
    *,
    policies: bool = True,
    planning: bool = True,
) -> tuple[tuple[Manifest, ...], Selection]:
    """The manifests of the run, and the selection they're from; warnings and the shard are printed.

    ``policies`` and ``planning`` are as for :func:`load_and_warn`. Raises InputError like loading, for ids
    that match no organisation, and for a shard that the environment only defines in part.
    """
    from webchat_sync.plan.select import WHOLE

    loaded = load_and_warn(paths, options, catalogue, runtime, overlays, policies=policies, planning=planning)
    shard, source = (fleet.shard, "") if fleet.shard else _of_environment(runtime.environ)
    manifests, selection = choose(loaded, replace(fleet, shard=shard))
    if shard is not None and shard != WHOLE:
        by = f", from {source}" if source else ""
        more = " Use --shard 1/1 for all of them." if source else ""
        count = f"{len(manifests):,} of {counted(len(loaded.manifests), 'organisation')}"
        click.echo(flat(f"Shard {shard}{by}: {count}.{more}"), err=True)
    return manifests, selection


def choose(loaded: Loaded, fleet: FleetOptions) -> tuple[tuple[Manifest, ...], Selection]:
    """The manifests that the options choose, and what from; raises InputError for a pattern without a match."""
    from webchat_sync.plan.select import WHOLE, select

    return select(loaded.manifests, fleet.organizations, fleet.shard or WHOLE, named=loaded.limited)


def read_named(
    paths: Sequence[Path],
    options: ConnectionOptions,
    catalogue: Catalogue,
    runtime: Runtime,
    overlays: Sequence[Path],
    fleet: FleetOptions,
) -> tuple[Manifest, ...] | None:
    """As :func:`read_fleet`, for a command that plans nothing and needs no manifests: None without ``paths``.

    Raises UsageError for options that have nothing to choose from then.
    """
    if paths:
        return read_fleet(paths, options, catalogue, runtime, overlays, fleet, planning=False)[0]
    if fleet != FleetOptions():
        raise click.UsageError("--target-org and --shard select organisations of manifests: also give PATH.")
    return None


def _of_environment(environ: Mapping[str, str]) -> tuple[Shard | None, str]:
    """The shard that a pipeline assigns to this job, and the variables that say so."""
    from webchat_sync.model import Shard

    if total := environ.get("WEBCHAT_SYNC_SHARDS"):
        names = ("JOB_COMPLETION_INDEX", "WEBCHAT_SYNC_SHARDS")
        first, index = 0, environ.get("JOB_COMPLETION_INDEX", "")
    elif environ.get("CI_NODE_INDEX") and (total := environ.get("CI_NODE_TOTAL")):
        names = ("CI_NODE_INDEX", "CI_NODE_TOTAL")
        first, index = 1, environ["CI_NODE_INDEX"]
        job = environ.get("CI_JOB_NAME", "")
        if job and not job.endswith(f" {index}/{total}"):
            # Jobs of a matrix are numbered, too, but each one does something different.
            hint = 'To split them, use --shard "$CI_NODE_INDEX/$CI_NODE_TOTAL".'
            if total != "1":
                click.echo(
                    f"This job is part of a `parallel: matrix`, so it handles all organisations. {hint}", err=True
                )
            return None, ""
    else:
        return None, ""
    numbers = all(_NUMBER.fullmatch(number) for number in (index, total))
    if not numbers or not first <= int(index) < int(total) + first or int(total) > MOST_SHARDS:
        given = f"is {show(index)}" if names[0] in environ else "isn't set"
        problem = f"{names[0]} {given} and {names[1]} is {show(total)}, which isn't a valid shard"
        raise InputError([Diagnostic(problem, hint="Use --shard I/N, or --shard 1/1 for all organisations.")])
    return Shard(int(index) - first + 1, int(total)), " and ".join(names)


def say_failed(failed: Sequence[FailedOrganization], names: Iterable[str]) -> None:
    """Print every organisation that failed to stderr; ``names`` are all organisations of the run."""
    from webchat_sync.render.failed import render_failed

    if failed:
        click.echo(render_failed(failed, len(set(names))), err=True)


def exit_codes(failed: Iterable[FailedOrganization]) -> list[int]:
    """The exit codes of runs of these organisations alone."""
    return [failure.exit_code for failure in failed]
