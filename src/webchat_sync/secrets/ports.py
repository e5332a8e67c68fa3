"""The protocols that rotations use: the API's calls for secrets, and the record of rotations."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from webchat_sync.model import ChannelKey, Json, Ledger, LedgerEntry, LiveChannel, Secret, WriteResult


class NewSecret(Protocol):
    """The server's response when it creates a secret."""

    @property
    def secret(self) -> Secret:
        """The secret, which is only shown this once."""
        ...

    @property
    def rotated_at(self) -> datetime | None:
        """When it was created, by the server's clock; None if the response doesn't say."""
        ...

    @property
    def receipt(self) -> WriteResult:
        """The status and request id of the response."""
        ...


class SecretApi(Protocol):
    """The calls for identity secrets. Every method raises ApiError."""

    async def list_channels(self) -> tuple[LiveChannel, ...]:
        """All live channels."""
        ...

    async def rotate_identity_secret(self, channel_id: str) -> NewSecret:
        """Create a new secret; the old one stops working immediately."""
        ...

    async def revoke_identity_secret(self, channel_id: str) -> WriteResult:
        """Revoke the secret."""
        ...

    async def verifies_signature(self, token: str, secret: Secret, *, visitor_id: str, domains: Json) -> bool | None:
        """Whether a visitor signed with ``secret`` is verified; None if the session's response doesn't say.

        The request's origin is one of ``domains``, the channel's ``allowedDomains`` as listed.
        """
        ...


class Book(Protocol):
    """The record of rotations. Only this run writes it while the run lasts."""

    @property
    def base_url(self) -> str:
        """The name of this run's server in the record."""
        ...

    def ledger(self) -> Ledger:
        """Everything remembered, for all servers and organisations."""
        ...

    async def record(self, key: ChannelKey, entry: LedgerEntry | None, *, name: str) -> None:
        """Remember ``entry`` for the channel ``name``, or forget it; durable on return.

        Raises InputError and MemoryUnavailableError; nothing that must be remembered may then be done.
        """
        ...

    def flaw(self) -> str:
        """Why it can't be written, as far as that's known without writing; empty if it can."""
        ...
