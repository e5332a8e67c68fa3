"""Where a run keeps its memory: in the program's own folder, or on a ref of a Git remote."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webchat_sync.environment import OWN_FOLDER, Environment
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.files import create
from webchat_sync.frozen import frozen
from webchat_sync.model import NO_REPOSITORY, GitMemory, Ledger, LedgerEntry, Manifest, OrganizationPlan, Secret
from webchat_sync.tree import is_folder

if TYPE_CHECKING:
    from webchat_sync.manifest.left_out import Mention
    from webchat_sync.memory.place import Remote
    from webchat_sync.workflow.remembering import RunMemory

STATE_FOLDER: Final = Path(OWN_FOLDER)

LEDGER: Final = STATE_FOLDER / "ledger.json"
"""Where rotations are remembered, unless settings.ledger says otherwise."""

RECOVERY: Final = STATE_FOLDER / "recovery"
"""Where secrets wait that no sink has accepted."""


def own_folder() -> dict[str, str]:
    """The resolved path of the program's own folder, which is no place for a secret, and its purpose."""
    return {os.path.realpath(STATE_FOLDER): "webchat-sync keeps its memory there"}


@frozen(kw_only=True)
class MemoryPlace:
    """Where the memory of a run is.

    ``ledgers`` are the files by organisation, ``declared`` is the setting in the manifests, and ``given`` the
    operator's, in the form that :func:`webchat_sync.memory.opened.chosen_remote` reads. ``clone`` is a folder in the
    clone of the manifests, and ``paths`` are the manifests and overlays. ``in_files`` ignores both settings.
    ``by_hand``: the operator named the ledger, so it may be anywhere. ``manifests`` are those of the run, unless it has
    a saved plan, and ``mentions`` returns what the files in some folders declare apart from ``paths``.
    """

    ledgers: Mapping[str, Path] = field(default_factory=dict)
    declared: GitMemory | None = None
    given: str | None = None
    clone: Path = Path()
    paths: Sequence[Path] = ()
    in_files: bool = False
    by_hand: bool = False
    manifests: Sequence[Manifest] = ()
    mentions: Callable[[Sequence[Path]], Sequence[Mention]] = lambda _: ()
    allowed_paths: Sequence[str] = ()

    @property
    def pruned(self) -> frozenset[str]:
        """The organisations in which the run deletes what is remembered as its own."""
        return frozenset(manifest.organization for manifest in self.manifests if manifest.prune == "owned")

    def remote(self, environ: Mapping[str, str]) -> Remote | None:
        """The remote that holds the memory; None if it's in files. Raises InputError."""
        from webchat_sync.memory.opened import chosen_remote

        return None if self.in_files else chosen_remote(self.given, self.declared, self.clone, environ)


def ledgers_of(parts: Iterable[Manifest | OrganizationPlan]) -> dict[str, Path]:
    """The ledger of every organisation, from its manifest or plan."""
    return {part.organization: Path(part.ledger) if part.ledger else LEDGER for part in parts}


def declared_memory(parts: Iterable[Manifest | OrganizationPlan]) -> GitMemory | None:
    """The memory that all of ``parts`` declare. Raises InputError if they differ, since a run has one lock."""
    organization_by_memory: dict[GitMemory | None, str] = {}
    for part in parts:
        organization_by_memory.setdefault(part.memory, part.organization)
    if len(organization_by_memory) > 1:
        one, other, *_ = organization_by_memory.values()
        message = f'the organisations "{one}" and "{other}" use different memories'
        hint = "Use the same `settings.memory` in all manifests of a run, or run each organisation separately."
        raise InputError([Diagnostic(message, hint=hint)])
    return next(iter(organization_by_memory), None)


@contextmanager
def open_run_memory(
    place: MemoryPlace, environment: Environment, *, base_url: str, with_owner: bool = True
) -> Iterator[RunMemory]:
    """The memory of this run against ``base_url``, closed at the end of the block.

    ``with_owner``: record whose manifests these are. Raises InputError and MemoryUnavailableError.
    """
    from webchat_sync.forge.environment import run_url
    from webchat_sync.memory.opened import open_memory
    from webchat_sync.memory.ports import Run
    from webchat_sync.workflow.ownership import Ownership, ownership_of
    from webchat_sync.workflow.remembering import RunMemory

    remote = place.remote(environment.environ)
    if remote is None and not place.by_hand:
        refuse_outside(place.ledgers.values(), environment, place.allowed_paths)
    host, url = f"process {os.getpid()} on {platform.node()}", run_url(environment.environ)
    commit, owner = _clone_of(place, environment, remote, with_owner=with_owner)
    run = Run(environment.new_id(), host, url, commit)
    named_in = () if place.by_hand else [path if is_folder(path) else path.parent for path in place.paths]
    with open_memory(
        remote, run, ledgers=place.ledgers, folder=STATE_FOLDER, environment=environment, named_in=named_in
    ) as opened:
        ownership = ownership_of(place, owner, environment.environ) if with_owner else Ownership()
        why = ""
        if place.pruned and owner in {"", NO_REPOSITORY}:
            from webchat_sync.memory.clone import why_no_owner

            why = why_no_owner(place.clone, environment.environ, shared=remote is not None)
        yield RunMemory(opened, base_url, ownership, url or host, remote is not None, why)


