"""An adopt: what is live, brought into the files that declare it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from webchat_sync.check.variables import Variables
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import InputError, Problem
from webchat_sync.manifest.adopt import Edit, Edited, edit, refusals
from webchat_sync.manifest.files import read_source
from webchat_sync.model import Listing, LiveChannel, Manifest
from webchat_sync.plan.sync_from_live import Adoption, adoptions


@dataclass(frozen=True, slots=True)
class Adopted:
    """``edited`` are the files that change; ``left`` says what is not what is live and stays; the channels that are
    in no file are ``undeclared``, by organisation."""

    edited: tuple[tuple[Path, Edited], ...]
    left: tuple[Problem, ...]
    undeclared: Mapping[str, Sequence[LiveChannel]]


def adopt(
    manifests: Sequence[Manifest],
    files: Sequence[Path],
    listings: Mapping[str, Listing],
    catalogue: Catalogue,
    variables: Variables,
) -> Adopted:
    """The edits that make ``files`` say what is live. Raises InputError when a file cannot be edited in place."""
    edits: list[Edit] = []
    left: list[Problem] = []
    undeclared: dict[str, Sequence[LiveChannel]] = {}
    for manifest in manifests:
        adopted, others = adoptions(manifest, listings[manifest.organization].channels, catalogue=catalogue)
        for adoption in adopted:
            refused = refusals(adoption.fields, catalogue=catalogue)
            left += _left(adoption, {**adoption.left, **refused})
            fields = {name: value for name, value in adoption.fields.items() if name not in refused}
            if fields or adoption.pin:
                edits.append(Edit(adoption.declaration.place, fields, adoption.live.id if adoption.pin else None))
        if others:
            undeclared[manifest.organization] = others
    return Adopted(_edited(files, edits, variables), tuple(left), undeclared)


def _left(adoption: Adoption, reasons: Mapping[str, str]) -> list[Problem]:
    declaration = adoption.declaration
    return [
        Problem(
            f'`{name}` of "{declaration.name}" is not what is live, and stays: {reason}',
            declaration.field_places.get(name, declaration.place),
            severity="warning",
        )
        for name, reason in reasons.items()
    ]


def _edited(files: Sequence[Path], edits: Sequence[Edit], variables: Variables) -> tuple[tuple[Path, Edited], ...]:
    by_file: defaultdict[str, list[Edit]] = defaultdict(list)
    for change in edits:
        by_file[change.place.file].append(change)
    edited: list[tuple[Path, Edited]] = []
    for file in files:
        source = read_source(file)
        if not isinstance(source, Problem) and source.name in by_file:
            result = edit(source, by_file[source.name], environ=variables)
            if isinstance(result, Problem):
                raise InputError([result])
            edited.append((file, result))
    return tuple(edited)
