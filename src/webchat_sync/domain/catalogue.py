"""The field catalogue: what we know about every field of a channel, read from one schema file.

``schemas/channel.schema.json`` is the only list of fields. The diff, the split into create and PATCH, validation, the
emulator and the documentation use the :class:`Catalogue` read from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Literal

from webchat_sync.frozen import frozen
from webchat_sync.model import ImpactLevel, Json

ANNOTATION: Final = "x-webchat-sync"
"""The keyword for everything that JSON Schema can't express; see ``$defs/annotation`` in the schema."""


@frozen
class Shape:
    """How two values of one place are compared, according to the catalogue.

    ``properties`` and ``items`` describe inner values. A place that no schema describes has the plain ``Shape()``:
    exact texts, atomic lists.
    """

    list_type: Literal["atomic", "set", "map"] = "atomic"
    list_keys: tuple[str, ...] = ()
    server_keys: frozenset[str] = frozenset()
    compare: Literal["exact", "trimmed", "caseless", "host"] = "exact"
    properties: Mapping[str, Shape] = field(default_factory=dict)
    items: Shape | None = None


PLAIN: Final = Shape()


@frozen
class ImpactRule:
    """What a change of a field means for visitors: ``when`` the rule applies, and its ``text``."""

    when: str
    level: ImpactLevel
    code: str
    text: str


@frozen
class Field:
    """One field of a channel. ``schema`` is its entry in the catalogue.

    ``create``: POST accepts it. ``nullable``: null clears it. ``read_only``: only the server sets it.
    """

    name: str
    schema: Mapping[str, Any]
    create: bool
    nullable: bool
    read_only: bool
    shape: Shape
    impact: tuple[ImpactRule, ...] = ()

    @property
    def description(self) -> str:
        """The description of the field, as an editor shows it (Markdown)."""
        return str(self.schema.get("description", ""))

    @property
    def source(self) -> Literal["doc", "spec"]:
        """The source of the entry: the vendor's reference page, or its OpenAPI document and SDK types."""
        source: Literal["doc", "spec"] = self.schema[ANNOTATION]["source"]
        return source

    @property
    def opaque(self) -> bool:
        """Whether the structure of its values isn't documented."""
        return _opaque(self.schema)

    @property
    def newer_create(self) -> bool:
        """Whether newer servers also accept it on POST."""
        return bool(self.schema.get(ANNOTATION, {}).get("newerCreate", False))

    @property
    def advice(self) -> str | None:
        """The kind of advice for values that are accepted but look wrong; None for no advice."""
        advice: str | None = self.schema.get(ANNOTATION, {}).get("advice")
        return advice

    @property
    def emulated_default(self) -> Json:
        """The value that the emulator gives this field on a new channel."""
        default: Json = self.schema.get(ANNOTATION, {}).get("emulated")
        return default


@frozen
class Catalogue:
    """Every field by name, in the order of the schema file. ``schema`` is the whole document."""

    schema: Mapping[str, Any]
    fields: Mapping[str, Field]

    @property
    def declarable(self) -> Mapping[str, Field]:
        """The fields that a manifest can declare: all that aren't read-only."""
        return {name: entry for name, entry in self.fields.items() if not entry.read_only}

    def shape(self, name: str) -> Shape:
        """How values of the field ``name`` are compared; a field that isn't in the catalogue is plain."""
        known = self.fields.get(name)
        return known.shape if known else PLAIN

    def extended(self, entries: Mapping[str, Mapping[str, Any]]) -> Catalogue:
        """This catalogue with ``entries``, by name: new fields are added, known ones corrected.

        Each entry must match ``$defs/fieldEntry`` in the schema of manifests.
        """
        if not entries:
            return self
        schemas = {name: _corrected(self.fields.get(name), entry) for name, entry in entries.items()}
        return Catalogue(
            schema={**self.schema, "properties": {**self.schema["properties"], **schemas}},
            fields={**self.fields, **{name: _field(name, schema) for name, schema in schemas.items()}},
        )


def load_catalogue(schema: Mapping[str, Any] | None = None) -> Catalogue:
    """The catalogue in ``schema``, a JSON Schema document; by default, the one that the project ships."""
    document = load_schema("channel") if schema is None else schema
    return Catalogue(
        schema=document,
        fields={name: _field(name, entry) for name, entry in document["properties"].items()},
    )


def load_schema(name: str) -> dict[str, Any]:
    """The shipped JSON Schema ``schemas/<name>.schema.json``."""
    document: dict[str, Any] = json.loads(schema_path(name).read_text(encoding="utf-8"))
    return document


def whole_schema(name: str) -> dict[str, Any]:
    """The shipped schema ``name`` with the schemas that it refers to embedded."""
    root = schema_path(name)
    parts: dict[str, dict[str, Any]] = {}

    def read(file: str) -> None:
        def embed(schema: dict[str, Any]) -> dict[str, Any]:
            if "$ref" not in schema:
                return schema
            target, _, pointer = schema["$ref"].partition("#")
            target = target or file
            if target not in parts:
                read(target)
            return {**schema, "$ref": f"#{pointer}" if target == root.name else f"#/$defs/{target}{pointer}"}

        parts[file] = {}  # so that a schema that refers to itself isn't read again
        parts[file] = json.loads(root.with_name(file).read_text(encoding="utf-8"), object_hook=embed)

    read(root.name)
    whole = parts.pop(root.name)
    for part in parts.values():
        del part["$schema"]
        part.pop("$id", None)  # it would change the meaning of references inside it
    return {**whole, "$defs": {**whole.get("$defs", {}), **parts}} if parts else whole


def schema_path(name: str) -> Path:
    """The path of ``<name>.schema.json``: inside an installed package, or else in the checkout."""
    package = Path(__file__).parent.parent
    installed = package / "schemas"
    folder = installed if installed.is_dir() else package.parents[1] / "schemas"
    return folder / f"{name}.schema.json"


def _corrected(known: Field | None, entry: Mapping[str, Any]) -> dict[str, Any]:
    before = known.schema if known else {}
    return {**before, **entry, ANNOTATION: {**before.get(ANNOTATION, {}), **entry.get(ANNOTATION, {})}}


def _field(name: str, entry: Mapping[str, Any]) -> Field:
    types = entry.get("type", [])
    annotation = entry.get(ANNOTATION, {})
    return Field(
        name=name,
        schema=entry,
        create=bool(annotation.get("create", False)),
        nullable="null" in (types if isinstance(types, list) else [types]),
        read_only=bool(entry.get("readOnly", False)),
        shape=_shape(entry),
        impact=tuple(ImpactRule(**rule) for rule in annotation.get("impact", ())),
    )


def _opaque(schema: Mapping[str, Any]) -> bool:
    """Whether the values can be mappings, or lists of them, and ``schema`` names none of their keys."""
    types = schema.get("type", [] if "enum" in schema else ["object"])
    inner = schema.get("items", {})
    return ("object" in types and not schema.get("properties")) or ("array" in types and _opaque(inner))


def _shape(entry: Mapping[str, Any]) -> Shape:
    annotation = entry.get(ANNOTATION, {})
    items = entry.get("items")
    return Shape(
        list_type=annotation.get("listType", "atomic"),
        list_keys=tuple(annotation.get("listMapKeys", ())),
        server_keys=frozenset(annotation.get("serverKeys", ())),
        compare=annotation.get("compare", "exact"),
        properties={name: _shape(inner) for name, inner in entry.get("properties", {}).items()},
        items=_shape(items) if isinstance(items, Mapping) else None,
    )
