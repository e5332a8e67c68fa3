"""Checks the entries of the field catalogue that a manifest brings along, which others go by from then on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from webchat_sync.check.schema import Check
from webchat_sync.domain.catalogue import whole_schema
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.jsonvalue import show
from webchat_sync.model import Json


def entry_findings(entry: Mapping[str, Json]) -> Iterator[Diagnostic]:
    """Everything that keeps ``entry`` from being one of the catalogue, as ``$defs/fieldEntry`` describes it."""
    findings = tuple(_check().problems(dict(entry)))
    yield from findings
    if not findings:
        for path, pattern in _patterns(entry, ()):
            if reason := _flaw(pattern):
                hint = "It is a regular expression, such as `^[a-z]+$`."
                yield Diagnostic(f"{show(pattern)} is no pattern: {reason}", steps=path, hint=hint, code="form")


@cache
def _check() -> Check:
    definitions = whole_schema("manifest")["$defs"]
    return Check({**definitions["fieldEntry"], "$defs": definitions})


def _patterns(schema: Mapping[str, Json], path: Path) -> Iterator[tuple[Path, str]]:
    pattern, items, properties = schema.get("pattern"), schema.get("items"), schema.get("properties")
    if isinstance(pattern, str):
        yield (*path, "pattern"), pattern
    if isinstance(items, dict):
        yield from _patterns(items, (*path, "items"))
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        if isinstance(inner, dict):
            yield from _patterns(inner, (*path, "properties", name))


def _flaw(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return ""
