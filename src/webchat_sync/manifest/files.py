"""Finds and reads the files of manifests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import filterfalse, islice
from pathlib import Path
from typing import Final

from webchat_sync.errors import Diagnostic, Place
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.sentences import in_a_row
from webchat_sync.strict_json import JsonError, load_json
from webchat_sync.tree import escape, is_folder, is_skipped, left_by, read_regular, real_path
from webchat_sync.yaml12.document import Source

SUFFIXES: Final = (".yaml", ".yml", ".json")
_ENDINGS: Final = in_a_row(SUFFIXES, last="or")

_START: Final = "To start with an example, run `webchat-sync init`."
"""What to do without any manifest."""

_MOST_NAMED: Final = 3
"""How many files to name that aren't manifests, if none of them is."""

SCHEMA: Final = ".schema.json"
"""The suffix of schemas, such as policies, which aren't manifests."""

MOST_FOLDERS: Final = 2_000
"""The limit of folders to search for files that weren't given."""


@frozen
class Role:
    """What a file is read as: what it's called, which files can be given instead, and the code of its problems."""

    name: str
    way_out: str
    code: str

    @property
    def begins(self) -> str:
        """A sentence about what such a file begins with."""
        return f"{self.name.capitalize()} is a mapping that begins with `version: 1`."


MANIFEST: Final = Role("a manifest", "Use a manifest, or a folder that contains manifests.", "no-manifest")
OVERLAY: Final = Role("an overlay", "Check the path. For several overlays, repeat `--overlay FILE`.", "overlay")

_RESULT: Final = b'"format_version"'
"""The top-level key of every JSON file that this program writes, which no manifest has."""

_NEARLY: Final = lazy_pattern(r"\.(?:ya?ml|yam|json[c5]?)(?:$|[.~_ #-])", re.IGNORECASE)
_MARKS: Final = [lazy_pattern(rb"(?m)(?:^|[{,])\s*\"?%s\"?\s*:" % key) for key in (b"version", b"channels")]
"""What every manifest contains, as far as a quick look shows."""

_BEGINS_AS_RESULT: Final = lazy_pattern(rb'\s*\{\s*"format_version"\s*:')
_RESULTS: Final = {
    "listings": ("a snapshot of live channels", "To plan against it, use `plan --live FILE`."),
    "manifest_digest": ("a saved plan", "To view it, use `show FILE`; to apply it, `apply FILE`."),
    "drifted": ("a report of `drift`", ""),
    "organizations": ("a report of `shapes`", ""),
    "operations": ("the report of an apply", ""),
    "diagnostics": ("a report of `validate`", ""),
}
"""What a result is and what can be done with it, by one of its top-level keys; the first that it has counts."""


def find_files(paths: Sequence[Path], overlays: Sequence[Path] = ()) -> tuple[list[Path], list[Diagnostic]]:
    """The files in ``paths``, and the manifests in folders of ``paths``, sorted and without repetition; and problems.

    Inside a folder, hidden files and folders, packages, pipelines and ``overlays`` are skipped, and so are schemas, the
    plans, snapshots and reports that this program writes as JSON, and the file of its own output. A folder
    without a manifest, or an unreadable one, is a problem; :func:`read_source` reports unreadable files.
    """
    files: dict[Path, Path] = {}
    problems: list[Diagnostic] = []
    above = {_identity(overlay) for overlay in overlays}
    for path in paths:
        candidates, unreadable = _search(path)
        inside = [file for file in candidates if _identity(file) not in above]
        problems.extend(unreadable)
        if candidates == [path] and not inside:
            message = f"{show_path(path)} is given both as a manifest and as an overlay"
            problems.append(Diagnostic(message, hint="Use it as one of the two.", code="overlay"))
        elif not inside and not any(problem.severity == "error" for problem in unreadable):
            hint = f"Manifests end in {_ENDINGS}. Hidden files and folders are skipped. {_START}"
            message = f"the folder {show_path(path)} contains no manifests"
            problems.append(Diagnostic(message, hint=hint, code="no-manifest"))
        for file in inside:
            files.setdefault(_identity(file), file)
    return sorted(files.values(), key=show_path), problems


def no_manifest_among(files: Sequence[Path]) -> Diagnostic:
    """The problem with ``files`` if none of them is a manifest: one for all, since there may be thousands."""
    names = in_a_row([show_path(file) for file in files], most=_MOST_NAMED)
    message = f"none of these {len(files):,} files is a manifest: {names}"
    hint = f"{MANIFEST.begins} Use the folder or the file that contains yours. {_START}"
    return Diagnostic(message, hint=hint, code=MANIFEST.code)


def manifests_beside(paths: Sequence[Path], others: Sequence[Path]) -> list[Path]:
    """The manifests in and below the folders of the files in ``paths`` that aren't in ``others``."""
    known = {_identity(other) for other in others}
    files: dict[Path, Path] = {}
    for top in {path.parent for path in paths if not is_folder(path)}:
        inside = named_files(top, MOST_FOLDERS)
        files |= {_identity(file): file for file in inside if refused_link(file, top) is None}
    return sorted((file for one, file in files.items() if one not in known and _looks_like_one(file)), key=show_path)


def manifests_below(tops: Sequence[Path], given: Sequence[Path]) -> list[Path]:
    """The manifests in the folders ``tops``, which have no links, and below that aren't in the paths ``given``."""
    known = {_identity(path) for path in given}
    named = ((file, top) for top in tops for file in named_files(top))
    # Most files of a large repository are something else, so the quick checks come first.
    alike = [
        file for file, top in named if not (file.is_symlink() and refused_link(file, top)) and _looks_like_one(file)
    ]
    files = {_identity(file): file for file in alike}
    return [file for one, file in files.items() if known.isdisjoint((one, *one.parents))]


