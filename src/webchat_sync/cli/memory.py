"""The options for the memory, and opening it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.connection import ConnectionOptions
from webchat_sync.cli.files import FilledText
from webchat_sync.cli.manifests import manifest_environ
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note
from webchat_sync.frozen import frozen
from webchat_sync.model import NO_REPOSITORY, Manifest, OrganizationPlan, Remembered
from webchat_sync.tree import is_folder
from webchat_sync.workflow.state import (
    LEDGER,
    MemoryPlace,
    declared_memory,
    ignore_own_folder,
    ledgers_of,
    open_run_memory,
)

if TYPE_CHECKING:
    from webchat_sync.manifest.left_out import Mention
    from webchat_sync.memory.ports import Holder
    from webchat_sync.workflow.remembering import RunMemory


@frozen
class MemoryOptions:
    """``given`` says where the memory is, None for the default; ``timeout`` is how long to wait for its lock."""

    given: str | None = None
    timeout: float | None = None


def _not_nan(_ctx: click.Context, _param: click.Parameter, seconds: float | None) -> float | None:
    """Refuse NaN, which no range excludes, since it's in no order with other numbers."""
    if seconds is not None and math.isnan(seconds):
        raise click.BadParameter("nan isn't a number of seconds.")
    return seconds


memory_option = click.option(
    "--memory",
    metavar="PLACE",
    type=FilledText(),
    help="Where the ledger and the lock are kept: file, git, or the URL or path of a repository; with #REF, as in "
    "git#REF, on another ref.  [env: WEBCHAT_SYNC_MEMORY; default: settings.memory of the manifests, or file]",
)
"""For commands that read the memory; passed to them as ``memory``."""


def memory_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command that writes the options --memory and --lock-timeout, as ``memory``."""

    @memory_option
    @click.option(
        "--lock-timeout",
        metavar="SECONDS",
        type=click.FloatRange(min=0),
        callback=_not_nan,
        help="How many seconds to wait for another run that holds the lock.  [default: 120, or 0 in a terminal]",
    )
    @wraps(command)
    def wrapped(*arguments: object, memory: str | None, lock_timeout: float | None, **rest: object) -> object:
        return command(*arguments, memory=MemoryOptions(memory, lock_timeout), **rest)

    return wrapped


def memory_place(
    settings: Sequence[Manifest | OrganizationPlan],
    given: str | None,
    connection: ConnectionOptions,
    runtime: Runtime,
    paths: Sequence[Path] = (),
    overlays: Sequence[Path] = (),
) -> MemoryPlace:
    """Where the memory of a run for ``settings`` is; the manifests are in ``paths``. Raises InputError."""
    return MemoryPlace(
        ledgers=ledgers_of(settings),
        declared=declared_memory(settings),
        given=given,
        clone=folder_of(paths),
        paths=(*(paths or [Path()]), *overlays),
        # Experiments in the sandbox aren't shared.
        in_files=connection.sandbox,
        # A saved plan has decided what is deleted.
        manifests=tuple(item for item in settings if isinstance(item, Manifest)),
        mentions=partial(_mentions, (*(paths or [Path()]), *overlays), connection, runtime),
        allowed_paths=runtime.allowed_paths,
    )


def _mentions(
    given: Sequence[Path], connection: ConnectionOptions, runtime: Runtime, tops: Sequence[Path]
) -> Sequence[Mention]:
    """What the manifests in the folders ``tops`` declare, apart from the ``given`` ones."""
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.manifest.left_out import mentions_below

    return mentions_below(
        tops,
        given,
        catalogue=load_catalogue(),
        environ=manifest_environ(connection, runtime),
        organization=connection.default_organization(runtime),
    )


def folder_of(paths: Sequence[Path]) -> Path:
    """The first of the paths if it's a folder, or else the folder that contains it."""
    first = paths[0] if paths else Path()
    return first if is_folder(first) else first.parent


def remembered_by(
    settings: Sequence[Manifest | OrganizationPlan],
    given: str | None,
    connection: ConnectionOptions,
    runtime: Runtime,
    paths: Sequence[Path] = (),
    overlays: Sequence[Path] = (),
) -> Remembered:
    """What is remembered for a plan of ``settings``. Raises InputError and MemoryUnavailableError."""
    place = memory_place(settings, given, connection, runtime, paths, overlays)
    with_owner = any(item.prune == "owned" for item in settings)
    with open_run_memory(place, runtime, base_url=connection.label(runtime), with_owner=with_owner) as memory:
        _say_no_owner(memory)
        return memory.read()


@contextmanager
def holding(
    place: MemoryPlace,
    options: MemoryOptions,
    connection: ConnectionOptions,
    runtime: Runtime,
    waiting: Callable[[Holder], object] = lambda _: None,
    *,
    rotates: bool = False,
) -> Iterator[RunMemory]:
    """The memory of this run, locked until the block ends; ``waiting`` is also called with a lock's holder.

    ``rotates``: the user asked for a new secret, so it's said if a pipeline doesn't learn of it.
    Raises InputError, LockedError and MemoryUnavailableError.
    """
    from webchat_sync.memory.opened import lock_timeout

    def say_waiting(holder: Holder) -> None:
        note(f"Waiting for another run to release the lock: {holder}.")
        waiting(holder)

    if rotates:
        _say_local(place, runtime)
    timeout = lock_timeout(options.timeout, interactive=runtime.interactive)
    with (
        open_run_memory(place, runtime, base_url=connection.label(runtime)) as memory,
        memory.opened.hold(timeout, say_waiting, _say_taken_over),
    ):
        _say_no_owner(memory)
        # Before as well, since the run may be killed.
        ignore_own_folder()
        try:
            yield memory
        finally:
            ignore_own_folder()


def _say_local(place: MemoryPlace, runtime: Runtime) -> None:
    """Say that only this machine remembers a rotation, unless that was chosen or there's no remote."""
    from webchat_sync.memory.clone import owner_of
    from webchat_sync.memory.opened import VARIABLE

    chosen = place.in_files or place.given or place.declared or runtime.environ.get(VARIABLE, "").strip()
    if chosen or {*place.ledgers.values()} != {LEDGER} or owner_of(place.clone, runtime.environ) == NO_REPOSITORY:
        return
    note(
        "Only this machine remembers the rotation. If a pipeline keeps its memory in Git, its next run may rotate "
        "again. To prevent that, set `settings.memory: git` in the manifests before you rotate, or use --memory git."
    )


def _say_no_owner(memory: RunMemory) -> None:
    if memory.why_no_owner:
        what = "The repository of the manifests can't be identified, so `prune: owned` deletes nothing"
        note(f"{what}: {memory.why_no_owner}.")


def _say_taken_over(former: Holder) -> None:
    note(f"Took over the lock of {former}, which hadn't renewed it in time.")
