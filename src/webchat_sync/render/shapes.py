"""Shapes learned from live channels, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from webchat_sync import __version__
from webchat_sync.flat import flat, json_text
from webchat_sync.frozen import frozen
from webchat_sync.model import Json, moment_text
from webchat_sync.plan.shapes import WORDS, OrganizationShapes, Seen
from webchat_sync.render.text_diff import columns
from webchat_sync.render.values import inline
from webchat_sync.sentences import counted, in_a_row

FORMAT_VERSION: Final = "1.0"
"""The version of the format: additions raise the minor number, breaking changes the major one."""

_WIDEST: Final = 40
"""The width of names: what follows a longer one isn't aligned."""


@frozen
class _Row:
    """One place. ``path`` leads to it from the field, ``name`` is its last step, ``depth`` its nesting level.

    ``seen`` are its values, which are in some of the ``holders``; None for list items and values of any key, which are
    counted as ``unit``.
    """

    path: str
    name: str
    depth: int
    seen: Seen
    holders: int | None
    unit: str = "value"


def render_text(shapes: Sequence[OrganizationShapes]) -> str:
    """A line for every place, below its parent."""
    if not shapes:
        return "No organisation was examined."
    named = len(shapes) > 1
    return "\n".join(line for organization in shapes for line in _organization(organization, named=named)).rstrip()


def render_json(shapes: Sequence[OrganizationShapes], *, created_at: datetime, live_created_at: datetime | None) -> str:
    """According to ``schemas/shapes.schema.json``; ``live_created_at`` is the time of a snapshot."""
    document = {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "created_at": moment_text(created_at),
        "live_created_at": moment_text(live_created_at) if live_created_at else None,
        "organizations": [
            {
                "organization": organization.organization,
                "channels": organization.channels,
                "fields": [
                    {"field": name, "places": [_place(row) for row in _rows(name, name, seen, organization.channels)]}
                    for name, seen in organization.fields.items()
                ],
            }
            for organization in shapes
        ],
    }
    return json_text(document)


def _place(row: _Row) -> dict[str, Any]:
    return {
        "path": row.path,
        "types": dict(row.seen.types),
        "count": row.seen.count,
        "of": row.holders,
        "examples": [example.value for example in row.seen.examples],
    }


def _rows(path: str, name: str, seen: Seen, holders: int | None, depth: int = 0, unit: str = "value") -> Iterator[_Row]:
    yield _Row(path, name, depth, seen, holders, unit)
    for key, inner in seen.keys.items():
        below = f"{path}.{key}" if key.isidentifier() else f"{path}[{inline(key)}]"
        yield from _rows(below, key, inner, seen.types["object"], depth + 1)
    if seen.members is not None:
        yield from _rows(f"{path}.*", "(any key)", seen.members, None, depth + 1)
    if seen.items is not None:
        yield from _rows(f"{path}[]", "(each item)", seen.items, None, depth + 1, "item")


def _organization(shapes: OrganizationShapes, *, named: bool) -> Iterator[str]:
    if named:
        yield f"Organisation {flat(shapes.organization)}:"
        yield ""
    if not shapes.channels:
        yield "There are no live channels."
        yield ""
        return
    filled = {name: seen for name, seen in shapes.fields.items() if seen.filled}
    for name, seen in filled.items():
        yield from _table([*_rows(name, name, seen, shapes.channels)])
        yield ""
    if empty := [flat(name) for name in shapes.fields if name not in filled]:
        yield f"In no live channel: {', '.join(empty)}."
        yield ""


def _table(rows: Sequence[_Row]) -> Iterator[str]:
    cells = [_cells(row) for row in rows]
    widths = [min(max(columns(row[at]) for row in cells), _WIDEST) for at in range(3)]
    for row in cells:
        padded = (f"{cell}{' ' * (width - columns(cell))}" for cell, width in zip(row[:3], widths, strict=True))
        yield f"{'  '.join(padded)}  {row[3]}".rstrip()


def _cells(row: _Row) -> tuple[str, str, str, str]:
    name = f"{'  ' * row.depth}{flat(row.name)}"
    return name, in_a_row([WORDS[kind] for kind in row.seen.types], last="or"), _times(row), _examples(row.seen)


def _times(row: _Row) -> str:
    if row.holders is None:
        return counted(row.seen.count, row.unit)
    if row.depth:
        return f"in {row.seen.count:,} of {row.holders:,}"
    return f"in {row.seen.filled:,} of {counted(row.holders, 'channel')}"


def _examples(seen: Seen) -> str:
    return ", ".join(_shown(example.value) for example in seen.examples)


def _shown(value: Json) -> str:
    return flat(inline(value))
