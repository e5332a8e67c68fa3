"""Brings ``schemas/fields.schema.json`` up to ``schemas/channel.schema.json``: ``python scripts/update_schemas.py``.

It is due after a field was added, removed or renamed, and a test says so. Editors need it because they see
``${NAME}`` where the value of a field will be, and JSON Schema cannot allow that in every field without naming each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

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
        },
    }


def _entry(name: str, field: Mapping[str, Any]) -> dict[str, Any]:
    known = {"$ref": f"channel.schema.json#/properties/{name}"}
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    if set(types) <= {"array", "object", "null"}:
        return known  # a variable stands for one value, never for a list or a mapping
    return {"if": known, "anyOf": [known, {"$ref": "#/$defs/variable"}]}


def main() -> None:
    """Write the file anew."""
    channel = json.loads((SCHEMAS / "channel.schema.json").read_text(encoding="utf-8"))
    file = SCHEMAS / "fields.schema.json"
    updated = update(json.loads(file.read_text(encoding="utf-8")), channel)
    file.write_text(json.dumps(updated, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
