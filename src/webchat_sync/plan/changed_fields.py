"""Which fields of a channel change, and the live values that the change is based on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import Place
from webchat_sync.model import UNKNOWN, Declaration, FieldChange, Json, Key, LiveChannel
from webchat_sync.plan.diff import differences, identical


def reviewed_values(declaration: Declaration, live: LiveChannel) -> dict[str, Json]:
    """The live values that a change of the channel is based on."""
    managed = [name for name in declaration.fields if name not in declaration.ignore]
    return {
        # A declared null that the listing omits was reviewed as null, since servers drop null keys.
        **{name: None for name in managed if declaration.fields[name] is None},
        **values_of(live, ["name", *managed]),
    }


def values_of(live: LiveChannel, names: Iterable[str]) -> dict[str, Json]:
    """The live values of these fields, without those that the live channel lacks."""
    return {name: live.fields[name] for name in names if name in live.fields}


def changed_fields(
    declaration: Declaration, live: LiveChannel, catalogue: Catalogue
) -> Iterator[tuple[str, tuple[FieldChange, ...]]]:
    """The managed fields that differ, each with its differences."""
    for name, declared in declaration.fields.items():
        if name in declaration.ignore or (name in live.fields and identical(live.fields[name], declared)):
            continue
        if name in live.fields:
            changes = tuple(differences((Key(name),), catalogue.shape(name), live.fields[name], declared))
        else:
            # Servers drop null keys, so a declared null equals a missing field.
            changes = () if declared is None else (FieldChange((Key(name),), "change", UNKNOWN, declared),)
        if changes:
            place = elsewhere(name, declaration)
            yield name, tuple(replace(change, place=place) for change in changes) if place else changes


def elsewhere(name: str, declaration: Declaration) -> Place | None:
    """Where the field is declared, if that isn't the file of the channel."""
    place = declaration.field_places.get(name)
    return place if place and place.file != declaration.place.file else None
