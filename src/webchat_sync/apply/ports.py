"""The protocols that planning and applying use: reading and writing channels, rotating secrets, reporting progress.

Planning only gets a reader, so the type system guarantees that it can't write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from webchat_sync.model import (
    Create,
    Json,
    LiveChannel,
    Operation,
    OperationResult,
    SecretOperation,
    Update,
    WriteResult,
)


class ChannelReader(Protocol):
    """Reads the channels of one organisation."""

    async def list_channels(self, enough: Callable[[tuple[LiveChannel, ...]], bool] = ...) -> tuple[LiveChannel, ...]:
        """All live channels; raises ApiError if they couldn't all be read.

        A paged list is read again until two readings agree, or until ``enough`` accepts it.
        """
        ...


class ChannelWriter(Protocol):
    """Writes the channels of one organisation.

    Every method raises ApiError if the call failed, after repeating it if that's harmless.
    """

    async def create_channel(self, body: Mapping[str, Json], *, idempotency_key: str) -> WriteResult:
        """Create a channel, which is in the result. Never repeated once it may have had an effect."""
        ...

    async def update_channel(self, channel_id: str, body: Mapping[str, Json]) -> WriteResult:
        """Replace the fields in ``body``."""
        ...

    async def delete_channel(self, channel_id: str) -> WriteResult:
        """Delete the channel."""
        ...


class ChannelApi(ChannelReader, ChannelWriter, Protocol):
    """Reads and writes the channels of one organisation."""


class Rotator(Protocol):
    """Creates and revokes identity secrets, and records that."""

    async def carry_out(self, operation: SecretOperation, change: Create | Update, channel_id: str) -> WriteResult:
        """Create or revoke the secret of the channel in ``change``; a new one is delivered on return.

        Raises ApiError if the call failed, and ApplyError if the secret wasn't delivered.
        """
        ...

    async def finish(
        self, operation: SecretOperation, change: Create | Update, channel_id: str, answered: LiveChannel | None
    ) -> None:
        """Called after all calls of the change: verify what couldn't be verified before.

        ``answered`` is the channel in the last response that had one. Raises like ``carry_out``.
        """
        ...


class Observer(Protocol):
    """Receives every operation of a run as it happens."""

    def started(self, address: str, operation: Operation) -> None:
        """The operation is about to be sent."""
        ...

    def finished(self, result: OperationResult) -> None:
        """The operation has ended, successfully or not."""
        ...
