"""Keeps texts as they're written if YAML would convert them: a name ``1.10`` isn't the number 1.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from typing import Any, Final

from webchat_sync.domain.catalogue import Catalogue, load_schema
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import as_json
from webchat_sync.model import Json
from webchat_sync.yaml12.document import Document

_TYPED: Final = frozenset({"number", "integer", "boolean"})


@frozen
class Texts:
    """Where texts are expected in a value: ``here``, under some keys, in every item of a list."""

    here: bool = False
    properties: Mapping[str, Texts] = field(default_factory=dict)
    items: Texts | None = None

    def __bool__(self) -> bool:
        return self.here or bool(self.properties) or self.items is not None


def texts_of(catalogue: Catalogue) -> Texts:
    """Where texts are expected in a manifest."""
    schema = load_schema("manifest")
    own = schema["properties"]
    fields = {name: texts for name, entry in catalogue.declarable.items() if (texts := _texts(entry.schema, schema))}
    sync = _texts(schema["$defs"]["sync"], schema)
    return Texts(
        properties={
            **{name: _texts(own[name], schema) for name in ("organization", "settings")},
            "defaults": Texts(properties=fields),
            "channels": Texts(items=Texts(properties={**fields, "sync": sync})),
        }
    )


def as_written(document: Document, texts: Texts) -> Document:
    """``document`` with its texts as they're written."""
    value = _as_written(document, document.value, texts, ())
    return document if value is document.value else replace(document, value=value)


def numbers(document: Document) -> Iterator[Diagnostic]:
    """A warning for every number inside a field whose spelling JSON would change: ``1.10``, ``007``, ``+34``.

    The structure isn't documented, so a text may be meant. In JSON files, it's a number.
    """
    if not document.spelled or not isinstance(document.value, dict) or document.source.name.endswith(".json"):
        return
    channels = document.value.get("channels")
    listed = enumerate(channels) if isinstance(channels, list) else ()
    above: list[tuple[Path, Json]] = [(("channels", index), channel) for index, channel in listed]
    for path, fields in [(("defaults",), document.value.get("defaults")), *above]:
        for name, value in fields.items() if isinstance(fields, dict) else ():
            if name != "sync" and isinstance(value, dict | list):
                yield from _respelled(document, value, (*path, name))


def _respelled(document: Document, value: Json, path: Path) -> Iterator[Diagnostic]:
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _respelled(document, inner, (*path, step))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        written, number = document.text(path), as_json(value)
        if written != number:
            yield Diagnostic(
                f"`{written}` is read as the number {number}",
                document.place(path),
                steps=document.steps(path),
                hint=f'If you mean text, quote it: `"{written}"`. Otherwise, write `{number}`.',
                severity="warning",
                code="scalar",
            )


def _as_written(document: Document, value: Json, texts: Texts, path: Path) -> Json:
    if isinstance(value, (bool, int, float)):
        return document.text(path) if texts.here else value
    # Most values are texts already, or no text is expected.
    if isinstance(value, dict) and texts.properties:
        changed: dict[str, Json] = {}
        for key, inner in value.items():
            if type(inner) is not str and (below := texts.properties.get(key)) is not None:
                text = _as_written(document, inner, below, (*path, key))
                if text is not inner:
                    changed[key] = text
        return {**value, **changed} if changed else value
    if isinstance(value, list) and texts.items is not None:
        items = [
            item if type(item) is str else _as_written(document, item, texts.items, (*path, index))
            for index, item in enumerate(value)
        ]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _texts(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Texts:
    alternatives = list(_alternatives(schema, root))
    types = {name for one in alternatives for name in _types(one)}
    properties = {
        name: texts
        for one in alternatives
        for name, inner in one.get("properties", {}).items()
        if isinstance(inner, Mapping) and (texts := _texts(inner, root))
    }
    items = next((texts for one in alternatives if "items" in one and (texts := _texts(one["items"], root))), None)
    # A value that can be any scalar is a name, such as a rotation's.
    return Texts("string" in types and (not types & _TYPED or types >= {"number", "boolean"}), properties, items)


def _alternatives(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """``schema`` and the schemas it refers to, one of which applies; other documents contain none of our texts."""
    yield schema
    for other in schema.get("anyOf", ()):
        yield from _alternatives(other, root)
    reference = schema.get("$ref", "")
    if reference.startswith("#/") and not reference.endswith(("/fieldEntry", "/annotation")):
        target: Any = root
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        yield from _alternatives(target, root)


def _types(schema: Mapping[str, Any]) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)
