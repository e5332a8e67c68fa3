"""Learned shapes as JSON Schema, and their integration into the schema of manifests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from webchat_sync.domain.catalogue import PLAIN, Catalogue, Shape
from webchat_sync.domain.match_items import UNDESCRIBED
from webchat_sync.plan.shapes import WORDS, Seen
from webchat_sync.sentences import counted, in_a_row

_TITLE: Final = "What live channels have in fields whose structure isn't documented"
DEEPEST: Final = 40
"""The limit of nested mappings and lists: one takes two levels in a schema, which must stay readable."""

_FIELDS, _CATALOGUE = "fields.schema.json", "channel.schema.json"


def shapes_schema(fields: Mapping[str, Seen], catalogue: Catalogue) -> dict[str, Any]:
    """A JSON Schema that fits every live channel whose ``fields`` were observed.

    No key is required, since some items may lack it.
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
    """The schema of one place that ``of`` mappings could have; deeper levels than ``depth`` are omitted."""
    types = list(seen.types)
    schema: dict[str, Any] = {"type": types if len(types) > 1 else types[0]} if types else {}
    if of:
        note = " Set by the server." if from_server else ""
        schema["description"] = f"{_words(seen)}; in {seen.count:,} of {counted(of, 'live value')}.{note}"
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
        # Servers add ids to list items at any depth.
        owned = shape.server_keys | UNDESCRIBED.server_keys
        inner = Shape(server_keys=owned, properties=(shape.items or PLAIN).properties)
        schema["items"] = _schema(seen.items, inner, depth=depth - 1)
    examples = [example.value for example in seen.examples if example.whole]
    if examples and not from_server:
        schema["examples"] = examples
    return schema


def _words(seen: Seen) -> str:
    return in_a_row([WORDS[name] for name in seen.types], last="or").capitalize()


def with_learned(manifest: Mapping[str, Any], learned: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """``manifest``, the whole schema, extended with what :func:`shapes_schema` ``learned`` about fields.

    Editors offer and explain more, but reject nothing more: the API may accept values that aren't live, and a variable
    can replace a value. Fields that ``catalogue`` doesn't contain are offered where a manifest defines its own fields.
    """
    properties = {name: _offer(schema) for name, schema in _mapping(learned.get("properties")).items()}
    documented = {name: schema for name, schema in properties.items() if name in catalogue.declarable}
    undocumented = {name: schema for name, schema in properties.items() if name not in catalogue.fields}
    parts = manifest["$defs"]
    entries = parts[_CATALOGUE]["properties"]
    spelled = parts[_FIELDS]["$defs"]["spelled"]
    joined = {name: _joined(entries[name], schema) for name, schema in documented.items()}
    fields = {**parts[_FIELDS]["$defs"], "spelled": {**spelled, "properties": undocumented}}
    extended = {
        _CATALOGUE: {**parts[_CATALOGUE], "properties": {**entries, **joined}},
        _FIELDS: {**parts[_FIELDS], "$defs": fields},
    }
    return {**manifest, "$defs": {**parts, **extended}}


def _offer(schema: object) -> dict[str, Any]:
    """The parts of a schema that editors use for completion and hovers, without those that reject values."""
    keywords = _mapping(schema)
    offer: dict[str, Any] = {}
    if isinstance(keywords.get("description"), str):
        offer["description"] = keywords["description"]
    if isinstance(keywords.get("examples"), list):
        offer["examples"] = keywords["examples"]
    if keywords.get("type") == "boolean":
        offer["examples"] = [False, True]
    for keyword in ("items", "additionalProperties"):
        if isinstance(keywords.get(keyword), dict):
            offer[keyword] = _offer(keywords[keyword])
    if isinstance(keywords.get("properties"), dict):
        offer["properties"] = {key: _offer(inner) for key, inner in keywords["properties"].items()}
    return offer


def _joined(entry: Mapping[str, Any], offer: Mapping[str, Any]) -> dict[str, Any]:
    """The catalogue's ``entry``, which takes precedence, extended with ``offer``."""
    joined = {**offer, **entry}
    if "items" in offer:
        joined["items"] = {**offer["items"], **_mapping(entry.get("items"))}
    if "examples" in offer:
        own = entry.get("examples", [])
        joined["examples"] = [*own, *(example for example in offer["examples"] if example not in own)]
    return joined


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
