"""The fields of one declaration that differ from what is live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import Place
from webchat_sync.model import UNKNOWN, Declaration, FieldChange, Key, LiveChannel
from webchat_sync.plan.diff import differences, identical


def changed_fields(
    declaration: Declaration, live: LiveChannel, catalogue: Catalogue
) -> Iterator[tuple[str, tuple[FieldChange, ...]]]:
    """Each declared field that differs and is not to be ignored, and its differences."""
    for name in declaration.fields:
        if name not in declaration.ignore and (changes := tuple(_field_changes(name, declaration, live, catalogue))):
            yield name, changes


def _field_changes(
    name: str, declaration: Declaration, live: LiveChannel, catalogue: Catalogue
) -> Iterable[FieldChange]:
    declared = declaration.fields[name]
    if name not in live.fields:
        # Servers drop null keys, so a declared null is what a missing field may well be.
        changes = [] if declared is None else [FieldChange((Key(name),), "change", UNKNOWN, declared)]
    elif identical(live.fields[name], declared):
        return ()
    else:
        changes = list(differences((Key(name),), catalogue.shape(name), live.fields[name], declared))
    place = elsewhere(name, declaration) if changes else None
    return [replace(change, place=place) for change in changes] if place else changes


def elsewhere(name: str, declaration: Declaration) -> Place | None:
    """Where the field is declared, when that is another file than the channel's."""
    place = declaration.field_places.get(name)
    return place if place and place.file != declaration.place.file else None
