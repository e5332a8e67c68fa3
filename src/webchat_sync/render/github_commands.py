"""Workflow commands of GitHub Actions: lines of a log that become annotations on the lines of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from webchat_sync.errors import Place
from webchat_sync.flat import visible

Kind: TypeAlias = Literal["error", "warning", "notice"]

_LINES: Final = re.compile(r"(\r?\n)")

MOST: Final = 10
"""How many annotations of one kind GitHub takes from a step; the rest it drops without a word."""


def annotation(
    kind: Kind, message: str, *, title: str = "", place: Place | None = None, end_column: int | None = None
) -> str:
    """The command for one annotation: ``::error file=…,line=…,col=…,endColumn=…,title=…::message``."""
    properties: dict[str, str] = {}
    if place is not None:
        properties |= {"file": place.file, "line": str(place.line), "col": str(place.column)}
        properties |= {} if end_column is None else {"endColumn": str(end_column)}
    if title:
        properties["title"] = title
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind}{' ' if listed else ''}{listed}::{_data(message)}"


def most(kind: Kind, annotations: Sequence[str], *, rest: str) -> list[str]:
    """No more annotations than GitHub takes; the last says how many more there are, with ``rest`` behind it."""
    if len(annotations) <= MOST:
        return list(annotations)
    kept = MOST - 1
    return [*annotations[:kept], annotation(kind, f"{len(annotations) - kept} more: {rest}")]


def _data(text: str) -> str:
    """As @actions/core escapes the message of a command."""
    lines = "".join(line if line.isspace() else visible(line) for line in _LINES.split(text))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
