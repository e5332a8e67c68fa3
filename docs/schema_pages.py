"""The pages of what the program reads and writes, from the JSON Schemas: manifests, and its results in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from webchat_sync.domain.catalogue import load_schema

MANIFEST: Final = """\
# Manifest

<!-- Made from schemas/manifest.schema.json by `python docs/generate.py`. -->

A manifest declares the channels of one organisation, in one file or several. It's YAML 1.2 or JSON.
`webchat-sync schema manifest` prints its JSON Schema, which lets [editors](../how-to/editor.md) complete and check it.

```yaml title="channels.yaml"
version: 1
organization: ${{MOSEND_ORG_ID:-acme}}
settings:
  prune: false
defaults:
  color: "#0f766e"
channels:
  - name: Support
    welcomeMessage: Hola, ¿en qué podemos ayudarte?
    allowedDomains: [www.example.com, help.example.com]
    operatingHours:
      timezone: America/Bogota
      days: {{ mon: ["09:00-13:00", "14:00-18:00"], sat: ["09:00-13:00"] }}
    sync:
      renamedFrom: Soporte
      protect: true
      ignore: [departments]
```
```console
$ webchat-sync validate channels.yaml
Valid: 1 channel declared.
```

What you don't declare isn't managed: a field that you leave out keeps its live value. `null` clears a field that can be
cleared. Inside a declared value, everything counts: an opening day that you leave out is closed.

## YAML

Manifests are YAML 1.2, so `18:00`, `no` and `on` are text, unlike in YAML 1.1, and `010` is the number 10. Using a key
twice is an error. Where text is expected, unquoted values are read as they're written: `1.10` isn't `1.1`, and `100` is
the same as `"100"`. You can use top-level keys that start with `x-` yourself, for example for anchors.

## Variables

