"""What there is to say of a channel whose name is near that of another one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from webchat_sync.domain.names import confusable, may_be_stored_as, same
from webchat_sync.model import Declaration, Delete, Json, LiveChannel

_MOSTLY: Final = 0.6
"""The share of a declaration's values from which on a channel that is deleted may be the one that is meant."""

_ENOUGH: Final = 2
"""Equal values, besides the name, that it takes to say so."""


def lookalikes(declaration: Declaration, free: Sequence[LiveChannel]) -> tuple[tuple[str, str], ...]:
    """The live channels, ids and names, that may be the one to create, now or under its former name.

    Only the ``free`` are, which no declaration means: the others are, and after the run are called, something else.
    """
    names = [name for name in (declaration.name, declaration.renamed_from) if name is not None]
    return tuple((channel.id, channel.name) for channel in free if any(may_be(channel, name) for name in names))


def may_be(channel: LiveChannel, name: str) -> bool:
    """Whether the live channel may be the one that is called ``name`` elsewhere."""
    return confusable(channel.name, name) or may_be_stored_as(name, channel.name)


def create_note(declaration: Declaration, deletes: Sequence[Delete]) -> str:
    """What to know of a create: that a former name is not live, or that a channel to delete is much the same."""
    if declaration.renamed_from is not None:
        return f"no live channel has its former name {_quoted(declaration.renamed_from)}"
    twins = [delete for delete in deletes if _mostly_equal(declaration, delete.reviewed)]
    if len(twins) == 1:
        name = _quoted(twins[0].address)
        return f"{name} is deleted and has mostly the same values. If this is a rename, add `renamedFrom: {name}`"
    return ""


def update_note(declaration: Declaration, live: LiveChannel, others: Sequence[LiveChannel]) -> str:
    """What to know of an update: that another channel has the name which this one gets."""
    if same(live.name, declaration.name):
        return ""
    holders = [other.id for other in others if other.id != live.id and same(other.name, declaration.name)]
    return f"another live channel already has this name: {', '.join(holders)}" if holders else ""


def _mostly_equal(declaration: Declaration, values: Mapping[str, Json]) -> bool:
    fields: dict[str, Json] = {name: value for name, value in declaration.fields.items() if name != "name"}
    if not fields:
        return False
    equal = sum(name in values and values[name] == value for name, value in fields.items())
    return equal >= _ENOUGH and equal / len(fields) >= _MOSTLY


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
