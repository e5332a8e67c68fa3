"""Every kind of sink, by its name in manifests, plans and ledgers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from webchat_sync.secrets.sinks.command import CommandSink
from webchat_sync.secrets.sinks.dotenv import DotenvSink
from webchat_sync.secrets.sinks.file import FileSink
from webchat_sync.secrets.sinks.kind import SinkKind
from webchat_sync.secrets.sinks.show import ShowSink

KINDS: Final[Mapping[str, SinkKind]] = {
    "file": FileSink(),
    "dotenv": DotenvSink(),
    "command": CommandSink(),
    "show": ShowSink(),
}

DECLARABLE: Final[Mapping[str, SinkKind]] = {name: kind for name, kind in KINDS.items() if kind.schema}
"""The kinds that a manifest can declare."""


def manifest_properties() -> dict[str, Any]:
    """The JSON Schema of every key of a sink in a manifest, except those that all kinds share."""
    return {name: schema for kind in DECLARABLE.values() for name, schema in kind.schema.items()}
