"""Checks the entries of the field catalogue that a manifest contains, since all later steps rely on them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from webchat_sync.check.pattern_cost import LONGEST, MOST_WAYS, is_plain, ways
from webchat_sync.check.schema import Check
from webchat_sync.domain.catalogue import whole_schema
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.jsonvalue import show
from webchat_sync.model import Json

_SLOW: Final = (
    "Begin it with `^`, don't repeat a group that contains a repetition or `|`, and don't use `(?…)` or "
    "`\\1`. If it has more than one `*` or `+`, add a `maxLength`."
)


def entry_findings(entry: Mapping[str, Json]) -> Iterator[Diagnostic]:
    """Everything that makes ``entry`` an invalid entry of the catalogue, according to ``$defs/fieldEntry``."""
    findings = tuple(_check().problems(dict(entry)))
    yield from findings
    if not findings:
        for path, pattern, length in _patterns(entry, ()):
            reason = _flaw(pattern) if is_plain(pattern) else ""
            if reason:
                hint = "Use a regular expression, for example `^[a-z]+$`."
                yield Diagnostic(f"{show(pattern)} isn't a valid pattern: {reason}", steps=path, hint=hint, code="form")
            elif not is_plain(pattern) or ways(pattern, length) > MOST_WAYS:
                yield Diagnostic(f"{show(pattern)} may take too long to match", steps=path, hint=_SLOW, code="form")


@cache
def _check() -> Check:
    definitions = whole_schema("manifest")["$defs"]
    return Check({**definitions["fieldEntry"], "$defs": definitions})


def _patterns(schema: Mapping[str, Json], path: Path) -> Iterator[tuple[Path, str, int]]:
    """Every pattern with its path, and the maximum length of the texts that it's matched with."""
    pattern, items, properties = schema.get("pattern"), schema.get("items"), schema.get("properties")
    longest = schema.get("maxLength")
    if isinstance(pattern, str):
        yield (*path, "pattern"), pattern, min(longest, LONGEST) if isinstance(longest, int) else LONGEST
    if isinstance(items, dict):
        yield from _patterns(items, (*path, "items"))
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        if isinstance(inner, dict):
            yield from _patterns(inner, (*path, "properties", name))


def _flaw(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        return str(error)
    return ""
