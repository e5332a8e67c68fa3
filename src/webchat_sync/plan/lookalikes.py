"""Warnings about channels whose names resemble each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from webchat_sync.domain.names import same
from webchat_sync.jsonvalue import as_json
from webchat_sync.model import UNKNOWN, Declaration, Delete, Json, LiveChannel, Lookalike
from webchat_sync.plan.live_names import LiveNames

_MOSTLY: Final = 0.6
"""The share of a declaration's values that a deleted channel must have to be a likely rename."""

_ENOUGH: Final = 2
"""How many equal values, not counting the name, that takes at least."""

_MOST_DELETES: Final = 100
"""With more deletes, renames aren't looked for, since every create is compared with every delete."""


def lookalikes(declaration: Declaration, free: LiveNames) -> tuple[Lookalike, ...]:
    """The ids and names of live channels that may already be the channel to create, or have its former name.

    Only the ``free`` ones count, which no declaration matches: the others keep or get another name.
    """
    names = [name for name in (declaration.name, declaration.renamed_from) if name is not None]
    return tuple(Lookalike(channel.id, channel.name) for channel in free.similar(*names))


def create_note(declaration: Declaration, deletes: Sequence[Delete]) -> str:
    """A note for a create: its former name isn't live, or a channel that's being deleted is almost the same."""
    if declaration.renamed_from is not None:
        return f"no live channel has its former name {as_json(declaration.renamed_from)}"
    if len(deletes) > _MOST_DELETES:
        return ""
    alike = [delete for delete in deletes if _mostly_equal(declaration, delete.reviewed)]
    if len(alike) == 1:
        return _ask(alike[0], "is deleted and has mostly the same values")
    if len(deletes) == 1 and _fields_equal(declaration, deletes[0].reviewed) == len(declaration.fields) - 1:
        return _ask(deletes[0], "is deleted, and only its name differs from what's declared")
    return ""


def _ask(delete: Delete, reason: str) -> str:
    name = as_json(delete.address)
    return f"{name} {reason}. If this is a rename, add `sync.renamedFrom: {name}`"


def update_note(declaration: Declaration, live: LiveChannel, others: LiveNames) -> str:
    """A note for an update: another channel already has the new name."""
    if same(live.name, declaration.name):
        return ""
    holders = [other.id for other in others.same(declaration.name) if other.id != live.id]
    if not holders:
        return ""
    have = "another live channel already has" if len(holders) == 1 else "other live channels already have"
    return f"{have} this name: {', '.join(holders)}"


def _mostly_equal(declaration: Declaration, values: Mapping[str, Json]) -> bool:
    equal, declared = _fields_equal(declaration, values), len(declaration.fields) - 1
    return equal >= _ENOUGH and equal / declared >= _MOSTLY


def _fields_equal(declaration: Declaration, values: Mapping[str, Json]) -> int:
    """How many declared fields apart from the name have the same value."""
    return sum(name != "name" and values.get(name, UNKNOWN) == value for name, value in declaration.fields.items())
