"""The sink ``file``: a file with the secret and a line feed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.files import write_private
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json, Secret, Sink
from webchat_sync.secrets.sinks.kind import Address, Occasion, SinkError, SinkSettings, argv_of
from webchat_sync.secrets.sinks.path import file_flaw, target
from webchat_sync.tree import read_regular

_MOST_BYTES: Final = 4096
"""The largest file that may be a secret."""

_TOKEN: Final = lazy_pattern(rb"[!-~]+\r?\n?")
_ASSIGNMENT: Final = lazy_pattern(rb"[A-Za-z_][A-Za-z0-9_]*=[^=\s]")


class FileSink:
    """Writes a separate file that only its owner can read."""

    schema: Final[Mapping[str, Json]] = {
        "file": {
            "type": "string",
            "minLength": 1,
            "description": "A file that contains the secret and a line feed, readable by its owner only.",
            "examples": [".secrets/support"],
        }
    }

    def parse(self, value: Mapping[str, Json], folder: str) -> Sink:
        """See :class:`SinkKind`."""
        return Sink("file", str(value["file"]), probe=argv_of(value.get("probe")), folder=folder)

    def flaws(self, value: Mapping[str, Json]) -> Iterator[Diagnostic]:
        """None."""
        yield from ()

    def addresses(self, sink: Sink) -> tuple[Address, ...]:
        """The whole file."""
        return (Address(str(target(sink)), ""),)

    async def probe(self, sink: Sink, occasion: Occasion, settings: SinkSettings) -> str:
        """See :class:`SinkKind`. A file with anything other than a secret isn't replaced."""
        if flaw := file_flaw(sink, settings):
            return flaw
        path = target(sink)
        if path.exists() and not _may_be_a_secret(read_regular(path)):
            return f"{path} contains something other than a secret, which would be lost"
        return ""

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret, settings: SinkSettings) -> None:
        """See :class:`SinkKind`."""
        path = target(sink)
        try:
            write_private(path, secret.reveal() + "\n")
        except OSError as error:
            raise SinkError(f"can't write {path}: {error.strerror}") from None

    def read(self, sink: Sink) -> Secret | None:
        """See :class:`SinkKind`."""
        path = target(sink)
        text = read_regular(path).decode().removesuffix("\n") if path.exists() else ""
        return Secret(text) if text else None


def _may_be_a_secret(content: bytes) -> bool:
    """Whether this sink could have written it: one word on one line, and not ``KEY=value``. Or it's empty."""
    if not content:
        return True
    return len(content) <= _MOST_BYTES and bool(_TOKEN.fullmatch(content)) and not _ASSIGNMENT.match(content)
