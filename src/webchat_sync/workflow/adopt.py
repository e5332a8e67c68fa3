"""Adopting: updating the files that declare channels to match what is live."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from webchat_sync.check.variables import Variables
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import Diagnostic, InputError, Place, WebchatSyncError
from webchat_sync.errors import Path as Steps
from webchat_sync.frozen import frozen
from webchat_sync.manifest.adopt import Edited, Rewritten, edit, read_files, refusals
from webchat_sync.manifest.files import find_files, show_path
from webchat_sync.manifest.fmt import as_formatted
from webchat_sync.manifest.load import load_manifests
from webchat_sync.manifest.ownership import shared
from webchat_sync.manifest.place_edits import Edit
from webchat_sync.manifest.read import Reader
from webchat_sync.model import Create, Declaration, Listing, LiveChannel, Manifest, Plan
from webchat_sync.plan.make import PlannedOrganization, Planning, begin
from webchat_sync.plan.organizations import of_organization
from webchat_sync.plan.sync_from_live import Adoption, adoptions
from webchat_sync.plan.undo import Moved, undoing
from webchat_sync.workflow.listings import Readings, failures

_GONE: Final = (
    "If it was deleted on purpose, remove its declaration. If it was created again, fix `sync.id`. A key that's "
    "restricted to some channels doesn't list the others."
)


@frozen
class Adopted:
    """The result of an adopt.

    ``edited`` are the files that change; ``left`` lists differences that remain, with reasons; ``undeclared`` are the
    channels in no file, by organisation. ``moved`` are the channels that the files now follow, and ``undo`` is the plan
    that would revert them; the organisations that couldn't be read are in its ``failed``.
    """

    edited: tuple[tuple[Path, Edited], ...]
    left: tuple[Diagnostic, ...]
    undeclared: Mapping[str, Sequence[LiveChannel]]
    moved: tuple[Moved, ...]
    undo: Plan


@frozen
class Subject:
    """The files to adopt into, found in ``paths``; ``organization`` applies to documents that name none."""

    paths: Sequence[Path]
    overlays: Sequence[Path]
    organization: str | None
    variables: Variables

    @property
    def files(self) -> list[Path]:
        """The manifest files."""
        return find_files(self.paths, self.overlays)[0]


def refuse_shared(subject: Subject) -> None:
    """Raise InputError if several environments share the manifests and no overlay says which one is adopted.

    Live values of one environment would change what the others declare, and ids belong to one organisation.
    """
    files = subject.files
    problems = [] if subject.overlays else shared(Reader(subject.variables).read(files), files, subject.paths)
    if problems:
        raise InputError(problems)


@frozen
class _OrganizationAdoption:
    """What the files of one organisation should adopt, and the plan as long as they don't.

    ``gone`` are the declarations whose pinned channels aren't live, which the plan leaves out.
    """

    adoptions: Sequence[Adoption]
    undeclared: Sequence[LiveChannel]
    planned: PlannedOrganization
    gone: Sequence[Declaration]


def adopt(
    manifests: Sequence[Manifest],
    subject: Subject,
    readings: Readings,
    catalogue: Catalogue,
    now: datetime,
    *,
    limited: bool = False,
) -> Adopted:
    """The edits that make the files match the live channels, for all organisations but those that failed.

    ``limited``: the files declare other organisations too. Raises InputError if a file can't be edited in place, or if
    the only organisation can't be adopted.
    """
    planning = begin(manifests, catalogue=catalogue, created_at=now, with_digests=False)
    results: dict[str, _OrganizationAdoption | WebchatSyncError] = {}
    for manifest in manifests:
        if manifest.organization in readings.listings:
            try:
                results[manifest.organization] = _adoption_of(
                    planning, manifest, readings.listings[manifest.organization]
                )
            except InputError as error:
                results[manifest.organization] = error
    failed = failures(results, readings.failed, single=len(manifests) == 1)
    succeeded = {name: result for name, result in results.items() if isinstance(result, _OrganizationAdoption)}
    rewritten = _rewritten(subject, list(succeeded.values()), catalogue)
    unplaced: defaultdict[Place, dict[str, str]] = defaultdict(dict)
    for entry in rewritten.left:
        unplaced[entry.place][entry.field] = entry.reason
    moved = tuple(
        channel
        for organization, result in succeeded.items()
        for adoption in result.adoptions
        if (channel := _moved(organization, adoption, unplaced[adoption.declaration.place])) is not None
    )
    plan = planning.end([result.planned for result in succeeded.values()])
    paths = {show_path(path): path for path in (*subject.files, *subject.overlays)}
    return Adopted(
        tuple((paths[text.source.name], text) for text in rewritten.edited),
        tuple(_remaining(succeeded, unplaced, several=len(manifests) > 1)),
        {name: result.undeclared for name, result in succeeded.items() if result.undeclared},
        moved,
        undoing(replace(plan, failed=failed, limited=limited), moved),
    )


def _rewritten(subject: Subject, results: Sequence[_OrganizationAdoption], catalogue: Catalogue) -> Rewritten:
    """The files with the adopted values, and the values that have no place in them. Raises InputError."""
    edits = [
        Edit(adoption.declaration.place, adoption.fields, adoption.live.id if adoption.pin else None)
        for result in results
        for adoption in result.adoptions
        if adoption.fields or adoption.pin
    ]
    if not edits:
        return Rewritten((), ())
    files = read_files(subject.files, subject.overlays, subject.organization)
    rewritten = edit(files, edits, environ=subject.variables)
    return replace(rewritten, edited=tuple(as_formatted(file, catalogue) for file in rewritten.edited))


def _adoption_of(planning: Planning, manifest: Manifest, listing: Listing) -> _OrganizationAdoption:
    rules = planning.rules.catalogue.extended(manifest.field_entries)
    ids = {channel.id for channel in listing.channels}
    # A plan can't say which channel is meant, but there's nothing to adopt from one that's gone.
    gone: list[Declaration] = []
    others: list[Declaration] = []
    for declaration in manifest.declarations:
        is_gone = declaration.id is not None and declaration.id not in ids and not declaration.absent
        (gone if is_gone else others).append(declaration)
    still_live = replace(manifest, declarations=tuple(others))
    adopted, undeclared = adoptions(still_live, listing.channels, catalogue=rules)
    planned = planning.organization(still_live, listing)
    return _OrganizationAdoption([_declarable(adoption, rules) for adoption in adopted], undeclared, planned, gone)


def broken_rules(subject: Subject, written: Mapping[Path, bytes], catalogue: Catalogue) -> list[Diagnostic]:
    """What would be wrong with the manifests, policies included, once ``written`` are their files.

    What is wrong already is omitted. Places are those in the new files.
    """
    if not written:
        return []
    before = Counter(_same_problem(problem) for problem in _problems(subject, {}, catalogue))
    new_problems: list[Diagnostic] = []
    for problem in _problems(subject, written, catalogue):
        before.subtract([_same_problem(problem)])
        if before[_same_problem(problem)] < 0:
            new_problems.append(problem)
    return new_problems


def _problems(subject: Subject, written: Mapping[Path, bytes], catalogue: Catalogue) -> Sequence[Diagnostic]:
    try:
        return load_manifests(
            subject.paths,
            catalogue=catalogue,
            environ=subject.variables,
            organization=subject.organization,
            overlays=subject.overlays,
            written=written,
        ).problems
    except InputError as error:
        return error.problems


def _same_problem(problem: Diagnostic) -> tuple[str, Steps, str, str]:
    """What identifies a problem although its line may have moved."""
    return problem.place.file if problem.place else "", problem.steps, problem.severity, problem.message


def _declarable(adoption: Adoption, catalogue: Catalogue) -> Adoption:
    """``adoption`` without the values that no manifest can declare."""
    refused = refusals(adoption.fields, catalogue=catalogue)
    fields = {name: value for name, value in adoption.fields.items() if name not in refused}
    return replace(adoption, fields=fields, left={**adoption.left, **refused})


def _moved(organization: str, adoption: Adoption, unchanged: Container[str]) -> Moved | None:
    """What the files follow from now on; None if that's nothing. ``unchanged`` are the keys that stay as they are."""
    fields = tuple(name for name in adoption.fields if name not in unchanged)
    pinned = adoption.pin and "sync.id" not in unchanged
    if not fields and not pinned:
        return None
    return Moved(organization, adoption.declaration.name, adoption.live.id, fields, pinned)


