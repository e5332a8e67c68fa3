"""Checks the entries of the field catalogue that a manifest contains, since all later steps rely on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Final

from webchat_sync.check.pattern_cost import Limits, pattern_flaw
from webchat_sync.check.schema import Check
from webchat_sync.domain.catalogue import whole_schema
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.model import Json

_LONGEST: Final = 10_000
"""The text length to count steps for, unless `maxLength` is lower."""

_MOST_CHARACTERS, _MOST_STEPS = 1_000, 1_000_000
"""The limits of a pattern: that many steps take some milliseconds."""


def entry_findings(entry: Mapping[str, Json]) -> Iterator[Diagnostic]:
    """Everything that makes ``entry`` an invalid entry of the catalogue, according to ``$defs/fieldEntry``."""
    findings = tuple(_check().problems(dict(entry)))
    yield from findings
    if not findings:
        for path, pattern, length in _patterns(entry, ()):
            flaw = pattern_flaw(pattern, Limits(_MOST_CHARACTERS, length, _MOST_STEPS))
            if flaw:
                yield replace(flaw, steps=path, code="form")


@cache
def _check() -> Check:
    definitions = whole_schema("manifest")["$defs"]
    return Check({**definitions["fieldEntry"], "$defs": definitions})


def _patterns(schema: Mapping[str, Json], path: Path) -> Iterator[tuple[Path, str, int]]:
    """Every pattern with its path, and the maximum length of the texts that it's matched with."""
    pattern, items, properties = schema.get("pattern"), schema.get("items"), schema.get("properties")
    longest = schema.get("maxLength")
    if isinstance(pattern, str):
        yield (*path, "pattern"), pattern, min(longest, _LONGEST) if isinstance(longest, int) else _LONGEST
    if isinstance(items, dict):
        yield from _patterns(items, (*path, "items"))
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        if isinstance(inner, dict):
            yield from _patterns(inner, (*path, "properties", name))
