"""Files that a commit contains exactly as they're read, so that another commit can be made from them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webchat_sync.cli.files import read_bytes
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.tree import exists, real_path

if TYPE_CHECKING:
    from webchat_sync.git import Repository

_ELSEWHERE: Final = "Leave it out here, and run `ci adopt` in its own repository."
_FILTERED: Final = (
    "A request would contain the file as it is in the checkout, for example decrypted. Use `adopt`, and commit the "
    "file yourself."
)
_FRESH: Final = "Run it on a fresh checkout: the request starts from a commit."
_UNCOMMITTED: Final = "Commit the file, or leave it out: the request starts from a commit."
_CONVERSIONS: Final = ("filter", "working-tree-encoding", "ident")
"""Attributes with which Git stores something else than the file."""

_TIMEOUT: Final = 30.0


def committed_repository(paths: Sequence[Path], overlays: Sequence[Path], runtime: Runtime) -> Repository:
    """The repository of the files. Raises InputError if there is none, or if they aren't as committed."""
    from webchat_sync.git import find_repository, name_in
    from webchat_sync.manifest.files import find_files

    repository = find_repository(Path.cwd() / paths[0], runtime.environ)
    if repository is None:
        hint = "Check out the repository first, for example with actions/checkout."
        raise InputError([Diagnostic("`ci adopt` needs a Git repository, and the files aren't in one", hint=hint)])
    names = {name_in(repository, real_path(path)): path for path in [*find_files(paths, overlays)[0], *overlays]}
    _refuse_others(repository, names.values())
    committed = repository.files(repository.commit("HEAD"), list(names), ())
    changed = [name for name, path in names.items() if _lines(committed.get(name)) != _lines(read_bytes(path))]
    if changed:
        attributes = _ask(repository, runtime, "check-attr", "-z", *_CONVERSIONS, "--", *changed)
        converted = {
            name: f"{attribute}={value}" if value != "set" else attribute
            for name, attribute, value in zip(attributes[::3], attributes[1::3], attributes[2::3], strict=True)
            if value not in ("unspecified", "unset")
        }
        kinds = ("--others", "--ignored", "--exclude-standard")
        ignored = _ask(repository, runtime, "ls-files", "-z", *kinds, "--", *changed)
        raise InputError(
            [_changed(names[name], converted.get(name, ""), name in ignored, name in committed) for name in changed]
        )
    return repository


def as_committed(files: Mapping[Path, bytes], repository: Repository) -> dict[str, bytes]:
    """``files``, by path in the repository, with the line ends of the commit, which Git may convert in a checkout.

    Raises InputError for a new file in another repository.
    """
    from webchat_sync.git import name_in

    _refuse_others(repository, files)
    names = {name_in(repository, real_path(path)): data for path, data in files.items()}
    before = repository.files(repository.commit("HEAD"), list(names), ()) if names else {}
    return {
        name: data if b"\r\n" in before.get(name, data) else data.replace(b"\r\n", b"\n")
        for name, data in names.items()
    }


def _ask(repository: Repository, runtime: Runtime, *arguments: str) -> list[str]:
    """What Git lists."""
    from webchat_sync.git import run_git

    listed = run_git(repository.root, runtime.environ, *arguments, timeout=_TIMEOUT).stdout
    return os.fsdecode(listed).split("\0")[:-1]


def _refuse_others(repository: Repository, paths: Iterable[Path]) -> None:
    """Raise InputError for files of submodules, and of other repositories below this one."""
    problems = [
        Diagnostic(f"{path} is in another repository, {inner.relative_to(repository.root)}", hint=_ELSEWHERE)
        for path in paths
        if (inner := next(parent for parent in real_path(path).parents if exists(parent / ".git"))) != repository.root
    ]
    if problems:
        raise InputError(problems)


def _changed(path: Path, converted: str, ignored: bool, committed: bool) -> Diagnostic:
    if not committed:
        because = ", because Git ignores it" if ignored else ""
        return Diagnostic(f"{path} isn't committed{because}", hint=_UNCOMMITTED)
    if converted:
        message = f"{path} differs between the commit and the checkout, because its Git attributes say `{converted}`"
        return Diagnostic(message, hint=_FILTERED)
    return Diagnostic(f"{path} has uncommitted changes", hint=_FRESH)


def _lines(data: bytes | None) -> bytes | None:
    """``data`` without what Git converts in a checkout; None for a file that isn't committed."""
    return None if data is None else data.replace(b"\r\n", b"\n")
