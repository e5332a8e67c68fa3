"""The Git repository around the folder that ``init`` sets up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from webchat_sync.errors import InputError
from webchat_sync.frozen import frozen

_SECONDS: Final = 10.0
"""The time limit, in seconds, of a question to Git."""

_USUAL: Final = ("main", "master", "trunk")
"""What the main branch is called where the remote doesn't say, in this order."""


@frozen
class Repository:
    """A git repository: its root, the URL of its remote (or ``""``) and its main branch.

    ``has_origin``: that remote is called origin. ``is_empty``: it has no branch yet, here or from a remote. If there's
    no repository yet, ``exists`` is false and ``root`` is where we expect it.
    """

    root: Path
    remote: str
    branch: str
    exists: bool
    has_origin: bool = False
    is_empty: bool = False


def read_repository(folder: Path, environ: Mapping[str, str]) -> Repository:
    """The repository around ``folder``; if there is none, or no git, the current directory is the root of a new one."""
    root = _git(folder, environ, "rev-parse", "--show-toplevel")
    if not root:
        here, there = Path().resolve(), folder.resolve()
        return Repository(here if there.is_relative_to(here) else there, "", _USUAL[0], exists=False, is_empty=True)
    urls = _git(folder, environ, "config", "--get-regexp", r"^remote\..*\.url$")
    remotes = dict(line.split(" ", 1) for line in urls.splitlines())
    key = next(iter(["remote.origin.url"] if "remote.origin.url" in remotes else remotes), "")
    name = key.removeprefix("remote.").removesuffix(".url")
    branch = _main_branch(folder, environ, name)
    is_empty = not _git(folder, environ, "for-each-ref", "--count=1", "refs/heads", "refs/remotes")
    url = remotes.get(key, "")
    return Repository(Path(root).resolve(), url, branch, exists=True, has_origin=name == "origin", is_empty=is_empty)


def _main_branch(folder: Path, environ: Mapping[str, str], remote: str) -> str:
    """The branch that the remote checks out by default; else one with a usual name; else the current one."""
    head = _git(folder, environ, "rev-parse", "--abbrev-ref", f"{remote}/HEAD") if remote else ""
    if head:
        return head.removeprefix(f"{remote}/")
    prefixes = ("refs/heads/", *([f"refs/remotes/{remote}/"] if remote else []))
    refs = _git(folder, environ, "for-each-ref", "--format=%(refname)", *prefixes).splitlines()
    branches = {ref.removeprefix(prefix) for ref in refs for prefix in prefixes if ref.startswith(prefix)}
    usual = next((name for name in _USUAL if name in branches), "")
    return usual or _git(folder, environ, "symbolic-ref", "--quiet", "--short", "HEAD") or _USUAL[0]


def _git(folder: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """The output of Git without the final line break; empty if it fails or is missing."""
    from webchat_sync.git import run_git

    try:
        done = run_git(folder, environ, *arguments, timeout=_SECONDS)
    except (InputError, TimeoutError):
        return ""
    return done.stdout.decode("utf-8", "replace").removesuffix("\n") if done.returncode == 0 else ""