def _clone_of(
    place: MemoryPlace, environment: Environment, remote: Remote | None, *, with_owner: bool
) -> tuple[str, str]:
    """The checked-out commit and the owner of the manifests; Git runs only for those that are needed.

    A memory on a ``remote`` is shared, and its owners must be told apart, so it has none without a repository.
    """
    if remote is None and not with_owner:
        return "", ""
    from webchat_sync.memory.clone import commit_of, owner_in, owner_of

    owner = owner_of(place.clone, environment.environ) if with_owner else ""
    if remote is None:
        return "", owner
    commit = commit_of(place.clone, environment.environ)
    return commit, "" if owner == NO_REPOSITORY else owner_in(remote, owner)


def ignore_own_folder() -> None:
    """Have Git ignore the program's own folder, if there is one: it may contain secrets."""
    if STATE_FOLDER.is_dir():
        with suppress(OSError):  # in particular if it's ignored already
            create(STATE_FOLDER / ".gitignore", b"*\n")


def secrets_that_wait() -> tuple[Secret, ...]:
    """The identity secrets that wait in this folder.

    Unreadable files are skipped: commands that need them report the problem.
    """
    if not STATE_FOLDER.is_dir():
        return ()
    from webchat_sync.secrets.recovery import held

    return tuple(held(RECOVERY))


def recognizer_of(ledgers: Iterable[str]) -> Callable[[str], bool]:
    """A function that tells whether a text contains an identity secret that a ledger remembers.

    It checks ``ledgers`` and this folder's own. Unreadable ones are skipped: commands that need them report the
    problem.
    """
    from webchat_sync.memory.file import FileMemories
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
    """Raise InputError for every declaration that contains an identity secret known to ``ledger``."""
    from webchat_sync.check.secrets import remembered_in
    from webchat_sync.secrets.ledger import recognizer

    if not any(entry.secret_hash for entry in ledger.values()):
        return
    remembered = recognizer(ledger)
    declarations = [declaration for manifest in manifests for declaration in manifest.declarations]
    if problems := [problem for declaration in declarations for problem in remembered_in(declaration, remembered)]:
        raise InputError(problems)


def refuse_planted() -> None:
    """Raise InputError if a checkout put something into the program's own folder to redirect reads or writes.

    That's a link that leaves the repository, a device, a FIFO or a socket: ``lock.holder`` linked to one of the user's
    files, for example, or a waiting secret linked to ``/dev/zero``.
    """
    from webchat_sync.tree import escape, left_by, special

    inside = [path for folder in (STATE_FOLDER, RECOVERY) if folder.is_dir() for path in sorted(folder.iterdir())]
    hint = "Remove it, and find out who put it there: this folder is webchat-sync's own and should never be committed."
    problems = []
    for path in (STATE_FOLDER, *inside):
        if link := escape(path, Path()):
            problems.append(
                Diagnostic(f"{path} isn't used because the link {link} leads outside {left_by(link)}", hint=hint)
            )
        elif flaw := special(path):
            problems.append(Diagnostic(f"{path} isn't used: {flaw}", hint=hint))
    if problems:
        raise InputError(problems)


def refuse_outside(ledgers: Iterable[Path], environment: Environment, allowed_paths: Sequence[str]) -> None:
    """Raise InputError with every ledger outside the repository that the operator of a pipeline hasn't allowed."""
    from webchat_sync.tree import ALLOW_HINT, around, outside

    problems = [
        Diagnostic(
            f"the ledger {path} is outside {around(Path())}, which the operator must allow in CI", hint=ALLOW_HINT
        )
        for path in dict.fromkeys(ledgers)
        if outside(path, Path(), environment.environ, tuple(allowed_paths))
    ]
    if problems:
        raise InputError(problems)