def named_files(top: Path, most_folders: int | None = None) -> Iterator[Path]:
    """The files in ``top`` and its subfolders that are named like manifests; ``most_folders`` limits the search."""
    for folder, folders, names in islice(os.walk(top), most_folders):
        folders[:] = filterfalse(is_skipped, folders)
        yield from (Path(folder, name) for name in names if _is_named(name))


def read_source(path: Path, role: Role = MANIFEST) -> Source | Diagnostic:
    """The file at ``path``, or why it can't be read in its ``role``."""
    try:
        data = read_regular(path)
    except FileNotFoundError:
        if path.is_symlink():
            message = f"can't read {show_path(path)}: it's a link to a file that doesn't exist"
            return Diagnostic(message, hint="Fix the link, or remove it.", code="unreadable-file")
        message = f"{'the overlay ' * (role is OVERLAY)}{show_path(path)} doesn't exist"
        return Diagnostic(message, hint=role.way_out, code=role.code)
    except IsADirectoryError:
        return Diagnostic(f"{show_path(path)} is a folder, not {role.name}", hint=role.way_out, code=role.code)
    except (OSError, ValueError) as error:
        return _unreadable(path, error)
    result = _result(data)
    if result is not None:
        kind, hint = next((_RESULTS[key] for key in _RESULTS if key in result), ("output of webchat-sync", ""))
        message, place = f"this is {kind}, not {role.name}", Place(show_path(path), 1, 1)
        return Diagnostic(message, place, hint=hint or role.way_out, code=role.code)
    return Source.of(show_path(path), data)


def refused_link(path: Path, given: Path | None = None) -> Diagnostic | None:
    """The problem with ``path`` if a link in it leaves the repository, or ``given`` without Git."""
    try:
        link = escape(path, given or path.parent)
    except (OSError, ValueError):
        return None  # read_source reports it
    if link is None:
        return None
    message = f"{show_path(path)} isn't read because the link {show_path(link)} leads outside {left_by(link)}"
    return Diagnostic(message, hint="Replace the link with what it leads to.", code="outside-tree")


def show_path(path: Path) -> str:
    """``path`` as the user gave it, with forward slashes."""
    return os.fsencode(path.as_posix()).decode(errors="replace")


def _search(path: Path) -> tuple[list[Path], list[Diagnostic]]:
    if problem := refused_link(path):
        return [], [problem]
    if not is_folder(path):
        return [path], []
    files: list[Path] = []
    near: list[Path] = []
    errors: list[OSError] = []
    for folder, folders, names in os.walk(path, onerror=errors.append):
        folders[:] = filterfalse(is_skipped, folders)
        files += [Path(folder, name) for name in names if _is_named(name)]
        near += [Path(folder, name) for name in names if not _is_named(name) and _NEARLY.search(name)]
    links = {file: link for file in files if (link := refused_link(file, path))}
    manifests = sorted((file for file in files if file not in links and _is_wanted(file)), key=show_path)
    unreadable = [_unreadable(Path(error.filename), error) for error in errors]
    return manifests, [*links.values(), *unreadable, *_near_misses(near)]


def _is_named(name: str) -> bool:
    """Whether a file with that name in a folder is a manifest."""
    return name.endswith(SUFFIXES) and not is_skipped(name) and not name.endswith(SCHEMA)


def _near_misses(files: Iterable[Path]) -> Iterator[Diagnostic]:
    """Warnings for skipped files that look like manifests and are named almost like one."""
    for file in sorted(files, key=show_path):
        if _looks_like_one(file):
            hint = f"Manifests end in {_ENDINGS}, not in {SCHEMA}, and don't begin with a dot. Rename or move the file."
            message = f"{show_path(file)} looks like a manifest, but it's skipped"
            yield Diagnostic(message, hint=hint, severity="warning", code="near-miss")


def _looks_like_one(file: Path) -> bool:
    """Whether the file contains what every manifest contains."""
    with suppress(OSError, ValueError):
        data = read_regular(file) if file.is_file() else b""
        return all(mark.search(data) for mark in _MARKS) and not _is_other_json(data)
    return False


def _is_other_json(data: bytes) -> bool:
    """Whether it's JSON without a manifest's keys at the top, such as the schema that an editor uses for manifests."""
    try:
        document = load_json(data)
    except JsonError:
        return False
    return not (isinstance(document, dict) and {"version", "channels"} <= document.keys())


def _identity(path: Path) -> Path:
    try:
        return real_path(path)
    except ValueError:
        return path


def _unreadable(path: Path, error: OSError | ValueError) -> Diagnostic:
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    hint = "Check the path and the permissions."
    return Diagnostic(f"can't read {show_path(path)}: {reason}", hint=hint, code="unreadable-file")


def _is_wanted(path: Path) -> bool:
    """Whether to read a file that was found in a folder: not a result of this program, and not a pipe."""
    try:
        if path.exists() and (not path.is_file() or _is_output(path)):
            return False
        return path.suffix != ".json" or _result(read_regular(path)) is None
    except (OSError, ValueError):
        return True  # read_source reports it


def _is_output(path: Path) -> bool:
    """Whether the shell has just created the file for the output of this program, as in ``> plan.json``."""
    here = path.stat()
    for descriptor in (1, 2):
        with suppress(OSError):  # it's closed
            if os.path.samestat(here, os.fstat(descriptor)):
                return True
    return False


def _result(data: bytes) -> Mapping[str, object] | None:
    """The JSON that a command of this program wrote, {} if it's truncated; None for anything else."""
    if _RESULT not in data:
        return None
    try:
        document = load_json(data)
    except JsonError:
        return {} if _BEGINS_AS_RESULT.match(data) else None
    return document if isinstance(document, dict) and "format_version" in document else None
