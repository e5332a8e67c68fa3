"""The field catalogue: what the project knows about every field of a channel, read from one schema file.

``schemas/channel.schema.json`` is the only place that lists fields. The diff, the create/PATCH split, the
validation, the emulator and the documentation ask the :class:`Catalogue` made from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from webchat_sync.model import ImpactLevel, Json

ANNOTATION: Final = "x-webchat-sync"
"""The one keyword that carries what JSON Schema has no word for; see ``$defs/annotation`` in the schema."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How two values of one place are compared, as far as the catalogue says anything about it.

    ``properties`` and ``items`` describe the values inside. A place that no schema describes has the plain
    ``Shape()``: texts exact, lists atomic.
    """

    list_type: Literal["atomic", "set", "map"] = "atomic"
    list_keys: tuple[str, ...] = ()
    server_keys: frozenset[str] = frozenset()
    compare: Literal["exact", "trimmed", "caseless", "host"] = "exact"
    properties: Mapping[str, Shape] = field(default_factory=dict)
    items: Shape | None = None


PLAIN: Final = Shape()


@dataclass(frozen=True, slots=True)
class ImpactRule:
    """What a change of a field means to visitors: ``when`` it means anything, and what is said of it then."""

    when: str
    level: ImpactLevel
    code: str
    text: str


@dataclass(frozen=True, slots=True)
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
        """The field in words, as an editor's hover shows it (Markdown)."""
        return str(self.schema.get("description", ""))

    @property
    def source(self) -> Literal["doc", "spec"]:
        """Where the fact comes from: the vendor's reference page, or its OpenAPI document and SDK types."""
        source: Literal["doc", "spec"] = self.schema[ANNOTATION]["source"]
        return source

    @property
    def opaque(self) -> bool:
        """Whether nobody has published what is inside its values."""
        return _opaque(self.schema)

    @property
    def newer_create(self) -> bool:
        """Whether newer servers take it on POST, too."""
        return bool(self.schema.get(ANNOTATION, {}).get("newerCreate", False))

    @property
    def advice(self) -> str | None:
        """Which advice there is about values that are accepted and look wrong all the same; None for no advice."""
        advice: str | None = self.schema.get(ANNOTATION, {}).get("advice")
        return advice

    @property
    def emulated_default(self) -> Json:
        """The value that the emulator gives this field on a new channel."""
        default: Json = self.schema.get(ANNOTATION, {}).get("emulated")
        return default


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every field by name, in the order of the schema file. ``schema`` is the whole document."""

    schema: Mapping[str, Any]
    fields: Mapping[str, Field]

    @property
    def declarable(self) -> Mapping[str, Field]:
        """The fields that a manifest may declare: all that the server does not own."""
        return {name: entry for name, entry in self.fields.items() if not entry.read_only}

    def shape(self, name: str) -> Shape:
        """How values of the field ``name`` are compared; a field not in the catalogue is plain."""
        known = self.fields.get(name)
        return known.shape if known else PLAIN

    def extended(self, entries: Mapping[str, Mapping[str, Any]]) -> Catalogue:
        """This catalogue with ``entries``, by name: a new field is added, and what is said of a known one replaced.

        Each must be as ``$defs/fieldEntry`` of the schema of manifests describes it.
        """
        if not entries:
            return self
        schemas = {name: _corrected(self.fields.get(name), entry) for name, entry in entries.items()}
        return Catalogue(
            schema={**self.schema, "properties": {**self.schema["properties"], **schemas}},
            fields={**self.fields, **{name: _field(name, schema) for name, schema in schemas.items()}},
        )


def load_catalogue(schema: Mapping[str, Any] | None = None) -> Catalogue:
    """The catalogue of ``schema``, a JSON Schema document; without one, of the schema that the project ships."""
    document = load_schema("channel") if schema is None else schema
    return Catalogue(
        schema=document,
        fields={name: _field(name, entry) for name, entry in document["properties"].items()},
    )


def load_schema(name: str) -> dict[str, Any]:
    """The shipped JSON Schema ``schemas/<name>.schema.json`` as a dictionary."""
    document: dict[str, Any] = json.loads(schema_path(name).read_text(encoding="utf-8"))
    return document


def whole_schema(name: str) -> dict[str, Any]:
    """The shipped schema ``name`` with those that it refers to put inside it, so that it can stand alone."""
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

        parts[file] = {}  # a schema that refers to itself is not read again
        parts[file] = json.loads(root.with_name(file).read_text(encoding="utf-8"), object_hook=embed)

    read(root.name)
    whole = parts.pop(root.name)
    for part in parts.values():
        del part["$schema"]
        part.pop("$id", None)  # it would change what the references inside mean
    return {**whole, "$defs": {**whole.get("$defs", {}), **parts}} if parts else whole


def schema_path(name: str) -> Path:
    """Where ``<name>.schema.json`` lies: inside the package when installed from a wheel, else in the checkout."""
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
    """Whether the values may be mappings, or lists of them, and ``schema`` names no key of those."""
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