In any value, `${{NAME}}` is replaced by the environment variable `NAME`. `${{NAME:-default}}` has a default, in case
the variable is unset or empty. For a literal `${{`, write `$${{`. A manifest can read `MOSEND_ORG_ID`, `WEBCHAT_*`
except `WEBCHAT_SYNC_*`, and what `--allow-env` allows: see
[what a variable does](../how-to/environments.md#what-a-variable-does). Quote the value to get text; without quotes, the
result has the type that YAML gives it.

## Files

If you pass a folder, every `.yaml`, `.yml` and `.json` file in it and below it is read, except:

- hidden files and folders, `node_modules` and `site-packages`
- files whose names end with `.schema.json`
- pipelines: `azure-pipelines.yml`, `bitbucket-pipelines.yml`, and files whose names end with `.gitlab-ci.yml`
- overlays that you pass with `--overlay` in the same run
- what `webchat-sync` itself wrote, such as saved plans

Links that lead outside the repository (without Git, outside the given folder) are refused, and so are devices, FIFOs
and sockets. Error messages only quote lines from files whose first document is a mapping with `version`. In a pipeline,
`--allow-path GLOB` is required for a ledger, a [sink](#a-sink) or the folder of a command that's outside the
repository.

{tables}
"""

JSON: Final = """\
# JSON

<!-- Made from schemas/*.schema.json by `python docs/generate.py`. -->

This is what `webchat-sync` writes for other programs. `webchat-sync schema NAME` prints the JSON Schema of each
document. Within a major `format_version`, members and events are added, but never removed or given another meaning, so
ignore those that you don't know.

{tables}
"""

_MANIFEST_PARTS: Final = (
    ("The file", ()),
    ("`settings`", ("properties", "settings")),
    ("A channel", ("$defs", "channel")),
    ("`sync`", ("$defs", "sync")),
    ("`identitySecret`", ("$defs", "identitySecret")),
    ("A sink", ("$defs", "sink")),
)
_PLURALS: Final = {"string": "strings", "object": "objects", "any type": "values of any type"}
_RESULTS: Final = ("plan", "report", "events", "drift", "shapes")


def manifest_page() -> str:
    """The page of manifests, in Markdown."""
    schema = load_schema("manifest")
    return MANIFEST.format(tables="\n".join(_manifest_parts(schema)).rstrip())


def _manifest_parts(schema: Mapping[str, Any]) -> Iterator[str]:
    for title, path in _MANIFEST_PARTS:
        part = schema
        for key in path:
            part = part[key]
        yield f"## {title}\n"
        if path:
            yield f"{part['description']}\n"
        if title == "A channel":
            yield "In addition to `sync`, it contains the [fields of a channel](fields.md). `name` is required.\n"
        yield _table(
            ["key", "what it says"],
            (_manifest_row(name, entry, schema) for name, entry in part["properties"].items()),
        )


def _manifest_row(name: str, entry: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    whole = {**_followed(entry, schema), **entry}
    default = f", default {_code(whole['default'])}" if "default" in whole else ""
    example = f" Example: {_code(whole['examples'][0])}." if "examples" in whole else ""
    return [f"`{name}`", f"*{_type(whole, schema)}{default}.* {whole.get('description', '')}{example}"]


def json_page() -> str:
    """The page of the results in JSON, in Markdown."""
    return JSON.format(tables="\n".join(line for name in _RESULTS for line in _result(load_schema(name))).rstrip())


def _result(schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {_title(schema)}\n"
    yield f"{schema['description'].partition(' Members ')[0]}\n"
    yield from _members(schema, schema)
    for name, part in schema.get("$defs", {}).items():
        if "properties" in part:
            yield f"### {_title(schema)}: {name}\n"
            if "description" in part:
                yield f"{part['description']}\n"
            yield from _members(part, schema)


def _title(schema: Mapping[str, Any]) -> str:
    title: str = schema["title"]
    return title.removeprefix("webchat-sync ").capitalize()


def _members(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    required = part.get("required", [])
    yield _table(
        ["member", "what it says"],
        (
            [
                f"`{name}`" + ("" if name in required else " (may be absent)"),
                f"*{_type(entry, schema)}.* {entry.get('description', '')}",
            ]
            for name, entry in part["properties"].items()
        ),
    )
    for name, entry in part["properties"].items():
        inner = entry.get("items", {})
        if "properties" in inner:
            yield f"Each of `{name}`:\n"
            yield from _members(inner, schema)


def _type(entry: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The type in words; an alternative for a variable is left out, since every value may be one."""
    if "$ref" in entry:
        name = entry["$ref"].rpartition("/")[2]
        holder, target = _holder(entry["$ref"], schema), _followed(entry, schema)
        has_table = holder["title"] != "webchat-sync manifest" and "properties" in target
        return f"[{name}](#{_title(holder).lower()}-{name.lower()})" if has_table else _type(target, holder)
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in entry and "type" not in entry:
            kept = [each for each in entry[alternatives] if not each.get("$ref", "").endswith("/variable")]
            return " or ".join(dict.fromkeys(_type(each, schema) for each in kept))
    if "enum" in entry:
        return " or ".join(map(_code, entry["enum"]))
    if "const" in entry:
        return f"`{entry['const']}`"
    types = entry.get("type", "any type")
    if types == "array":
        inner = _type(entry["items"], schema) if "items" in entry else "any type"
        return f"list of {_PLURALS.get(inner, inner)}"
    return " or ".join(types) if isinstance(types, list) else str(types)


def _followed(entry: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference inside the schema, or to another schema, leads to; else the entry."""
    if "$ref" not in entry:
        return entry
    found: Any = _holder(entry["$ref"], schema)
    for key in entry["$ref"].partition("#")[2].strip("/").split("/"):
        found = found[key]
    followed: Mapping[str, Any] = found
    return followed


def _holder(reference: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that a reference inside ``schema`` leads into: itself, or another file."""
    file = reference.partition("#")[0]
    return load_schema(file.partition(".")[0]) if file else schema


def _table(heads: list[str], rows: Iterator[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in lines) + "\n"


def _code(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"
