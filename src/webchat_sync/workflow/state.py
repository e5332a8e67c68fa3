"""The program's own folder: the ledger, the secrets that wait, and the lock."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Final

from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.model import Ledger, Manifest, OrganizationPlan, Secret

STATE_FOLDER: Final = Path(".webchat-sync")
"""The program's own folder, in the current directory."""

LEDGER: Final = STATE_FOLDER / "ledger.json"
"""Where rotations are remembered unless settings.ledger says otherwise."""

RECOVERY: Final = STATE_FOLDER / "recovery"
"""Where secrets lie that no sink has."""


def ledgers_of(parts: Iterable[Manifest | OrganizationPlan]) -> dict[str, Path]:
    """The ledger of every organisation, from what its manifest says."""
    return {part.organization: Path(part.ledger) if part.ledger else LEDGER for part in parts}


def read_ledgers(paths: Mapping[str, Path], environment: Environment, allowed_paths: Sequence[str]) -> Ledger:
    """What all of them remember. Raises InputError when one is damaged, or may not be used in this pipeline."""
    from webchat_sync.secrets.ledger import read_ledger

    refuse_outside(paths.values(), environment, allowed_paths)
    return {key: entry for path in dict.fromkeys(paths.values()) for key, entry in read_ledger(path).items()}


def secrets_in_use() -> tuple[tuple[Secret, ...], Callable[[str], bool]]:
    """The identity secrets that wait in this folder, and whether a text is one that its ledger tells of.

    What cannot be read holds none: who needs it says what is wrong with it.
    """
    if not STATE_FOLDER.is_dir():
        return (), lambda _: False
    from webchat_sync.secrets.ledger import read_ledger, remembers
    from webchat_sync.secrets.recovery import held

    ledger: Ledger = {}
    with suppress(InputError):
        ledger = read_ledger(LEDGER)
    if not ledger:
        return tuple(held(RECOVERY)), lambda _: False
    return tuple(held(RECOVERY)), lambda text: remembers(ledger, text)


def refuse_outside(ledgers: Iterable[Path], environment: Environment, allowed_paths: Sequence[str]) -> None:
    """Raise InputError with every ledger outside of the repository that the operator of a pipeline has not allowed."""
    from webchat_sync.tree import ALLOW_HINT, outside

    message = "the ledger {} lies outside of the repository, which needs the operator's word in CI"
    problems = [
        Diagnostic(message.format(path), hint=ALLOW_HINT)
        for path in dict.fromkeys(ledgers)
        if outside(path, Path(), environment.environ, tuple(allowed_paths))
    ]
    if problems:
        raise InputError(problems)


def locked(environment: Environment) -> AbstractContextManager[None]:
    """One apply at a time in one folder; raises LockedError that tells who holds the lock when another process does."""
    from webchat_sync.memory.file import FileLock
    from webchat_sync.memory.held import held
    from webchat_sync.memory.ports import Run

    run = Run(str(os.getpid()), f"process {os.getpid()} on {platform.node()}")
    return held(FileLock(folder=STATE_FOLDER, run=run, now=environment.now), timeout=0, every=3600)
