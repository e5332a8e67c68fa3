"""Learned shapes as JSON Schema, and how the schema of manifests takes them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from webchat_sync.domain.catalogue import PLAIN, Catalogue, Shape
from webchat_sync.domain.match_items import UNDESCRIBED
from webchat_sync.plan.shapes import WORDS, Seen

_TITLE: Final = "What live channels have in fields whose structure isn't documented"
DEEPEST: Final = 40
"""How many mappings and lists may stand inside one another: a schema has two levels for each, and is read again."""

_FIELDS, _CATALOGUE = "fields.schema.json", "channel.schema.json"


def shapes_schema(fields: Mapping[str, Seen], catalogue: Catalogue) -> dict[str, Any]:
    """A JSON Schema that every live channel fits whose ``fields`` were observed.

    Keys that are in few items are as good as those in all: nothing is required.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": _TITLE,
        "type": "object",
        "properties": {name: _schema(seen, catalogue.shape(name)) for name, seen in fields.items() if seen.count},
    }


def _schema(
    seen: Seen, shape: Shape, of: int = 0, *, from_server: bool = False, depth: int = DEEPEST
) -> dict[str, Any]:
    """The schema of one place, in so many mappings; of what is deeper inside than ``depth`` it says nothing."""
    types = list(seen.types)
    schema: dict[str, Any] = {"type": types if len(types) > 1 else types[0]} if types else {}
    if of:
        given = " Set by the server." if from_server else ""
        schema["description"] = f"{_words(seen)}; {seen.count} of {of} live values have it.{given}"
    if not depth:
        return schema
    if seen.keys:
        schema["properties"] = {
            key: _schema(
                inner,
                shape.properties.get(key, PLAIN),
                seen.types["object"],
                from_server=key in shape.server_keys,
                depth=depth - 1,
            )
            for key, inner in seen.keys.items()
        }
    if seen.members is not None:
        schema["additionalProperties"] = _schema(seen.members, PLAIN, depth=depth - 1)
    if seen.items is not None:
        # Servers give ids to items of lists at any depth.
        owned = shape.server_keys | UNDESCRIBED.server_keys
        inner = Shape(server_keys=owned, properties=(shape.items or PLAIN).properties)
        schema["items"] = _schema(seen.items, inner, depth=depth - 1)
    examples = [example.value for example in seen.examples if example.whole]
    if examples and not from_server:
        schema["examples"] = examples
    return schema


def _words(seen: Seen) -> str:
    return " or ".join(WORDS[name] for name in seen.types).capitalize()


def with_learned(manifest: Mapping[str, Any], learned: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """``manifest``, the whole schema, with what ``learned``, such a schema as above, says of the fields of channels.

    It makes editors offer and explain more, and refuse nothing more: what is live is not all that the API takes, and
    a variable may stand in the place of a value. A field that ``catalogue`` does not have is offered where a manifest
    names fields of its own.
    """
    properties = {name: _offer(schema) for name, schema in _mapping(learned.get("properties")).items()}
    known = {name: schema for name, schema in properties.items() if name in catalogue.declarable}
    new = {name: schema for name, schema in properties.items() if name not in catalogue.fields}
    parts = manifest["$defs"]
    entries = parts[_CATALOGUE]["properties"]
    spelled = parts[_FIELDS]["$defs"]["spelled"]
    joined = {name: _joined(entries[name], schema) for name, schema in known.items()}
    fields = {**parts[_FIELDS]["$defs"], "spelled": {**spelled, "properties": new}}
    taught = {
        _CATALOGUE: {**parts[_CATALOGUE], "properties": {**entries, **joined}},
        _FIELDS: {**parts[_FIELDS], "$defs": fields},
    }
    return {**manifest, "$defs": {**parts, **taught}}


def _offer(schema: object) -> dict[str, Any]:
    """The parts of a schema that editors offer and explain by, without those that refuse a value."""
    found = _mapping(schema)
    offer: dict[str, Any] = {}
    if isinstance(found.get("description"), str):
        offer["description"] = found["description"]
    if isinstance(found.get("examples"), list):
        offer["examples"] = found["examples"]
    if found.get("type") == "boolean":
        offer["examples"] = [False, True]
    for keyword in ("items", "additionalProperties"):
        if isinstance(found.get(keyword), dict):
            offer[keyword] = _offer(found[keyword])
    if isinstance(found.get("properties"), dict):
        offer["properties"] = {key: _offer(inner) for key, inner in found["properties"].items()}
    return offer


def _joined(entry: Mapping[str, Any], offer: Mapping[str, Any]) -> dict[str, Any]:
    """The ``entry`` of the catalogue, whose own words come first, and beside it what is offered."""
    joined = {**offer, **entry}
    if "items" in offer:
        joined["items"] = {**offer["items"], **_mapping(entry.get("items"))}
    if "examples" in offer:
        own = entry.get("examples", [])
        joined["examples"] = [*own, *(example for example in offer["examples"] if example not in own)]
    return joined


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
