"""An adopt: what is live, brought into the files that declare it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from webchat_sync.check.variables import Variables
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import Diagnostic, InputError, Place, WebchatSyncError
from webchat_sync.manifest.adopt import Edited, Rewritten, edit, read_files, refusals
from webchat_sync.manifest.file_names import file_names
from webchat_sync.manifest.files import find_files, show_path
from webchat_sync.manifest.ownership import shared
from webchat_sync.manifest.place_edits import Edit
from webchat_sync.manifest.read import Reader
from webchat_sync.manifest.write import write_manifest
from webchat_sync.model import Listing, LiveChannel, Manifest, Plan
from webchat_sync.plan.make import PlannedOrganization, Planning, begin
from webchat_sync.plan.organizations import of_organization
from webchat_sync.plan.sync_from_live import Adoption, adoptions
from webchat_sync.plan.undo import Moved, undoing
from webchat_sync.workflow.listings import Readings, failures


@dataclass(frozen=True, slots=True)
class Adopted:
    """``edited`` are the files that change; ``left`` says what is not what is live and stays; the channels that are
    in no file are ``undeclared``, by organisation. ``moved`` are the channels that the files follow, and ``undo`` is
    the plan that would undo it; the organisations that nothing could be taken from are in its ``failed``."""

    edited: tuple[tuple[Path, Edited], ...]
    left: tuple[Diagnostic, ...]
    undeclared: Mapping[str, Sequence[LiveChannel]]
    moved: tuple[Moved, ...]
    undo: Plan


@dataclass(frozen=True, slots=True)
class Subject:
    """The files of an adopt, found in ``paths``; ``organization`` is that of documents that name none."""

    paths: Sequence[Path]
    overlays: Sequence[Path]
    organization: str | None
    variables: Variables

    @property
    def files(self) -> list[Path]:
        """The manifests."""
        return find_files(self.paths, self.overlays)[0]


def refuse_shared(subject: Subject) -> None:
    """Raise InputError when manifests are shared and nobody said, by overlays, which environment is adopted.

    What is live of one environment would change what the others declare, and ids are those of one organisation.
    """
    files = subject.files
    problems = [] if subject.overlays else shared(Reader(subject.variables).read(files), files, subject.paths)
    if problems:
        raise InputError(problems)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the files of one organisation are to take over, and the plan as long as they do not."""

    adoptions: Sequence[Adoption]
    undeclared: Sequence[LiveChannel]
    planned: PlannedOrganization


def adopt(
    manifests: Sequence[Manifest],
    subject: Subject,
    readings: Readings,
    catalogue: Catalogue,
    now: datetime,
    *,
    limited: bool = False,
) -> Adopted:
    """The edits that make the files say what is live, of all organisations but those that failed.

    ``limited``: the files have other organisations.

    Raises InputError when a file cannot be edited in place, and when the only organisation cannot be adopted.
    """
    planning = begin(manifests, catalogue=catalogue, created_at=now, sealed=False)
    taken: dict[str, _Wanted | WebchatSyncError] = {}
    for manifest in manifests:
        if manifest.organization in readings.listings:
            try:
                taken[manifest.organization] = _wanted(planning, manifest, readings.listings[manifest.organization])
            except InputError as error:
                taken[manifest.organization] = error
    failed = failures(taken, readings.failed, alone=len(manifests) == 1)
    reached = {name: result for name, result in taken.items() if isinstance(result, _Wanted)}
    wanted = [(name, adoption) for name, result in reached.items() for adoption in result.adoptions]
    edits = [
        Edit(adoption.declaration.place, adoption.fields, adoption.live.id if adoption.pin else None)
        for _, adoption in wanted
        if adoption.fields or adoption.pin
    ]
    paths = {show_path(path): path for path in (*subject.files, *subject.overlays)}
    made = Rewritten((), ())
    if edits:
        files = read_files(subject.files, subject.overlays, subject.organization)
        made = edit(files, edits, environ=subject.variables)
    missed = {(entry.place, entry.field): entry.reason for entry in made.left}
    moved = tuple(_moved(organization, adoption, missed) for organization, adoption in wanted)
    moved = tuple(channel for channel in moved if channel.fields or channel.pinned)
    return Adopted(
        tuple((paths[text.source.name], text) for text in made.edited),
        tuple(
            left
            for organization, adoption in wanted
            for left in of_organization(_left(adoption, missed), organization, several=len(manifests) > 1)
        ),
        {name: result.undeclared for name, result in reached.items() if result.undeclared},
        moved,
        undoing(
            replace(planning.end([result.planned for result in reached.values()]), failed=failed, limited=limited),
            moved,
        ),
    )


def _wanted(planning: Planning, manifest: Manifest, listing: Listing) -> _Wanted:
    rules = planning.rules.catalogue.extended(manifest.field_entries)
    adopted, undeclared = adoptions(manifest, listing.channels, catalogue=rules)
    planned = planning.organization(manifest, listing)
    return _Wanted([_declarable(adoption, rules) for adoption in adopted], undeclared, planned)


@dataclass(frozen=True, slots=True)
class NewManifest:
    """A file for a live channel that no file declares so far."""

    organization: str
    channel: str
    path: Path
    data: bytes


def new_manifests(
    undeclared: Mapping[str, Sequence[LiveChannel]], paths: Sequence[Path], catalogue: Catalogue
) -> list[NewManifest]:
    """A file for each of the ``undeclared`` channels, in the first folder of ``paths``, which must have one.

    Each names its organisation and declares the channel as it is. Raises InputError.
    """
    folder = next((path for path in paths if path.is_dir()), None)
    channels = [(organization, channel) for organization, some in undeclared.items() for channel in some]
    if not channels:
        return []
    if folder is None:
        hint = "Use the folder of the manifests, since new files are read from there."
        raise InputError([Diagnostic("there's no folder for the files of new channels", hint=hint)])
    taken = [path.name.casefold() for path in folder.iterdir()]
    names = file_names((channel.name for _, channel in channels), taken=taken)
    return [
        NewManifest(
            organization,
            channel.name,
            folder / name,
            write_manifest(organization, [channel], catalogue=catalogue).encode(),
        )
        for name, (organization, channel) in zip(names, channels, strict=True)
    ]


def _declarable(adoption: Adoption, catalogue: Catalogue) -> Adoption:
    """``adoption`` without the values that no manifest can declare."""
    refused = refusals(adoption.fields, catalogue=catalogue)
    fields = {name: value for name, value in adoption.fields.items() if name not in refused}
    return replace(adoption, fields=fields, left={**adoption.left, **refused})


def _moved(organization: str, adoption: Adoption, missed: Container[tuple[Place, str]]) -> Moved:
    place = adoption.declaration.place
    return Moved(
        organization,
        adoption.declaration.name,
        adoption.live.id,
        tuple(name for name in adoption.fields if (place, name) not in missed),
        adoption.pin and (place, "sync.id") not in missed,
    )


def _left(adoption: Adoption, missed: Mapping[tuple[Place, str], str]) -> Iterator[Diagnostic]:
    declaration = adoption.declaration
    unplaced = {name: reason for (place, name), reason in missed.items() if place == declaration.place}
    for name, reason in {**adoption.left, **unplaced}.items():
        yield Diagnostic(
            f'`{name}` of "{declaration.name}" differs from what is live, but isn\'t changed: {reason}',
            declaration.field_places.get(name, declaration.place),
            severity="warning",
        )
