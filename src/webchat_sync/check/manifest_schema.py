"""What a manifest must contain: its own schema describes the frame, the catalogue the fields of channels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from typing import Any, Final

from webchat_sync.check.advice import adviser
from webchat_sync.check.schema import Check, Written, unknown_key
from webchat_sync.domain.catalogue import Catalogue, schema_path
from webchat_sync.domain.spelling import nearest
from webchat_sync.errors import Diagnostic
from webchat_sync.frozen import frozen
from webchat_sync.model import Json

_NEWER: Final = "If Mosend added the field after this release, list it in `settings.extraFields`."
_SURELY: Final = 0.95
"""The similarity to a known field's name that can only be a misspelling; that of `bubbleOffsetY` is lower."""

_MAPPING: Final = {"type": "object"}
ANYTHING: Final = {"type": ["string", "number", "boolean", "array", "object", "null"]}
_FRAME: Final = ("type", "required", "properties", "patternProperties", "additionalProperties")
_VARIABLE: Final = {"$ref": "fields.schema.json#/$defs/variable"}


@frozen
class Entries:
    """The entries of a mapping of fields: a check for every known field, and a reason and a hint for refused ones.

    ``elsewhere`` says where keys belong that are known in other mappings; ``advise``: warn about accepted values.
    """

    known: Mapping[str, Check]
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    advise: bool = True

    def problems(self, values: Mapping[str, Json], written: Written) -> Iterator[Diagnostic]:
        """Everything that's wrong with the keys and the values of ``values``, without places."""
        for name, value in values.items():
            check = self.known.get(name)
            if check is None:
                yield self._stranger(name)
                continue
            wrong = () if check.accepts(value) else tuple(check.problems(value, _below(written, name)))
            advice = check.advise(value) if self.advise and check.advise and not wrong else ()
            for problem in (*wrong, *advice):
                yield problem.below(name)

    def _stranger(self, name: str) -> Diagnostic:
        if name in self.refused:
            message, hint = self.refused[name]
            return Diagnostic(message, steps=(name,), hint=hint, code="misplaced-key", at_key=True)
        problem = unknown_key((name,), self.known, self.elsewhere)
        if name in self.elsewhere or nearest(name, self.known, likeness=_SURELY):
            return problem
        return replace(problem, hint=f"{problem.hint} {_NEWER}")


def _below(written: Written, name: str) -> Written:
    return lambda path: written((name, *path))


@frozen
class ManifestSchema:
    """The checks of a whole document; ``frame`` excludes the contents of ``defaults`` and ``channels``.

    ``fields`` are the names of all fields that a channel can declare, in the catalogue's order; those in ``extra``,
    which the catalogue doesn't have, come last.
    """

    fields: tuple[str, ...]
    extra: frozenset[str]
    frame: Check
    defaults: Entries
    channel: Entries

    def without_advice(self) -> ManifestSchema:
        """The same without warnings about accepted values."""
        defaults, channel = (replace(entries, advise=False) for entries in (self.defaults, self.channel))
        return replace(self, defaults=defaults, channel=channel)


def manifest_schema(
    catalogue: Catalogue, extra_fields: Mapping[str, Mapping[str, Json]] | None = None
) -> ManifestSchema:
    """The checks that follow from ``catalogue`` and from the schema of manifests.

    ``extra_fields`` are fields that the catalogue lacks or has wrong, each with its entry; with an empty entry, a field
    accepts any value.
    """
    extra_fields = extra_fields or {}
    extra = sorted(name for name in extra_fields if name not in catalogue.fields and name != "sync")
    owned = {name for name, known in catalogue.fields.items() if known.read_only}
    usable = {name: entry for name, entry in extra_fields.items() if entry and name not in {"sync", *owned}}
    catalogue = catalogue.extended(usable)
    schema = json.loads(schema_path("manifest").read_text(encoding="utf-8"), object_hook=_filled_in)
    sync = {**schema["$defs"]["sync"], "$defs": schema["$defs"]}
    fields = {name: Check(entry.schema, advise=adviser(entry)) for name, entry in catalogue.declarable.items()}
    fields |= {name: Check(ANYTHING) for name in extra if name not in catalogue.fields}
    server_owned = {
        name: (f"`{name}` is set by the server and can't be declared", "Remove it.")
        for name, entry in catalogue.fields.items()
        if entry.read_only
    }
    belongs_to_one = {
        name: (f"`{name}` belongs to one channel and can't be a default", "Write it in the channel.")
        for name in ("name", "sync")
    }
    return ManifestSchema(
        fields=tuple(fields),
        extra=frozenset(extra),
        frame=_frame(schema, fields),
        defaults=Entries({name: fields[name] for name in fields if name != "name"}, {**server_owned, **belongs_to_one}),
        channel=Entries(
            {**fields, "sync": _sync(sync, fields)},
            server_owned,
            dict.fromkeys(sync["properties"], "under `sync:`"),
        ),
    )


def _filled_in(schema: dict[str, Any]) -> dict[str, Any]:
    """``schema``, which lets editors accept variables, for a value whose variables are replaced."""
    if _VARIABLE not in schema.get("anyOf", ()):
        return schema
    (known,) = (alternative for alternative in schema["anyOf"] if alternative != _VARIABLE)
    return {**known, **{keyword: value for keyword, value in schema.items() if keyword != "anyOf"}}


def _frame(schema: Mapping[str, Any], fields: Mapping[str, Check]) -> Check:
    properties = {**schema["properties"], "defaults": _MAPPING, "channels": {"type": "array", "items": _MAPPING}}
    properties["settings"] = _without_entries(properties["settings"])
    elsewhere = {
        **dict.fromkeys(fields, "in a channel or under `defaults:`"),
        **dict.fromkeys(properties["settings"]["properties"], "under `settings:`"),
        **dict.fromkeys(schema["$defs"]["sync"]["properties"], "under `sync:` in a channel"),
    }
    return Check({**{keyword: schema[keyword] for keyword in _FRAME}, "properties": properties}, elsewhere)


def _without_entries(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of the settings without the catalogue's entries, which are checked separately."""
    own = settings["properties"]["extraFields"]
    extra = {keyword: value for keyword, value in own.items() if keyword != "additionalProperties"}
    return {**settings, "properties": {**settings["properties"], "extraFields": extra}}


def _sync(schema: Mapping[str, Any], fields: Mapping[str, Check]) -> Check:
    names = {"type": "string", "enum": list(fields)}
    ignore = {**schema["properties"]["ignore"], "items": names}
    return Check(
        {**schema, "properties": {**schema["properties"], "ignore": ignore}},
        dict.fromkeys(fields, "in the channel, outside `sync:`"),
    )
