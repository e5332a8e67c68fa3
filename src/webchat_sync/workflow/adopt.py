"""An adopt: what is live, brought into the files that declare it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from webchat_sync.check.variables import Variables
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.manifest.adopt import Edited, edit, read_files, refusals
from webchat_sync.manifest.files import find_files, show_path
from webchat_sync.manifest.ownership import shared
from webchat_sync.manifest.place_edits import Edit
from webchat_sync.manifest.read import Reader
from webchat_sync.model import Declaration, Listing, LiveChannel, Manifest
from webchat_sync.plan.sync_from_live import adoptions


@dataclass(frozen=True, slots=True)
class Adopted:
    """``edited`` are the files that change; ``left`` says what is not what is live and stays; the channels that are
    in no file are ``undeclared``, by organisation."""

    edited: tuple[tuple[Path, Edited], ...]
    left: tuple[Diagnostic, ...]
    undeclared: Mapping[str, Sequence[LiveChannel]]


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


def adopt(
    manifests: Sequence[Manifest], subject: Subject, listings: Mapping[str, Listing], catalogue: Catalogue
) -> Adopted:
    """The edits that make the files say what is live. Raises InputError when a file cannot be edited in place."""
    edits: list[Edit] = []
    left: list[Diagnostic] = []
    undeclared: dict[str, Sequence[LiveChannel]] = {}
    declarations: dict[object, Declaration] = {}
    for manifest in manifests:
        rules = catalogue.extended(manifest.field_entries)
        adopted, others = adoptions(manifest, listings[manifest.organization].channels, catalogue=rules)
        for adoption in adopted:
            refused = refusals(adoption.fields, catalogue=rules)
            declarations[adoption.declaration.place] = adoption.declaration
            left += (_left(adoption.declaration, name, reason) for name, reason in {**adoption.left, **refused}.items())
            fields = {name: value for name, value in adoption.fields.items() if name not in refused}
            if fields or adoption.pin:
                edits.append(Edit(adoption.declaration.place, fields, adoption.live.id if adoption.pin else None))
        if others:
            undeclared[manifest.organization] = others
    edited: tuple[tuple[Path, Edited], ...] = ()
    if edits:
        paths = {show_path(path): path for path in (*subject.files, *subject.overlays)}
        made = edit(read_files(subject.files, subject.overlays, subject.organization), edits, environ=subject.variables)
        edited = tuple((paths[text.source.name], text) for text in made.edited)
        left += (_left(declarations[entry.place], entry.field, entry.reason) for entry in made.left)
    return Adopted(edited, tuple(left), undeclared)


def _left(declaration: Declaration, name: str, reason: str) -> Diagnostic:
    return Diagnostic(
        f'`{name}` of "{declaration.name}" is not what is live, and stays: {reason}',
        declaration.field_places.get(name, declaration.place),
        severity="warning",
    )
