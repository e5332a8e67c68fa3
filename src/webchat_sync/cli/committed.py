"""Manifests as they are committed, read as if they lay where the work tree has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from webchat_sync.cli.manifests import quoting
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note
from webchat_sync.errors import Diagnostic, InputError

if TYPE_CHECKING:
    from webchat_sync.git import Commit, Repository

MOST_NAMED: Final = 5
"""How many files with uncommitted edits are named."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tree:
    """Manifests and overlays of one commit, or as they lie.

    ``folder`` is where the paths lead to the committed files, None to the work tree. ``commit`` is None for files in
    no repository; ``names`` are those of the committed files in it.
    """

    paths: tuple[Path, ...]
    overlays: tuple[Path, ...]
    folder: Path | None = None
    commit: Commit | None = None
    names: frozenset[str] = frozenset()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """While the block runs, the paths lead there; problems get the lines that they are about."""
        from webchat_sync.git import entered

        with entered(self.folder), quoting(self.paths):
            yield


def repository_of(paths: Sequence[Path], runtime: Runtime) -> Repository | None:
    """The git repository that ``paths`` lie in; None, and a word on stderr, when they lie in none."""
    from webchat_sync.git import find_repository

    found = (find_repository(Path.cwd() / path, runtime.environ) for path in paths)
    repository = next(filter(None, found), None)
    if repository is None:
        note("Compared with the files as they are now, since they aren't in a Git repository.")
    return repository


@contextmanager
def tree_at(
    repository: Repository, revision: str, paths: Sequence[Path], overlays: Sequence[Path], *, whole: bool
) -> Iterator[Tree]:
    """What ``revision`` has of the files until the block ends; what it does not have is a problem if ``whole``.

    Raises InputError when there is no such revision, and when a path leads out of the repository.
    """
    from webchat_sync.git import laid_out, name_in, relative
    from webchat_sync.manifest.files import SUFFIXES

    commit = repository.commit(revision)
    names = {path: name_in(repository, path) for path in [*paths, *overlays]}
    files = repository.files(commit, sorted(set(names.values())), SUFFIXES)
    there = [path for path, name in names.items() if name == "." or any(_is_below(file, name) for file in files)]
    missing = [Diagnostic(f"{path} isn't in {commit}", hint="Commit it first.") for path in names if path not in there]
    if missing and whole:
        raise InputError(missing)
    for path in (name for name in names if name not in there):
        note(f"{path} isn't in {commit}: everything that it declares counts as new.")
    with laid_out(repository, files) as folder:
        yield Tree(
            tuple(relative(repository, names[path]) for path in paths if path in there),
            tuple(relative(repository, names[path]) for path in overlays if path in there),
            folder,
            commit,
            frozenset(files),
        )


def say_uncommitted(repository: Repository, tree: Tree, paths: Sequence[Path], overlays: Sequence[Path]) -> None:
    """Tell stderr which edits do not count."""
    from webchat_sync.git import name_in, relative
    from webchat_sync.manifest.files import find_files

    manifests = {name_in(repository, path) for path in [*find_files(paths)[0], *overlays]} | tree.names
    changed = repository.uncommitted([name_in(repository, path) for path in [*paths, *overlays]])
    edited = [relative(repository, path).as_posix() for path in changed if path in manifests]
    if edited:
        more = f" and {len(edited) - MOST_NAMED} more" if len(edited) > MOST_NAMED else ""
        shown = ", ".join(edited[:MOST_NAMED])
        note(f"Compared with {tree.commit}: uncommitted edits don't count ({shown}{more}).")


def read_at(tree: Tree, read: Callable[[Tree], T]) -> T:
    """What ``read`` makes of an older tree; its problems say of which commit they are."""
    try:
        with tree.entered():
            return read(tree)
    except InputError as error:
        raise InputError(
            [replace(problem, message=f"in {tree.commit}: {problem.message}") for problem in error.problems]
        ) from None


def _is_below(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}/")
