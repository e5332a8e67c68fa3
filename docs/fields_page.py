"""The page of the fields of a channel, from the field catalogue."""

from __future__ import annotations

from typing import Final

from webchat_sync.domain.catalogue import Catalogue, Field

SOURCES: Final = {"doc": "reference page", "spec": "OpenAPI document"}

FIELDS: Final = """\
# Fields of a channel

<!-- Made from schemas/channel.schema.json by `python docs/generate.py`. -->

A manifest declares fields by the API's own names. What it doesn't declare isn't managed.

Fields marked *set on create* are sent when a channel is created. The others are sent in a second call, which also
switches the channel on. The parentheses say where Mosend documents a field: on its reference page, or only in its
OpenAPI document.

{declared}

## Set by the server

The API returns these, and you can't declare them.

{read_only}
"""


def fields_page(catalogue: Catalogue) -> str:
    """The page of the field table, in Markdown."""
    declared = ["| field | what it does |", "|---|---|"]
    declared += [_declared_row(field) for field in catalogue.declarable.values()]
    read_only = ["| field | what it is |", "|---|---|"]
    read_only += [f"| `{field.name}` | {field.description} |" for field in catalogue.fields.values() if field.read_only]
    return FIELDS.format(declared="\n".join(declared), read_only="\n".join(read_only))


def _declared_row(field: Field) -> str:
    traits = [
        _type(field),
        "set on create" if field.create else "",
        "`null` clears it" if field.nullable else "",
        f"compared {_compared(field)}" if _compared(field) else "",
    ]
    about = f"*{', '.join(filter(None, traits))} ({SOURCES[field.source]}).*<br>{field.description}"
    return f"| `{field.name}` | {about.replace('|', chr(92) + '|')} |"


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
        "trimmed": "without leading and trailing spaces",
        "caseless": "ignoring case",
        "host": "the way browsers send them",
    }[shape.compare]
