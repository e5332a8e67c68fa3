"""Operations: the calls that a plan asks for, every one a type of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from webchat_sync.model.identity_secret import Sink
from webchat_sync.model.values import Json

NEW_CHANNEL = "{id}"
"""What a path has where only the answer to the create will tell the id."""


@dataclass(frozen=True, slots=True)
class CreateChannel:
    """Create a channel with the fields in ``body``."""

    organization: str
    body: Mapping[str, Json]
    method: ClassVar[Literal["POST"]] = "POST"

    @property
    def path(self) -> str:
        """Where the call goes, below the base URL."""
        return _channels(self.organization)


@dataclass(frozen=True, slots=True)
class PatchChannel:
    """Replace the fields in ``body``; ``channel_id`` is None for a channel that this plan creates."""

    organization: str
    channel_id: str | None
    body: Mapping[str, Json]
    method: ClassVar[Literal["PATCH"]] = "PATCH"

    @property
    def path(self) -> str:
        """Where the call goes, below the base URL."""
        return _channel(self.organization, self.channel_id)


@dataclass(frozen=True, slots=True)
class DeleteChannel:
    """Delete a channel."""

    organization: str
    channel_id: str
    method: ClassVar[Literal["DELETE"]] = "DELETE"
    body: ClassVar[None] = None

    @property
    def path(self) -> str:
        """Where the call goes, below the base URL."""
        return _channel(self.organization, self.channel_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeSecret:
    """Make an identity secret and deliver it to ``sinks``; the one before, which it ``replaces``, stops working.

    ``reason`` says why, ``stops`` what will stop working. ``rotation`` is the declared token that is then up to date;
    ``known`` is the attempt in the ledger that this was decided on, empty when there was none. ``verify``: prove the
    new secret by opening sessions with it.
    """

    organization: str
    channel_id: str | None
    replaces: bool
    reason: str
    stops: str = ""
    sinks: tuple[Sink, ...] = ()
    rotation: str | None = None
    verify: bool = False
    known: str = ""
    method: ClassVar[Literal["POST"]] = "POST"
    body: ClassVar[None] = None

    @property
    def action(self) -> Literal["generate", "rotate"]:
        """What plans call it."""
        return "rotate" if self.replaces else "generate"

    @property
    def path(self) -> str:
        """Where the call goes, below the base URL."""
        return f"{_channel(self.organization, self.channel_id)}/identity-secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeSecret:
    """Take the identity secret of a channel away; the rest is as for :class:`MakeSecret`."""

    organization: str
    channel_id: str | None
    reason: str
    stops: str = ""
    known: str = ""
    method: ClassVar[Literal["DELETE"]] = "DELETE"
    body: ClassVar[None] = None
    action: ClassVar[Literal["revoke"]] = "revoke"
    sinks: ClassVar[tuple[Sink, ...]] = ()
    rotation: ClassVar[None] = None
    verify: ClassVar[bool] = False

    @property
    def path(self) -> str:
        """Where the call goes, below the base URL."""
        return f"{_channel(self.organization, self.channel_id)}/identity-secret"


SecretOperation: TypeAlias = MakeSecret | RevokeSecret
Operation: TypeAlias = CreateChannel | PatchChannel | DeleteChannel | MakeSecret | RevokeSecret


def _channels(organization: str) -> str:
    return f"/organizations/{organization}/web-chat/channels"


def _channel(organization: str, channel_id: str | None) -> str:
    return f"{_channels(organization)}/{channel_id or NEW_CHANNEL}"
