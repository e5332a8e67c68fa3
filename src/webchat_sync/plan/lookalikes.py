"""Warnings about channels whose names resemble each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from webchat_sync.domain.names import same
from webchat_sync.jsonvalue import as_json
from webchat_sync.model import Declaration, Delete, Json, LiveChannel, Lookalike
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
        name = as_json(alike[0].address)
        return f"{name} is deleted and has mostly the same values. If this is a rename, add `sync.renamedFrom: {name}`"
    return ""


def update_note(declaration: Declaration, live: LiveChannel, others: LiveNames) -> str:
    """A note for an update: another channel already has the new name."""
    if same(live.name, declaration.name):
        return ""
    holders = [other.id for other in others.same(declaration.name) if other.id != live.id]
    return f"another live channel already has this name: {', '.join(holders)}" if holders else ""


def _mostly_equal(declaration: Declaration, values: Mapping[str, Json]) -> bool:
    fields: dict[str, Json] = {name: value for name, value in declaration.fields.items() if name != "name"}
    if not fields:
        return False
    equal = sum(name in values and values[name] == value for name, value in fields.items())
    return equal >= _ENOUGH and equal / len(fields) >= _MOSTLY