def _remaining(
    results: Mapping[str, _OrganizationAdoption], unplaced: Mapping[Place, Mapping[str, str]], *, several: bool
) -> Iterator[Diagnostic]:
    """The differences that the files keep, and then the declared channels that aren't live."""
    for organization, result in results.items():
        for adoption in result.adoptions:
            left = _left(adoption, unplaced.get(adoption.declaration.place, {}))
            yield from of_organization(left, organization, several=several)
    for organization, result in results.items():
        yield from of_organization(_missing(result), organization, several=several)


def _missing(adoption: _OrganizationAdoption) -> Iterator[Diagnostic]:
    """The declared channels that aren't live."""
    for declaration in adoption.gone:
        message = f'"{declaration.name}" is pinned to the id {declaration.id}, but no live channel has that id'
        yield Diagnostic(message, declaration.place, hint=_GONE, severity="warning")
    for change in adoption.planned.plan.changes:
        if isinstance(change, Create):
            message = f'"{change.address}" isn\'t live, so the next apply creates it'
            hint = "If it was renamed, declare its new name. If it was deleted on purpose, remove it from the files."
            yield Diagnostic(message, change.place, hint=hint, severity="warning")


def _left(adoption: Adoption, unplaced: Mapping[str, str]) -> Iterator[Diagnostic]:
    declaration = adoption.declaration
    for name, reason in {**adoption.left, **unplaced}.items():
        yield Diagnostic(
            f'`{name}` of "{declaration.name}" isn\'t changed: {reason}',
            declaration.field_places.get(name, declaration.place),
            severity="warning",
        )
