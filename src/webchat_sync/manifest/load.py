"""Files to manifests: every file is read, and every problem of every file is told at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

from webchat_sync.errors import InputError, Place, Problem
from webchat_sync.manifest.declare import Part, declare
from webchat_sync.manifest.expectations import expect
from webchat_sync.manifest.files import find_files, read_source
from webchat_sync.manifest.leaks import redact
from webchat_sync.manifest.rules import conflicts
from webchat_sync.model import Manifest

if TYPE_CHECKING:
    from webchat_sync.fields import Catalogue
    from webchat_sync.manifest.document import Document


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the files declare, one manifest for each organisation; ``problems`` are warnings only."""

    manifests: tuple[Manifest, ...]
    problems: tuple[Problem, ...]
    files: tuple[Path, ...]


def load_manifests(
    paths: Sequence[Path], *, catalogue: Catalogue, environ: Mapping[str, str], organization: str | None = None
) -> Loaded:
    """The manifests in ``paths``, files or folders; see :func:`~webchat_sync.manifest.files.find_files`.

    The documents of one organisation are one manifest, its declarations in the order of the files' paths.
    Variables are taken from ``environ``; ``organization`` is for documents that name none. Raises InputError with
    all problems of all files, sorted by place, when one of them is an error.
    """
    files, unreadable = find_files(paths)
    documents, unread = _read(files, environ)
    parts, wrong = _declare(documents, catalogue)
    by_organization: defaultdict[str, list[Part]] = defaultdict(list)
    for part in parts:
        by_organization[part.organization or organization or ""].append(part)
    wrong += _nameless(by_organization.get("", ()))
    for together in by_organization.values():
        wrong += conflicts(together)
    problems = _tidy([*unreadable, *unread], wrong)
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    return Loaded(tuple(starmap(_manifest, by_organization.items())), problems, tuple(files))


def _read(files: Iterable[Path], environ: Mapping[str, str]) -> tuple[list[Document], list[Problem]]:
    from webchat_sync.manifest.composer import compose

    documents: list[Document] = []
    problems: list[Problem] = []
    for file in files:
        source = read_source(file)
        if isinstance(source, Problem):
            problems.append(source)
            continue
        found, wrong = compose(source, environ)
        if not found and not wrong:
            hint = "Begin it with `version: 1`, or remove the file."
            wrong = [Problem("this file is empty", place=Place(source.name, 1, 1), hint=hint)]
        documents += found
        problems += wrong
    return documents, problems


def _declare(documents: Iterable[Document], catalogue: Catalogue) -> tuple[list[Part], list[Problem]]:
    expectations = expect(catalogue)
    parts: list[Part] = []
    problems: list[Problem] = []
    for document in documents:
        part, wrong = declare(document, expectations)
        parts.append(part)
        problems += wrong
    return parts, problems


def _nameless(parts: Iterable[Part]) -> Iterator[Problem]:
    for part in parts:
        if isinstance(part.document.value, dict) and "organization" not in part.document.value:
            yield Problem(
                "this manifest names no organisation",
                place=part.document.place(),
                hint="Write `organization:` in the file, or give --org or MOSEND_ORG_ID.",
            )


def _manifest(organization: str, parts: Sequence[Part]) -> Manifest:
    declarations = tuple(draft.declaration for part in parts for draft in part.drafts)
    return Manifest(organization, declarations, prune=any(part.prune for part in parts))


def _tidy(unread: Sequence[Problem], wrong: Sequence[Problem]) -> tuple[Problem, ...]:
    """All problems by place, each once and without keys; a value that could not be read has one problem and no more."""
    settled = {problem.place for problem in unread}
    problems = [*unread, *(problem for problem in wrong if problem.place not in settled)]
    unique = {(problem.place, problem.message): problem for problem in reversed(problems)}
    return tuple(_redacted(problem) for problem in sorted(unique.values(), key=_order))


def _order(problem: Problem) -> tuple[Place, str]:
    return problem.place or Place("", 0, 0), problem.message


def _redacted(problem: Problem) -> Problem:
    message, path, hint = map(redact, (problem.message, problem.path, problem.hint))
    return replace(problem, message=message, path=path, hint=hint)
