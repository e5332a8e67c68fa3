"""Facts about the clone of the manifests: the owner, the commit that's checked out, and which files a run reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache, cached_property, partial
from pathlib import Path, PurePosixPath
from typing import Final

from webchat_sync.errors import InputError
from webchat_sync.frozen import frozen
from webchat_sync.git import run_git
from webchat_sync.git_messages import NOT_A_REPOSITORY, why_failed
from webchat_sync.memory.place import ORIGIN, Remote, server_and_path
from webchat_sync.model import ITS_REPOSITORY, NO_REPOSITORY
from webchat_sync.tree import is_file, is_folder, real_path, tree_of

_MANIFESTS: Final = frozenset((".yaml", ".yml", ".json"))
_SKIPPED: Final = "S "
_TIMEOUT: Final = 10.0


@frozen(slots=False)
class ManifestFiles:
    """Tells the files that a run reads from others of the same owner.

    ``root`` is the folder of the owner's repository, or else of the file system, and ``given`` has the files and
    folders to read; none has links. ``left_out`` returns the files of the repository that a sparse checkout lacks.
    """

    root: Path
    given: tuple[Path, ...]
    left_out: Callable[[], frozenset[str]] = frozenset

    @cached_property
    def _read(self) -> frozenset[Path]:
        return frozenset(self.given)

    @cached_property
    def _folders(self) -> frozenset[Path]:
        """The folders of the given files."""
        return frozenset(read.parent for read in self.given if not is_folder(read))

    @staticmethod
    def of(given: Iterable[Path], owner: str, environ: Mapping[str, str]) -> ManifestFiles:
        """For a run of ``owner`` that reads ``given``; the current folder if they're empty.

        Everything on a machine that's in no repository with a remote has the same owner.
        """
        paths = [real_path(path) for path in given] or [real_path(Path())]
        tree = None if owner == NO_REPOSITORY else tree_of(paths[0])
        left_out = cache(partial(_left_out, tree, environ)) if tree else frozenset
        return ManifestFiles(tree or Path(paths[0].anchor), tuple(paths), left_out)

    @property
    def tops(self) -> tuple[Path, ...]:
        """The folders in which other files may declare the same channels.

        That's the repository, or else the current folder and those of the files.
        """
        tree, here = tree_of(self.given[0]), real_path(Path())
        if tree is not None:
            return (tree,)
        folders = (path if is_folder(path) else path.parent for path in self.given)
        return tuple(dict.fromkeys(here if folder.is_relative_to(here) else folder for folder in folders))

    def name(self, file: str) -> str:
        """The path of ``file`` from the root; empty if there's no such file in it.

        In a repository, it's the same in every clone.

        A saved plan may have been made in another folder, where its paths led to other files.
        """
        path = real_path(Path(file))
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) and is_file(path) else ""

    def has(self, name: str) -> bool:
        """Whether there's a file of that name."""
        return is_file(self.root / name) or name in self.left_out()

    def is_without_manifests(self, folder: str) -> bool:
        """Whether the folder of that name contains no file that may be a manifest, apart from its subfolders."""
        try:
            files = [*(self.root / folder).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            files = []
        except OSError:
            return False
        files += [self.root / name for name in self.left_out() if PurePosixPath(name).parent == PurePosixPath(folder)]
        return not any(path.suffix in _MANIFESTS for path in files)

    def may_contain(self, name: str) -> bool:
        """Whether the run reads the file of that name, or would have if it weren't gone; no for an empty name.

        A run over some files of a folder, as a shell lists them, may have had the gone one among them.
        """
        path = self.root / name
        real = real_path(path)
        if not name or not self._read.isdisjoint((real, *real.parents)):
            return bool(name)
        return real.parent in self._folders and not self.has(name)


def owner_of(folder: Path, environ: Mapping[str, str]) -> str:
    """``host/path`` of the repository around ``folder``: the same for every clone, however it was made.

    That's its remote ``origin``, or else its only one.
    """
    url = _output(folder, environ, "remote", "get-url", ORIGIN)
    if not url and len(names := _output(folder, environ, "remote").split("\n")) == 1 and names[0]:
        url = _output(folder, environ, "remote", "get-url", names[0])
    if not url:
        return NO_REPOSITORY
    # Git reads a relative path from the root of the work tree.
    return _name(url, tree_of(folder) or folder)


def owner_in(remote: Remote, owner: str) -> str:
    """How a memory on ``remote`` calls the ``owner``, which may be the repository that it's in.

    That one can be renamed, and clones can have different URLs for it.
    """
    return ITS_REPOSITORY if _name(remote.url, Path()) == owner else owner


def _name(url: str, folder: Path) -> str:
    """``host/path`` of a remote; a relative path starts in ``folder``."""
    is_path = "://" not in url and not server_and_path(url)[0]
    host, path = server_and_path(os.path.realpath(folder / url) if is_path else url)
    path = path.strip("/").removesuffix(".git")
    return f"{host}/{path}" if host else path or NO_REPOSITORY


def why_no_owner(folder: Path, environ: Mapping[str, str], *, shared: bool) -> str:
    """Why :func:`owner_of` finds no repository, in Git's words if it refuses.

    Unless the memory is ``shared``, manifests without a repository are told apart by their folder, so it's empty then.
    """
    try:
        result = run_git(folder, environ, "remote", timeout=_TIMEOUT)
    except InputError as error:
        return str(error) if shared else ""
    except OSError as error:
        return error.strerror or "" if shared else ""
    said = result.stderr.decode("utf-8", "replace")
    if result.returncode != 0 and NOT_A_REPOSITORY not in said:
        return why_failed(result)
    if not shared:
        return ""
    if result.returncode != 0:
        return "they aren't in a Git repository"
    return (
        f"their clone has several remotes, but no `{ORIGIN}`" if result.stdout.strip() else "their clone has no remote"
    )


def _left_out(tree: Path, environ: Mapping[str, str]) -> frozenset[str]:
    """The files of the repository that a sparse checkout lacks, from its root."""
    if _output(tree, environ, "config", "--type=bool", "core.sparseCheckout") != "true":
        return frozenset()
    entries = _output(tree, environ, "ls-files", "-t", "-z").split("\0")
    return frozenset(entry.removeprefix(_SKIPPED) for entry in entries if entry.startswith(_SKIPPED))


def commit_of(folder: Path, environ: Mapping[str, str]) -> str:
    """The commit that's checked out around ``folder``; empty if there is none."""
    return _output(folder, environ, "rev-parse", "--verify", "--quiet", "HEAD")


def _output(folder: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """What Git prints; empty if it fails."""
    with suppress(InputError, OSError):
        result = run_git(folder, environ, *arguments, timeout=_TIMEOUT)
        return result.stdout.decode("utf-8", "replace").strip() if result.returncode == 0 else ""
    return ""
