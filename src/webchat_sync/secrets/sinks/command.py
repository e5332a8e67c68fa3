"""The sink ``command``: a program that gets the secret on its standard input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from webchat_sync.model import Json, Secret, Sink
from webchat_sync.secrets.sinks.kind import Flaw, Occasion, SinkSettings, argv_of


class CommandSink:
    """Runs a program, without a shell, in the folder of the manifest."""

    schema: Final[Mapping[str, Json]] = {
        "command": {
            "$ref": "#/$defs/argv",
            "description": "A program and its arguments, without a shell. It gets the secret on its standard input, "
            "and has to read all of it. Only `apply` and `secret` run it.",
        }
    }

    def parse(self, value: Mapping[str, Json], folder: str) -> Sink:
        """As :class:`SinkKind` says."""
        argv, probe = argv_of(value["command"]), argv_of(value.get("probe"))
        return Sink("command", argv=argv, probe=probe, folder=folder)

    def flaws(self, value: Mapping[str, Json]) -> Iterator[Flaw]:
        """An empty list."""
        if value.get("command") == []:
            yield Flaw(("command",), "`command` names no program", "Write the program and its arguments as a list.")

    def address(self, sink: Sink) -> None:
        """None that could be told: the program knows whose secret it gets."""
        return

    async def probe(self, sink: Sink, occasion: Occasion, settings: SinkSettings) -> str:
        """As :class:`SinkKind` says."""
        from webchat_sync.secrets.sinks.process import missing

        return missing(sink.argv, sink, settings)

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret, settings: SinkSettings) -> None:
        """As :class:`SinkKind` says."""
        from webchat_sync.secrets.sinks.process import run

        if settings.run_commands:
            await run(sink.argv, sink, occasion, secret, settings)

    def read(self, sink: Sink) -> Secret | None:
        """Nothing: what a program took, it keeps."""
        return None
