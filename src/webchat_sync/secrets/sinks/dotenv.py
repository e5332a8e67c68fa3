"""The sink ``dotenv``: one key of a file of ``KEY=value`` lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.files import write_private
from webchat_sync.model import Json, Secret, Sink
from webchat_sync.secrets.sinks.dotenv_text import read_key, replace_key, takes_keys
from webchat_sync.secrets.sinks.kind import Address, Occasion, SinkError, SinkSettings, argv_of
from webchat_sync.secrets.sinks.path import file_flaw, target
from webchat_sync.tree import read_regular


class DotenvSink:
    """Replaces the value of one key; the rest of the file stays the same, byte for byte."""

    schema: Final[Mapping[str, Json]] = {
        "dotenv": {
            "type": "string",
            "minLength": 1,
            "description": "A file of `KEY=value` lines in which one key is replaced; the rest stays the same, byte "
            "for byte.",
            "examples": [".secrets/support.env"],
        },
        "key": {
            "anyOf": [
                {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
                {"$ref": "fields.schema.json#/$defs/variable"},
            ],
            "description": "The key to set in the `dotenv` file.",
            "examples": ["MOSEND_IDENTITY_SECRET"],
        },
    }

    def parse(self, value: Mapping[str, Json], folder: str) -> Sink:
        """See :class:`SinkKind`."""
        probe = argv_of(value.get("probe"))
        return Sink("dotenv", str(value["dotenv"]), str(value.get("key", "")), probe=probe, folder=folder)

    def flaws(self, value: Mapping[str, Json]) -> Iterator[Diagnostic]:
        """Reports a missing key."""
        if "key" not in value:
            yield Diagnostic("`key` is missing", hint="Name the key to replace in the dotenv file.")

    def addresses(self, sink: Sink) -> tuple[Address, ...]:
        """The key in the file."""
        return (Address(str(target(sink)), sink.key),)

    async def probe(self, sink: Sink, occasion: Occasion, settings: SinkSettings) -> str:
        """See :class:`SinkKind`."""
        if flaw := file_flaw(sink, settings):
            return flaw
        path = target(sink)
        if path.exists() and not takes_keys(read_regular(path), sink.key):
            return f"{path} contains something other than KEY=value lines"
        return ""

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret, settings: SinkSettings) -> None:
        """See :class:`SinkKind`."""
        path = target(sink)
        try:
            content = read_regular(path) if path.exists() else b""
            write_private(path, replace_key(content, sink.key, secret.reveal()))
        except OSError as error:
            raise SinkError(f"can't write {path}: {error.strerror}") from None
        except ValueError as error:
            raise SinkError(f"{path} can't store the secret: {error}") from None

    def read(self, sink: Sink) -> Secret | None:
        """See :class:`SinkKind`."""
        path = target(sink)
        text = read_key(read_regular(path), sink.key) if path.exists() else None
        return Secret(text) if text else None
