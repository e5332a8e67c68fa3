"""Sinks, where new secrets are delivered: one module for every kind, and one registry."""

from __future__ import annotations

import json

from webchat_sync.model import Secret, Sink
from webchat_sync.secrets.sinks.kind import Address, Occasion, SinkError, SinkSettings
from webchat_sync.secrets.sinks.registry import KINDS

__all__ = ["Address", "Occasion", "SinkError", "Sinks", "addresses", "read_sink"]


class Sinks(SinkSettings):
    """Probes sinks of every kind, and delivers secrets to them."""

    __slots__ = ()

    async def probe(self, sink: Sink, occasion: Occasion) -> str:
        """Why the sink won't accept a secret, as far as that's known without one; empty if nothing is wrong."""
        from webchat_sync.secrets.sinks.process import missing, run

        if sink.kind not in KINDS:
            return f"this version of webchat-sync doesn't know sinks of the kind {json.dumps(sink.kind)}"
        try:
            if reason := await KINDS[sink.kind].probe(sink, occasion, self):
                return reason
        except OSError as error:
            return f"it can't be checked: {error.strerror}"
        except ValueError:
            return "its path or folder contains a character that none can have"
        if not sink.probe or not self.run_commands:
            return ""
        if reason := missing(sink.probe, sink, occasion, self):
            return reason
        try:
            await run(sink.probe, sink, occasion, None, self)
        except SinkError as error:
            return f"its probe failed: {error.message}"
        return ""

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret) -> None:
        """Deliver ``secret`` to the sink. Raises SinkError for any failure."""
        try:
            await KINDS[sink.kind].deliver(sink, occasion, secret, self)
        except SinkError:
            raise
        except Exception as error:  # noqa: BLE001 - the secret exists, so the report must say that it wasn't delivered
            # Without its text and its cause, which may contain the secret.
            raise SinkError(f"it failed with {type(error).__name__}") from None


def read_sink(sink: Sink) -> Secret | None:
    """The secret in the sink; None if there is none or it can't be read. Raises OSError and ValueError."""
    return KINDS[sink.kind].read(sink) if sink.kind in KINDS else None


def addresses(sink: Sink) -> tuple[Address, ...]:
    """Every place that the sink writes a secret to, if only one fits there. The first is the one that it reads."""
    return KINDS[sink.kind].addresses(sink) if sink.kind in KINDS else ()
