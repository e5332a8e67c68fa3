"""The sink ``file``: the secret and a line feed become this file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.files import write_private
from webchat_sync.model import Json, Secret, Sink
from webchat_sync.secrets.sinks.kind import Address, Occasion, SinkError, SinkSettings, argv_of
from webchat_sync.secrets.sinks.path import file_flaw, target
from webchat_sync.tree import read_regular

_MOST_BYTES: Final = 4096
"""Of a file that may be a secret."""

_TOKEN: Final = re.compile(rb"[!-~]+\r?\n?")
_ASSIGNMENT: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*=[^=\s]")


class FileSink:
    """Writes a file of its own, readable by its owner only."""

    schema: Final[Mapping[str, Json]] = {
        "file": {
            "type": "string",
            "minLength": 1,
            "description": "A file that contains the secret and a line feed, readable by its owner only.",
            "examples": [".secrets/support"],
        }
    }

    def parse(self, value: Mapping[str, Json], folder: str) -> Sink:
        """As :class:`SinkKind` says."""
        return Sink("file", str(value.get("file", "")), probe=argv_of(value.get("probe")), folder=folder)

    def flaws(self, value: Mapping[str, Json]) -> Iterator[Diagnostic]:
        """None."""
        yield from ()

    def address(self, sink: Sink) -> Address:
        """The whole file."""
        return Address(str(target(sink)), "")

    async def probe(self, sink: Sink, occasion: Occasion, settings: SinkSettings) -> str:
        """As :class:`SinkKind` says: a file that holds anything but a secret is not replaced."""
        if flaw := file_flaw(sink, settings):
            return flaw
        path = target(sink)
        if path.exists() and not _may_be_a_secret(read_regular(path)):
            return (
                f"{path} contains something other than a secret, and would be replaced. Move it away, or use another "
                "file"
            )
        return ""

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret, settings: SinkSettings) -> None:
        """As :class:`SinkKind` says."""
        path = target(sink)
        try:
            write_private(path, secret.reveal() + "\n")
        except OSError as error:
            raise SinkError(f"can't write {path}: {error.strerror}") from None

    def read(self, sink: Sink) -> Secret | None:
        """As :class:`SinkKind` says."""
        path = target(sink)
        text = read_regular(path).decode().removesuffix("\n") if path.exists() else ""
        return Secret(text) if text else None


def _may_be_a_secret(content: bytes) -> bool:
    """Whether it is what this sink writes: one word on one line, and not ``KEY=value``. An empty file is free."""
    if not content:
        return True
    return len(content) <= _MOST_BYTES and bool(_TOKEN.fullmatch(content)) and not _ASSIGNMENT.match(content)
