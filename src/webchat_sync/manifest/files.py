"""Finds and reads the files of manifests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from webchat_sync.errors import Problem
from webchat_sync.manifest.document import Source

_SUFFIXES: Final = (".yaml", ".yml", ".json")


def find_files(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """The files that ``paths`` name and the manifests in the folders that they name, sorted and none twice.

    Inside a folder, hidden files and folders and ``node_modules`` are skipped. A folder without a manifest, or
    one that cannot be read, is a problem; whether a file can be read is for :func:`read_source` to say.
    """
    files: dict[Path, Path] = {}
    problems: list[Problem] = []
    for path in paths:
        inside, unreadable = _search(path)
        problems.extend(unreadable)
        if not inside and not unreadable:
            hint = f"A manifest ends in {', '.join(_SUFFIXES)}. Hidden files and folders are skipped."
            problems.append(Problem(f"no manifest in the folder {show_path(path)}", hint=hint))
        for file in inside:
            files.setdefault(_identity(file), file)
    return sorted(files.values(), key=show_path), problems


def read_source(path: Path) -> Source | Problem:
    """The bytes of the file at ``path``, or what keeps it from being read."""
    try:
        return Source(show_path(path), path.read_bytes())
    except FileNotFoundError:
        return Problem(f"{show_path(path)} does not exist", hint="Name a manifest, or a folder with manifests in it.")
    except (OSError, ValueError) as error:
        return _unreadable(path, error)


def show_path(path: Path) -> str:
    """``path`` as the user gave it, with slashes."""
    return os.fsencode(path.as_posix()).decode(errors="replace")


def _search(path: Path) -> tuple[list[Path], list[Problem]]:
    if not _is_folder(path):
        return [path], []
    files: list[Path] = []
    errors: list[OSError] = []
    for folder, folders, names in os.walk(path, onerror=errors.append):
        folders[:] = [each for each in folders if not each.startswith(".") and each != "node_modules"]
        files += [Path(folder, each) for each in names if each.endswith(_SUFFIXES) and not each.startswith(".")]
    return sorted(files, key=show_path), [_unreadable(Path(error.filename), error) for error in errors]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _identity(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path


def _unreadable(path: Path, error: OSError | ValueError) -> Problem:
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return Problem(f"{show_path(path)} cannot be read: {reason}", hint="Check its name and its permissions.")
