"""The side of the API that rotations go through."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from webchat_sync.model import ChannelKey, Json, Ledger, LedgerEntry, LiveChannel, Secret, WriteResult


class NewSecret(Protocol):
    """What the server answers when it makes a secret."""

    @property
    def secret(self) -> Secret:
        """The secret, shown this once."""
        ...

    @property
    def rotated_at(self) -> datetime | None:
        """When it was made, by the server's clock; None when it does not say."""
        ...

    @property
    def receipt(self) -> WriteResult:
        """The server's word."""
        ...


class SecretApi(Protocol):
    """The calls about identity secrets. Every method raises ApiError."""

    async def list_channels(self) -> tuple[LiveChannel, ...]:
        """All live channels."""
        ...

    async def rotate_identity_secret(self, channel_id: str) -> NewSecret:
        """Make a new secret; the old one stops working at once."""
        ...

    async def revoke_identity_secret(self, channel_id: str) -> WriteResult:
        """Take the secret away."""
        ...

    async def verifies_signature(self, token: str, secret: Secret, *, visitor_id: str, domains: Json) -> bool | None:
        """Whether a visitor signed with ``secret`` is verified; None if the server opens a session and does not say.

        The call comes from a page on one of ``domains``, the channel's ``allowedDomains`` as they are listed.
        """
        ...


class Book(Protocol):
    """What is remembered of rotations. Nobody else writes it while this run does."""

    @property
    def base_url(self) -> str:
        """What it calls the server that this run is about."""
        ...

    def ledger(self) -> Ledger:
        """All that is remembered, of all servers and organisations."""
        ...

    async def record(self, key: ChannelKey, entry: LedgerEntry | None, *, name: str) -> None:
        """Remember ``entry`` of the channel ``name``, or forget it: on return that outlives this run.

        Raises InputError and MemoryUnavailableError, and then nothing may be done that has to be remembered.
        """
        ...

    def flaw(self) -> str:
        """Why it could not be written to, as far as that shows without writing; empty for nothing."""
        ...
