"""The two sides of the API that planning and applying go through, and who is told how it goes.

Planning is handed a reader and nothing else, so that it cannot write is a fact of types.
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
        """All live channels; raises ApiError when they could not all be read.

        A list in pages is read until nothing in it moves, or until what was read is ``enough``.
        """
        ...


class ChannelWriter(Protocol):
    """Writes the channels of one organisation.

    Every method raises ApiError when the call did not succeed, after repeating it where that is harmless.
    """

    async def create_channel(self, body: Mapping[str, Json], *, idempotency_key: str) -> WriteResult:
        """Create a channel; the receipt has it. Never sent again once it may have had an effect."""
        ...

    async def update_channel(self, channel_id: str, body: Mapping[str, Json]) -> WriteResult:
        """Replace the fields that ``body`` names."""
        ...

    async def delete_channel(self, channel_id: str) -> WriteResult:
        """Delete the channel."""
        ...


class ChannelApi(ChannelReader, ChannelWriter, Protocol):
    """Reads and writes the channels of one organisation."""


class Rotator(Protocol):
    """Makes and revokes identity secrets, and remembers that."""

    async def carry_out(self, operation: SecretOperation, change: Create | Update, channel_id: str) -> WriteResult:
        """Make or revoke the secret of the channel that ``change`` is about: a new one is delivered on return.

        Raises ApiError when the call did not succeed, and ApplyError when the secret was not delivered.
        """
        ...

    async def finish(
        self, operation: SecretOperation, change: Create | Update, channel_id: str, answered: LiveChannel | None
    ) -> None:
        """All calls of the change are done: prove what could not be proven before. Raises as ``carry_out`` does.

        ``answered`` is the channel as the last of them answered it, if one did.
        """
        ...


class Observer(Protocol):
    """Is told of every operation of a run as it happens."""

    def started(self, address: str, operation: Operation) -> None:
        """The operation is about to be sent."""
        ...

    def finished(self, result: OperationResult) -> None:
        """The operation has ended, in whatever way."""
        ...
