"""Updates the schemas from their sources: ``python scripts/update_schemas.py``.

``schemas/fields.schema.json`` follows ``schemas/channel.schema.json``, and the sinks in the schemas of manifests and
plans follow the registry of sinks.

It's needed after a field was added, removed or renamed, and a test says so. Editors need it because they see
``${NAME}`` instead of a field's value, and JSON Schema can't allow that in every field without naming each.
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
    # A pattern, since editors would suggest a property twice.
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
    """A pattern for near misses of ``names``: one letter too many, missing or wrong, or another case.

    If a manifest defines fields of its own, JSON Schema can't know which: everything but these is accepted then.
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
        return known  # a variable is a single value, never a list or a mapping
    return {"if": known, "anyOf": [known, {"$ref": "#/$defs/variable"}]}


_TEXT: Final = {"type": "string"}


def manifest_sink() -> dict[str, Any]:
    """The definition of a sink in the manifest's schema."""
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
                "examples": [["test", "-x", "deliver.sh"]],
            },
        },
        "additionalProperties": False,
    }


def plan_sink() -> dict[str, Any]:
    """The definition of a sink in the plan's schema."""
    argv = {"type": "array", "items": {"type": "string"}}
    # In a plan, the additional key of a kind is always called `key`.
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
    """``text``, a schema, with that definition of ``sink``; the layout of the rest stays."""
    written = json.dumps({"sink": sink}, indent=2, ensure_ascii=False)[4:-2].replace("\n", "\n  ")
    return re.sub(r'    "sink": \{\n.*?\n    \}', lambda _: f"    {written}", text, count=1, flags=re.DOTALL)


def main() -> None:
    """Write the files."""
    for name, sink in (("manifest", manifest_sink()), ("plan", plan_sink())):
        schema = SCHEMAS / f"{name}.schema.json"
        schema.write_text(with_sink(schema.read_text(encoding="utf-8"), sink), encoding="utf-8")
    channel = json.loads((SCHEMAS / "channel.schema.json").read_text(encoding="utf-8"))
    file = SCHEMAS / "fields.schema.json"
    updated = update(json.loads(file.read_text(encoding="utf-8")), channel)
    file.write_text(json.dumps(updated, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
