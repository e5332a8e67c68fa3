"""Workflow commands of GitHub Actions: log lines that become annotations on files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from webchat_sync.errors import Place
from webchat_sync.flat import visible
from webchat_sync.lazy_pattern import lazy_pattern

Kind: TypeAlias = Literal["error", "warning", "notice"]

MOST: Final = 10
"""How many annotations of one kind GitHub accepts from a step; it silently drops the rest."""

_BREAKS: Final = {"\r\n": "%0D%0A", "\n": "%0A"}
_BREAK: Final = lazy_pattern(r"(\r\n|\n)")


def annotation(
    kind: Kind, message: str, *, title: str = "", place: Place | None = None, end_column: int | None = None
) -> str:
    """The command for one annotation: ``::error file=…,line=…,col=…,endColumn=…,title=…::message``."""
    properties: dict[str, str] = {}
    if place is not None:
        properties |= {"file": place.file, "line": str(place.line), "col": str(place.column)}
    if end_column is not None:
        properties["endColumn"] = str(end_column)
    if title:
        properties["title"] = title
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind}{' ' if listed else ''}{listed}::{_data(message)}"


def most(kind: Kind, annotations: Sequence[str], *, rest: str) -> list[str]:
    """As many annotations as GitHub accepts; the last one says how many more there are, followed by ``rest``."""
    if len(annotations) <= MOST:
        return list(annotations)
    shown = MOST - 1
    return [*annotations[:shown], annotation(kind, f"{len(annotations) - shown:,} more: {rest}")]


def _data(text: str) -> str:
    """The message of a command, escaped like @actions/core does, without anything else that a log would obey."""
    pieces = _BREAK.split(text.replace("%", "%25"))
    return "".join(_BREAKS[piece] if piece in _BREAKS else visible(piece) for piece in pieces)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
