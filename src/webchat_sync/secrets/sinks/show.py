"""The sink ``show``: prints the secret for ``secret rotate --show``. It can't be declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.flat import flat
from webchat_sync.model import Json, Secret, Sink
from webchat_sync.secrets.sinks.kind import Occasion, SinkError, SinkSettings


class ShowSink:
    """Prints the secret for the user."""

    schema: Final[Mapping[str, Json]] = {}

    def parse(self, value: Mapping[str, Json], folder: str) -> Sink:
        """See :class:`SinkKind`."""
        return Sink("show", folder=folder)

    def flaws(self, value: Mapping[str, Json]) -> Iterator[Diagnostic]:
        """None."""
        yield from ()

    def addresses(self, sink: Sink) -> tuple[()]:
        """None."""
        return ()

    async def probe(self, sink: Sink, occasion: Occasion, settings: SinkSettings) -> str:
        """Always succeeds."""
        return ""

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret, settings: SinkSettings) -> None:
        """See :class:`SinkKind`."""
        if flat(secret.reveal()) != secret.reveal():
            raise SinkError(
                "it isn't printed because it contains line feeds, invisible characters or a command for a CI log"
            )
        settings.show(secret.reveal())

    def read(self, sink: Sink) -> Secret | None:
        """None."""
        return None
