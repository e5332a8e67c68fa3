"""Brings the schemas up to what they are made of: ``python scripts/update_schemas.py``.

``schemas/fields.schema.json`` follows ``schemas/channel.schema.json``, and the sinks in the schemas of the manifest
and of the plan follow the registry of sinks.

It is due after a field was added, removed or renamed, and a test says so. Editors need it because they see
``${NAME}`` where the value of a field will be, and JSON Schema cannot allow that in every field without naming each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from webchat_sync.secrets.sinks.registry import DECLARABLE, manifest_properties

SCHEMAS: Final = Path(__file__).resolve().parents[1] / "schemas"


_CLOSED: Final = {
    # A pattern, since editors would offer a property a second time.
    "patternProperties": {"^sync$": {"patternProperties": {"^ignore$": {"items": {"$ref": "#/$defs/name"}}}}},
    "additionalProperties": False,
}


def update(fields: Mapping[str, Any], channel: Mapping[str, Any]) -> dict[str, Any]:
    """``fields``, the one schema, with the fields of ``channel``, the other one."""
    declarable = {name: each for name, each in channel["properties"].items() if not each.get("readOnly")}
    return {
        **fields,
        "$defs": {
            **fields["$defs"],
            "name": {"enum": list(declarable)},
            "fields": {"properties": {name: _entry(name, declarable[name]) for name in declarable if name != "name"}},
            "only": {"properties": dict.fromkeys(declarable, True), **_CLOSED},
            "spelled": {"patternProperties": {_misspelt(declarable): False}},
        },
    }


def _misspelt(names: Iterable[str]) -> str:
    """A pattern of what is nearly one of ``names``: one letter too many, missing or wrong, or another case.

    Where a manifest names fields of its own, JSON Schema cannot tell which: all but these pass then.
    """
    return f"^(?!(?:{'|'.join(names)}|sync)$)(?:{'|'.join(map(_nearly, names))})$"


def _nearly(name: str) -> str:
    wrong = [f"{name[:at]}.?{name[at + 1 :]}" for at in range(len(name))]
    more = [f"{name[:at]}.{name[at:]}" for at in range(len(name) + 1)]
    otherwise = "[_-]?".join(f"[{letter.lower()}{letter.upper()}]" for letter in name)
    return "|".join([*wrong, *more, otherwise])


def _entry(name: str, field: Mapping[str, Any]) -> dict[str, Any]:
    known = {"$ref": f"channel.schema.json#/properties/{name}"}
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    if set(types) <= {"array", "object", "null"}:
        return known  # a variable stands for one value, never for a list or a mapping
    return {"if": known, "anyOf": [known, {"$ref": "#/$defs/variable"}]}


_TEXT: Final = {"type": "string"}


def manifest_sink() -> dict[str, Any]:
    """What the schema of the manifest says of a sink."""
    names = [f"`{name}` with `{'`, `'.join(more)}`" if more else f"`{name}`" for name, more in _options().items()]
    return {
        "type": "object",
        "description": f"A place that receives a new secret: {', '.join(names[:-1])}, or {names[-1]}. Relative paths "
        "start at the manifest's folder, and commands run there.",
        "properties": {
            **manifest_properties(),
            "probe": {
                "$ref": "#/$defs/argv",
                "description": "A program that succeeds if the sink will accept the secret. It runs before anything is "
                "rotated.",
            },
        },
        "additionalProperties": False,
    }


def plan_sink() -> dict[str, Any]:
    """What the schema of the plan says of a sink."""
    argv = {"type": "array", "items": {"type": "string"}}
    # A plan has the further key of a kind as `key`, whatever it is called in a manifest.
    names = [f"`{name}` with `key`" if more else f"`{name}`" for name, more in _options().items()]
    kinds = {name: argv if "argv" in str(kind.schema[name]) else _TEXT for name, kind in DECLARABLE.items()}
    return {
        "description": f"{', '.join(names[:-1])}, or {names[-1]}, each relative to `folder`.",
        "type": "object",
        "required": ["folder"],
        "properties": {**kinds, "key": _TEXT, "probe": argv, "folder": _TEXT},
        "oneOf": [{"required": [name]} for name in DECLARABLE],
    }


def _options() -> dict[str, list[str]]:
    return {name: [option for option in kind.schema if option != name] for name, kind in DECLARABLE.items()}


def with_sink(text: str, sink: Mapping[str, Any]) -> str:
    """``text``, a schema, with that definition of ``sink``; the rest stays as it is laid out."""
    written = json.dumps({"sink": sink}, indent=2, ensure_ascii=False)[4:-2].replace("\n", "\n  ")
    return re.sub(r'    "sink": \{\n.*?\n    \}', lambda _: f"    {written}", text, count=1, flags=re.DOTALL)


def main() -> None:
    """Write the files anew."""
    for name, sink in (("manifest", manifest_sink()), ("plan", plan_sink())):
        schema = SCHEMAS / f"{name}.schema.json"
        schema.write_text(with_sink(schema.read_text(encoding="utf-8"), sink), encoding="utf-8")
    channel = json.loads((SCHEMAS / "channel.schema.json").read_text(encoding="utf-8"))
    file = SCHEMAS / "fields.schema.json"
    updated = update(json.loads(file.read_text(encoding="utf-8")), channel)
    file.write_text(json.dumps(updated, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
