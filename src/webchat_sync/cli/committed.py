"""Committed manifests, read as if they were in the work tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from webchat_sync.cli.manifests import quoting
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.sentences import in_a_row
from webchat_sync.tree import exists

if TYPE_CHECKING:
    from webchat_sync.git import Commit, Repository

MOST_NAMED: Final = 5
"""How many files with uncommitted edits to name."""

T = TypeVar("T")


@frozen
class Tree:
    """Manifests and overlays of one commit, or the current files.

    ``folder`` is where the paths lead to the committed files, None for the work tree. ``commit`` is None for files
    outside a repository; ``names`` are the committed files' paths in it.
    """

    paths: tuple[Path, ...]
    overlays: tuple[Path, ...]
    folder: Path | None = None
    commit: Commit | None = None
    names: frozenset[str] = frozenset()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """While the block runs, the paths lead to this tree; problems get their lines."""
        from webchat_sync.git import entered

        with entered(self.folder), quoting(self.paths):
            yield


def repository_of(paths: Sequence[Path], runtime: Runtime) -> Repository | None:
    """The Git repository of ``paths``; None if there is none."""
    from webchat_sync.git import find_repository

    repositories = (find_repository(Path.cwd() / path, runtime.environ) for path in paths)
    return next(filter(None, repositories), None)


@contextmanager
def tree_at(
    repository: Repository, revision: str, paths: Sequence[Path], overlays: Sequence[Path], *, whole: bool
) -> Iterator[Tree]:
    """The files in ``revision``, until the block ends; a missing one is a problem if ``whole``.

    Raises InputError if there is no such revision, and if a path leads outside the repository.
    """
    from webchat_sync.git import laid_out, name_in, relative
    from webchat_sync.manifest.files import SUFFIXES

    commit = repository.commit(revision)
    names = {path: name_in(repository, path) for path in [*paths, *overlays]}
    files = repository.files(commit, sorted(set(names.values())), SUFFIXES)
    present = [path for path, name in names.items() if name == "." or any(_is_below(file, name) for file in files)]
    missing = [
        Diagnostic(f"{path} isn't in {commit}", hint="Commit it first." if exists(path) else "Check the path.")
        for path in names
        if path not in present
    ]
    if missing and whole:
        raise InputError(missing)
    for path in (name for name in names if name not in present):
        note(f"{path} isn't in {commit}: everything that it declares counts as new.")
    with laid_out(repository, files) as folder:
        yield Tree(
            tuple(relative(repository, names[path]) for path in paths if path in present),
            tuple(relative(repository, names[path]) for path in overlays if path in present),
            folder,
            commit,
            frozenset(files),
        )


def say_uncommitted(repository: Repository, tree: Tree, paths: Sequence[Path], overlays: Sequence[Path]) -> None:
    """Print to stderr which edits don't count."""
    from webchat_sync.git import name_in, relative
    from webchat_sync.manifest.files import find_files

    manifests = {name_in(repository, path) for path in [*find_files(paths)[0], *overlays]} | tree.names
    changed = repository.uncommitted([name_in(repository, path) for path in [*paths, *overlays]])
    edited = [relative(repository, path).as_posix() for path in changed if path in manifests]
    if edited:
        shown = in_a_row(edited, most=MOST_NAMED)
        note(f"Compared with {tree.commit}: uncommitted edits don't count ({shown}).")


def read_at(tree: Tree, read: Callable[[Tree], T]) -> T:
    """The result of ``read`` for an older tree. Raises InputError with problems that mention its commit."""
    try:
        with tree.entered():
            return read(tree)
    except InputError as error:
        raise InputError(
            [replace(problem, message=f"in {tree.commit}: {problem.message}") for problem in error.problems]
        ) from None


def _is_below(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}/")
