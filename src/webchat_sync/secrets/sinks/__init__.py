"""Where a new secret goes: one module a kind of sink, and one registry of them."""

from __future__ import annotations

from webchat_sync.model import Secret, Sink
from webchat_sync.secrets.sinks.kind import Address, Occasion, SinkError, SinkSettings
from webchat_sync.secrets.sinks.registry import KINDS

__all__ = ["Address", "Occasion", "SinkError", "Sinks", "address", "read_sink"]


class Sinks(SinkSettings):
    """Probes sinks of every kind, and delivers secrets to them."""

    __slots__ = ()

    async def probe(self, sink: Sink, occasion: Occasion) -> str:
        """Why the sink will not take a secret, as far as can be told without one; empty when nothing is against it."""
        from webchat_sync.secrets.sinks.process import missing, run

        try:
            if reason := await KINDS[sink.kind].probe(sink, occasion, self):
                return reason
        except OSError as error:
            return f"it can't be checked: {error.strerror}"
        if not sink.probe or not self.run_commands:
            return ""
        if reason := missing(sink.probe, sink, self):
            return reason
        try:
            await run(sink.probe, sink, occasion, None, self)
        except SinkError as error:
            return f"its probe failed: {error.message}"
        return ""

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret) -> None:
        """Put ``secret`` where the sink says. Raises SinkError, whatever it is that fails."""
        try:
            await KINDS[sink.kind].deliver(sink, occasion, secret, self)
        except SinkError:
            raise
        except Exception as error:  # noqa: BLE001 - the secret exists: the account has to say that it is nowhere
            # Not its text, nor its cause: either may hold the secret.
            raise SinkError(f"it failed with {type(error).__name__}") from None


def read_sink(sink: Sink) -> Secret | None:
    """The secret that the sink holds now; None when it holds none or cannot be read. Raises OSError."""
    return KINDS[sink.kind].read(sink)


def address(sink: Sink) -> Address | None:
    """Where the sink puts a secret, if that place takes only one."""
    return KINDS[sink.kind].address(sink)
