"""The sink ``command``: a program that receives the secret on its standard input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.model import Json, Secret, Sink
from webchat_sync.secrets.sinks.kind import Occasion, SinkSettings, argv_flaws, argv_of


class CommandSink:
    """Runs a program, without a shell, in the folder of the manifest."""

    schema: Final[Mapping[str, Json]] = {
        "command": {
            "$ref": "#/$defs/argv",
            "description": "A program and its arguments, run without a shell. It gets the secret on its standard input "
            "and must read all of it. Only `apply` and `secret` run it.",
        }
    }

    def parse(self, value: Mapping[str, Json], folder: str) -> Sink:
        """See :class:`SinkKind`."""
        argv, probe = argv_of(value["command"]), argv_of(value.get("probe"))
        return Sink("command", argv=argv, probe=probe, folder=folder)

    def flaws(self, value: Mapping[str, Json]) -> Iterator[Diagnostic]:
        """Reports an empty list."""
        yield from argv_flaws(value, "command")

    def addresses(self, sink: Sink) -> tuple[()]:
        """None: only the program knows where the secret goes."""
        return ()

    async def probe(self, sink: Sink, occasion: Occasion, settings: SinkSettings) -> str:
        """See :class:`SinkKind`."""
        from webchat_sync.secrets.sinks.process import missing

        return missing(sink.argv, sink, occasion, settings)

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret, settings: SinkSettings) -> None:
        """See :class:`SinkKind`."""
        from webchat_sync.secrets.sinks.process import run

        if settings.run_commands:
            await run(sink.argv, sink, occasion, secret, settings)

    def read(self, sink: Sink) -> Secret | None:
        """None: a program doesn't return its secret."""
        return None
