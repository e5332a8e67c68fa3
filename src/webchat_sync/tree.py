"""What kind of file a path leads to, and whether it stays in the tree that it lies in.

The tree is the repository of Git, or the folder that was given where there is none. What a pull request adds can be a
link to anywhere, so a link that leaves the tree is not followed; devices, FIFOs and sockets are never opened.
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

ALLOW_PATHS: Final = "WEBCHAT_SYNC_ALLOW_PATHS"
"""The variable with which the operator allows paths outside of the tree in CI."""

ALLOW_HINT: Final = f"Move it into the repository, or have the operator allow it: `--allow-path GLOB` or {ALLOW_PATHS}."

_CI: Final = (
    *("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "BITBUCKET_BUILD_NUMBER", "JENKINS_URL", "TEAMCITY_VERSION"),
    *("CODEBUILD_BUILD_ID", "BUILDKITE", "CIRCLECI", "TRAVIS", "DRONE"),
)
"""What pipelines set; those of Azure, Jenkins, TeamCity and AWS do without ``CI``."""
_NO: Final = frozenset(("", "0", "false", "no"))
_SEPARATOR: Final = re.compile(rf"[\n{re.escape(os.pathsep)}]+")
_KINDS: Final = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


MOST_BYTES: Final = 64 * 1024 * 1024
"""Of a file that is read: what is larger is none of those that the program is given, and fills the memory."""


_OTHERS: Final = frozenset(("node_modules", "azure-pipelines.yml", "bitbucket-pipelines.yml"))
_PIPELINE: Final = ".gitlab-ci.yml"
"""What the names of GitLab's pipelines end in; ``init`` writes one."""


def is_skipped(name: str) -> bool:
    """Whether a folder or file of that name, inside a folder that was given, is passed over when manifests are read."""
    return name.startswith(".") or name in _OTHERS or name.endswith(_PIPELINE)


def read_regular(path: Path) -> bytes:
    """The bytes of the file at ``path``.

    Raises OSError, also when it is a device, a FIFO or a socket, and when it has more than MOST_BYTES.
    """
    if flaw := special(path):
        raise OSError(errno.EINVAL, flaw, str(path))
    # It may have been replaced since: opening a FIFO does not wait then, and what was opened is looked at again.
    with os.fdopen(
        os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb"
    ) as file:
        if flaw := _flaw_of(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, flaw, str(path))
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it's larger than {MOST_BYTES // 2**20} MiB", str(path))
    return data


def special(path: Path) -> str:
    """``it is a FIFO`` or the like when ``path`` leads to no file or folder of a disk; empty for all else."""
    try:
        return _flaw_of(path.stat().st_mode)
    except (OSError, ValueError):
        return ""


def escape(path: Path, given: Path | None = None) -> Path | None:
    """The link on the way of ``path`` that leaves the tree that it lies in; None when there is none.

    Without Git, the tree is ``given`` for what lies in it, and the current folder for what lies in that. Links in
    neither belong to the system, and are followed.
    """
    for link in _links(path):
        root = _root(link.parent, given)
        if root is not None and not _is_inside(link, root):
            return link
    return None


def outside(path: Path, folder: Path, environ: Mapping[str, str], allowed: Iterable[str] = ()) -> bool:
    """Whether ``path`` needs the operator's word and does not have it: in CI, outside of the tree of ``folder``.

    ``allowed`` are globs of absolute or relative paths, beside those of WEBCHAT_SYNC_ALLOW_PATHS.
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
    """The root of the tree that ``path`` lies in, without links; None when it lies in none."""
    return _root(path if path.is_dir() else path.parent, None)


def _flaw_of(mode: int) -> str:
    kind = _KINDS.get(stat.S_IFMT(mode))
    return f"it's {kind}, not a file" if kind else ""


def _links(path: Path) -> Iterable[Path]:
    ways = (Path(*path.parts[:count]) for count in range(1, len(path.parts) + 1))
    return (way for way in ways if way.is_symlink())


def _root(folder: Path, given: Path | None) -> Path | None:
    """The root of the tree that ``folder`` lies in, None when it lies in none."""
    real = Path(os.path.realpath(folder))
    for above in (real, *real.parents):
        if os.path.lexists(above / ".git"):
            return above
    roots = (Path(os.path.realpath(folder)) for folder in (given, Path()) if folder is not None)
    return next((root for root in roots if real.is_relative_to(root)), None)


def _is_inside(path: Path, root: Path) -> bool:
    """Whether ``path`` leads to something in the tree at ``root``; what Git keeps for itself is no part of it."""
    real, top = Path(os.path.realpath(path)), Path(os.path.realpath(root))
    return real.is_relative_to(top) and not any(map(_is_gits, real.relative_to(top).parts))


def _is_gits(name: str) -> bool:
    """Whether git keeps itself in the folder of that name, also where case, dots or spaces do not tell files apart."""
    return name.rstrip(". ").casefold() in {".git", "git~1"}
