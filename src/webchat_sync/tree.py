"""What kind of file a path leads to, and whether it stays inside its tree.

The tree is the Git repository, or else the folder that was given. A pull request can add a link to anywhere, so a link
that leaves the tree isn't followed; devices, FIFOs and sockets are never opened.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from webchat_sync.lazy_pattern import lazy_pattern

ALLOW_PATHS: Final = "WEBCHAT_SYNC_ALLOW_PATHS"
"""The environment variable with which the operator allows paths outside the tree in CI."""

ALLOW_HINT: Final = f"Move it inside, or have the operator allow it: `--allow-path GLOB` or {ALLOW_PATHS}."

_CI: Final = (
    *("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "BITBUCKET_BUILD_NUMBER", "JENKINS_URL", "TEAMCITY_VERSION"),
    *("CODEBUILD_BUILD_ID", "BUILDKITE", "CIRCLECI", "TRAVIS", "DRONE"),
)
"""Variables that pipelines set; Azure, Jenkins, TeamCity and AWS don't set ``CI``."""
_NO: Final = frozenset(("", "0", "false", "no"))
_SEPARATOR: Final = lazy_pattern(rf"[\n{re.escape(os.pathsep)}]+")
_KINDS: Final = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


MOST_BYTES: Final = 64 * 1024 * 1024
"""The largest file to read: a larger one can't be meant, and would fill the memory."""

_OTHERS: Final = frozenset(("node_modules", "site-packages", "azure-pipelines.yml", "bitbucket-pipelines.yml"))
_PIPELINE: Final = ".gitlab-ci.yml"
"""What the names of GitLab's pipelines end in; ``init`` writes one."""


def is_skipped(name: str) -> bool:
    """Whether a folder or file with that name is skipped when the manifests in a folder are read."""
    return name.startswith(".") or name in _OTHERS or name.endswith(_PIPELINE)


def read_regular(path: Path) -> bytes:
    """The bytes of the file at ``path``.

    Raises OSError, including for a device, a FIFO or a socket, and for more than MOST_BYTES.
    """
    if flaw := special(path):
        raise OSError(errno.EINVAL, flaw, str(path))
    # It may have been replaced meanwhile, so a FIFO must not block, and the opened file is checked again.
    with os.fdopen(
        os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb"
    ) as file:
        if flaw := _flaw_of(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, flaw, str(path))
        data: bytes | None = file.read(MOST_BYTES + 1)
    if data is None:  # a file of the system, such as /proc/kmsg, that would have to be waited for
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(path))
    if len(data) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it's larger than {MOST_BYTES // 2**20} MiB", str(path))
    return data


def special(path: Path) -> str:
    """``it's a FIFO`` or the like if ``path`` isn't a file or folder on a disk; empty otherwise."""
    mode = _mode(path)
    return _flaw_of(mode) if mode else ""


def exists(path: Path) -> bool:
    """Whether ``path`` leads to anything; not if nobody can tell: its name is too long, or its folder is closed."""
    return bool(_mode(path))


def is_folder(path: Path) -> bool:
    """Whether ``path`` leads to a folder; not if nobody can tell, as for :func:`exists`."""
    return stat.S_ISDIR(_mode(path))


def is_file(path: Path) -> bool:
    """Whether ``path`` leads to a file; not if nobody can tell, as for :func:`exists`."""
    return stat.S_ISREG(_mode(path))


def _mode(path: Path) -> int:
    """``st_mode`` of what ``path`` leads to; 0 if it leads nowhere, or nobody can tell."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0


def real_path(path: Path) -> Path:
    """The absolute ``path`` without links, except those that lead to themselves, for which `Path.resolve` raises."""
    return Path(os.path.realpath(path))


def escape(path: Path, given: Path | None = None) -> Path | None:
    """The link in ``path`` that leaves its tree; None if there is none.

    Without Git, the tree is ``given`` for paths in it, or else the current folder. Links outside both belong to the
    system, and are followed.
    """
    for link in _links(path):
        root = _root(link.parent, given)
        if root is not None and not _is_inside(link, root):
            return link
    return None


def escape_named(path: Path, folders: Iterable[Path]) -> Path | None:
    """The link in ``path`` that leaves its tree, for a path that a file in one of ``folders`` names.

    Without Git, a link in it mustn't leave that folder, wherever the command runs.
    """
    return next(filter(None, (escape(path, folder) for folder in (path.parent, *folders))), None)


def left_by(link: Path) -> str:
    """What a ``link`` that leaves its tree leads outside of, in words."""
    return "the repository" if repository_of(link.parent) else "its folder"


def around(folder: Path) -> str:
    """The tree that contains ``folder`` in words, if that's the repository or the current folder."""
    return "the repository" if repository_of(folder) else "the current directory"


def outside(path: Path, folder: Path, environ: Mapping[str, str], allowed: Iterable[str] = ()) -> bool:
    """Whether ``path`` needs the operator's permission and doesn't have it: in CI, outside the tree of ``folder``.

    ``allowed`` are globs of absolute or relative paths, in addition to those of WEBCHAT_SYNC_ALLOW_PATHS.
    """
    if all(environ.get(name, "").strip().lower() in _NO for name in _CI):
        return False
    if _is_inside(path, _root(folder, None) or folder):
        return False
    target = os.path.realpath(path)
    globs = [*allowed, *filter(None, _SEPARATOR.split(environ.get(ALLOW_PATHS, "")))]
    forms = {form for pattern in globs for form in (str(Path.cwd() / pattern), os.path.realpath(pattern))}
    return not any(fnmatchcase(target, form) for form in forms)


def tree_of(path: Path) -> Path | None:
    """The root, without links, of the tree that contains ``path``; None if there is none."""
    return _root(path if is_folder(path) else path.parent, None)


def repository_of(folder: Path) -> Path | None:
    """The root of the repository around ``folder``; None without Git."""
    there = real_path(folder)
    return next((above for above in (there, *there.parents) if os.path.lexists(above / ".git")), None)


def _flaw_of(mode: int) -> str:
    kind = _KINDS.get(stat.S_IFMT(mode))
    return f"it's {kind}, not a file" if kind else ""


def _links(path: Path) -> Iterable[Path]:
    ways = (Path(*path.parts[:count]) for count in range(1, len(path.parts) + 1))
    return (way for way in ways if way.is_symlink())


def _root(folder: Path, given: Path | None) -> Path | None:
    """The root of the tree that contains ``folder``; None if there is none."""
    if repository := repository_of(folder):
        return repository
    there = real_path(folder)
    roots = (real_path(folder) for folder in (given, Path()) if folder is not None)
    return next((root for root in roots if there.is_relative_to(root)), None)


def _is_inside(path: Path, root: Path) -> bool:
    """Whether ``path`` leads into the tree at ``root``; Git's own folder doesn't count."""
    there, top = real_path(path), real_path(root)
    return there.is_relative_to(top) and not any(map(_is_gits, there.relative_to(top).parts))


def _is_gits(name: str) -> bool:
    """Whether a folder with that name may be Git's own, on file systems that ignore case, dots or spaces."""
    return name.rstrip(". ").casefold() in {".git", "git~1"}
