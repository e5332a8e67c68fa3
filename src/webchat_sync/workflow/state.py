"""Where a run keeps what it remembers: the program's own folder, or a ref of a Git remote."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.model import GitMemory, Ledger, LedgerEntry, Manifest, OrganizationPlan, Secret

if TYPE_CHECKING:
    from webchat_sync.memory.place import Remote
    from webchat_sync.workflow.remembering import RunMemory

STATE_FOLDER: Final = Path(".webchat-sync")
"""The program's own folder, in the current directory."""

LEDGER: Final = STATE_FOLDER / "ledger.json"
"""Where rotations are remembered unless settings.ledger says otherwise."""

RECOVERY: Final = STATE_FOLDER / "recovery"
"""Where secrets lie that no sink has."""


def own_folder() -> dict[str, str]:
    """The program's own folder as no place for a secret: resolved, and what it is for."""
    return {os.path.realpath(STATE_FOLDER): "it's where webchat-sync keeps its memory"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlace:
    """Where the memory of a run is.

    ``ledgers`` are the files by organisation, ``declared`` is what the manifests say, and ``given`` what the operator
    says, as :func:`webchat_sync.memory.opened.chosen_remote` reads it. ``clone`` is a folder of the manifests' clone.
    ``in_files``: whatever anybody says. ``by_hand``: the operator named the ledger, so it may be anywhere.
    """

    ledgers: Mapping[str, Path] = field(default_factory=dict)
    declared: GitMemory | None = None
    given: str | None = None
    clone: Path = Path()
    in_files: bool = False
    by_hand: bool = False
    allowed_paths: Sequence[str] = ()

    def remote(self, environ: Mapping[str, str]) -> Remote | None:
        """The remote that has it; None for files. Raises InputError."""
        from webchat_sync.memory.opened import chosen_remote

        return None if self.in_files else chosen_remote(self.given, self.declared, self.clone, environ)


def ledgers_of(parts: Iterable[Manifest | OrganizationPlan]) -> dict[str, Path]:
    """The ledger of every organisation, from what its manifest says."""
    return {part.organization: Path(part.ledger) if part.ledger else LEDGER for part in parts}


def declared_memory(parts: Iterable[Manifest | OrganizationPlan]) -> GitMemory | None:
    """The memory that all of ``parts`` ask for. Raises InputError when they do not agree: a run has one lock."""
    said: dict[GitMemory | None, str] = {}
    for part in parts:
        said.setdefault(part.memory, part.organization)
    if len(said) > 1:
        one, other, *_ = said.values()
        message = f"the organisations {one} and {other} use different memories"
        hint = "Use the same `settings.memory` in all manifests of a run, or run each organisation separately."
        raise InputError([Diagnostic(message, hint=hint)])
    return next(iter(said), None)


@contextmanager
def open_run_memory(
    place: MemoryPlace, environment: Environment, *, base_url: str, with_owner: bool = True
) -> Iterator[RunMemory]:
    """The memory of this run against ``base_url``, until the block ends.

    ``with_owner``: it matters whose manifests they are. Raises InputError and MemoryUnavailableError.
    """
    from webchat_sync.forge.environment import run_url
    from webchat_sync.memory.opened import open_memory
    from webchat_sync.memory.ports import Run
    from webchat_sync.workflow.remembering import RunMemory

    remote = place.remote(environment.environ)
    if remote is None and not place.by_hand:
        refuse_outside(place.ledgers.values(), environment, place.allowed_paths)
    host, url = f"process {os.getpid()} on {platform.node()}", run_url(environment.environ)
    commit, owner = _clone_of(place, environment, with_commit=remote is not None, with_owner=with_owner)
    run = Run(environment.new_id(), host, url, commit)
    opening = open_memory(
        remote,
        run,
        ledgers=place.ledgers,
        folder=STATE_FOLDER,
        environ=environment.environ,
        now=environment.now,
        random=environment.random,
        sleep=environment.pause,
    )
    with opening as opened:
        yield RunMemory(opened, base_url, owner, url or host, blocking=remote is not None)


def _clone_of(place: MemoryPlace, environment: Environment, *, with_commit: bool, with_owner: bool) -> tuple[str, str]:
    """The commit that is checked out and whose manifests they are, as far as that matters. Only then is git asked."""
    if not (with_commit or with_owner):
        return "", ""
    from webchat_sync.memory.clone import commit_of, owner_of

    return (
        commit_of(place.clone, environment.environ) if with_commit else "",
        owner_of(place.clone, environment.environ) if with_owner else "",
    )


def secrets_that_wait() -> tuple[Secret, ...]:
    """The identity secrets that wait in this folder.

    What cannot be read holds none: who needs it says what is wrong with it.
    """
    if not STATE_FOLDER.is_dir():
        return ()
    from webchat_sync.secrets.recovery import held

    return tuple(held(RECOVERY))


def recognizer_of(ledgers: Iterable[str]) -> Callable[[str], bool]:
    """Tells whether a text holds an identity secret that one of ``ledgers`` remembers, or that of this folder.

    What cannot be read remembers none: who needs it says what is wrong with it.
    """
    from webchat_sync.memory.files import FileMemories
    from webchat_sync.model import ChannelKey
    from webchat_sync.secrets.ledger import recognizer

    remembered: dict[ChannelKey, LedgerEntry] = {}
    for path in {LEDGER, *map(Path, ledgers)}:
        with suppress(InputError):
            for scope, document in FileMemories({"": path}).read().items():
                remembered |= {
                    ChannelKey(*scope, channel_id): entry for channel_id, entry in document.rotations.items()
                }
    return recognizer(remembered)


def refuse_remembered(manifests: Iterable[Manifest], ledger: Ledger) -> None:
    """Raise InputError for what holds an identity secret that ``ledger`` has a mark of, wherever that was kept."""
    from webchat_sync.check.secrets import remembered_in
    from webchat_sync.secrets.ledger import recognizer

    if not any(entry.secret_hash for entry in ledger.values()):
        return
    remembered = recognizer(ledger)
    declarations = [declaration for manifest in manifests for declaration in manifest.declarations]
    if problems := [problem for declaration in declarations for problem in remembered_in(declaration, remembered)]:
        raise InputError(problems)


def refuse_planted() -> None:
    """Raise InputError for what a checkout may have put into the program's own folder to be read or written through it.

    That is a link that leaves the repository, a device, a FIFO or a socket: ``lock.holder`` as a link to a file of the
    user's, a secret that waits as one to ``/dev/zero``.
    """
    from webchat_sync.tree import escape, special

    inside = [path for folder in (STATE_FOLDER, RECOVERY) if folder.is_dir() for path in sorted(folder.iterdir())]
    hint = "Remove it, and find out who put it there: this folder is webchat-sync's own and should never be committed."
    problems = []
    for path in (STATE_FOLDER, *inside):
        if link := escape(path, Path()):
            problems.append(
                Diagnostic(f"{path} isn't used because the link {link} leads outside the repository", hint=hint)
            )
        elif flaw := special(path):
            problems.append(Diagnostic(f"{path} isn't used: {flaw}", hint=hint))
    if problems:
        raise InputError(problems)


def refuse_outside(ledgers: Iterable[Path], environment: Environment, allowed_paths: Sequence[str]) -> None:
    """Raise InputError with every ledger outside of the repository that the operator of a pipeline has not allowed."""
    from webchat_sync.tree import ALLOW_HINT, outside

    message = "the ledger {} is outside the repository, which the operator must allow in CI"
    problems = [
        Diagnostic(message.format(path), hint=ALLOW_HINT)
        for path in dict.fromkeys(ledgers)
        if outside(path, Path(), environment.environ, tuple(allowed_paths))
    ]
    if problems:
        raise InputError(problems)
