"""The sink ``show``: prints the secret. It is what ``secret rotate --show`` asks for, and cannot be declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.flat import flat
from webchat_sync.model import Json, Secret, Sink
from webchat_sync.secrets.sinks.kind import Occasion, SinkError, SinkSettings


class ShowSink:
    """Prints the secret for whoever asked."""

    schema: Final[Mapping[str, Json]] = {}

    def parse(self, value: Mapping[str, Json], folder: str) -> Sink:
        """As :class:`SinkKind` says."""
        return Sink("show", folder=folder)

    def flaws(self, value: Mapping[str, Json]) -> Iterator[Diagnostic]:
        """None."""
        yield from ()

    def address(self, sink: Sink) -> None:
        """None."""
        return

    async def probe(self, sink: Sink, occasion: Occasion, settings: SinkSettings) -> str:
        """Nothing is against it."""
        return ""

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret, settings: SinkSettings) -> None:
        """As :class:`SinkKind` says."""
        if flat(secret.reveal()) != secret.reveal():
            raise SinkError(
                "it isn't printed because it contains line feeds, invisible characters or a command for a CI log"
            )
        settings.show(secret.reveal())

    def read(self, sink: Sink) -> Secret | None:
        """Nothing."""
        return None
