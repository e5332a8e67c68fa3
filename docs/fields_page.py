"""The page of the fields of a channel, from the field catalogue."""

from __future__ import annotations

from typing import Final

from webchat_sync.domain.catalogue import Catalogue, Field

SOURCES: Final = {"doc": "reference page", "spec": "OpenAPI document"}

FIELDS: Final = """\
# Fields of a channel

<!-- Made from schemas/channel.schema.json by `python docs/generate.py`. -->

A manifest declares fields by the API's own names. What it does not declare is not managed. *Create* marks the fields
that a new channel is created with; the others follow in a second call, which also switches the channel on. *Null* marks
the fields that `null` clears. *Compared* says which differences count.

{declared}

## Set by the server

These stand in answers and cannot be declared.

{read_only}
"""


def fields_page(catalogue: Catalogue) -> str:
    """The page of the field table, in Markdown."""
    declared = ["| field | type | create | null | compared | source | what it does |", "|---|---|---|---|---|---|---|"]
    declared += [_declared_row(field) for field in catalogue.declarable.values()]
    read_only = ["| field | what it is |", "|---|---|"]
    read_only += [f"| `{field.name}` | {field.description} |" for field in catalogue.fields.values() if field.read_only]
    return FIELDS.format(declared="\n".join(declared), read_only="\n".join(read_only))


def _declared_row(field: Field) -> str:
    cells = [
        f"`{field.name}`",
        _type(field),
        "✓" if field.create else "",
        "✓" if field.nullable else "",
        _compared(field),
        SOURCES[field.source],
        field.description,
    ]
    escaped = [cell.replace("|", r"\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _type(field: Field) -> str:
    if "enum" in field.schema:
        return " or ".join(f"`{each}`" for each in field.schema["enum"])
    types = field.schema["type"]
    name = " or ".join(kind for kind in types if kind != "null") if isinstance(types, list) else types
    longest = f" ≤ {field.schema['maxLength']}" if "maxLength" in field.schema else ""
    range_ = f" {field.schema['minimum']}–{field.schema['maximum']}" if "maximum" in field.schema else ""
    return f"{name}{longest}{range_}"


def _compared(field: Field) -> str:
    shape = field.shape
    if shape.list_type == "map":
        return f"by {', else '.join(f'`{key}`' for key in shape.list_keys)}, in order"
    if shape.list_type == "set":
        return "as a set"
    return {
        "exact": "",
        "trimmed": "without blanks at the ends",
        "caseless": "without regard to case",
        "host": "as browsers send them",
    }[shape.compare]
