"""Operations: the calls of a plan, with a type for every kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal, TypeAlias

from webchat_sync.frozen import frozen
from webchat_sync.model.identity_secret import Sink
from webchat_sync.model.values import Json

NEW_CHANNEL = "{id}"
"""Placeholder in a path for an id that only the response to the create will contain."""


@frozen
class CreateChannel:
    """Create a channel with the fields in ``body``."""

    organization: str
    body: Mapping[str, Json]
    method: ClassVar[Literal["POST"]] = "POST"

    @property
    def path(self) -> str:
        """The path of the call, below the base URL."""
        return _channels(self.organization)


@frozen
class PatchChannel:
    """Replace the fields in ``body``; ``channel_id`` is None for a channel that the same plan creates."""

    organization: str
    channel_id: str | None
    body: Mapping[str, Json]
    method: ClassVar[Literal["PATCH"]] = "PATCH"

    @property
    def path(self) -> str:
        """The path of the call, below the base URL."""
        return _channel(self.organization, self.channel_id)


@frozen
class DeleteChannel:
    """Delete a channel."""

    organization: str
    channel_id: str
    method: ClassVar[Literal["DELETE"]] = "DELETE"
    body: ClassVar[None] = None

    @property
    def path(self) -> str:
        """The path of the call, below the base URL."""
        return _channel(self.organization, self.channel_id)


@frozen(kw_only=True)
class MakeSecret:
    """Create an identity secret and deliver it to ``sinks``; if it ``replaces`` one, that stops working.

    ``reason`` says why, ``stops`` who is locked out. ``rotation`` is the declared token that this satisfies; ``known``
    is the attempt in the ledger that the decision was based on, empty for none. ``verify``: test the new secret by
    opening sessions with it.
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
        """The word for it in plans."""
        return "rotate" if self.replaces else "generate"

    @property
    def path(self) -> str:
        """The path of the call, below the base URL."""
        return _identity_secret(self.organization, self.channel_id)


@frozen(kw_only=True)
class RevokeSecret:
    """Revoke the identity secret of a channel; otherwise like :class:`MakeSecret`."""

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
        """The path of the call, below the base URL."""
        return _identity_secret(self.organization, self.channel_id)


SecretOperation: TypeAlias = MakeSecret | RevokeSecret
Operation: TypeAlias = CreateChannel | PatchChannel | DeleteChannel | MakeSecret | RevokeSecret


def fields_in(operations: Iterable[Operation]) -> dict[str, Json]:
    """The fields of a channel that the operations send."""
    return {name: value for operation in operations for name, value in _fields(operation).items()}


def _fields(operation: Operation) -> Mapping[str, Json]:
    match operation:
        case CreateChannel() | PatchChannel():
            return operation.body
        case DeleteChannel() | MakeSecret() | RevokeSecret():
            return {}


def _channels(organization: str) -> str:
    return f"/organizations/{organization}/web-chat/channels"


def _channel(organization: str, channel_id: str | None) -> str:
    return f"{_channels(organization)}/{channel_id or NEW_CHANNEL}"


def _identity_secret(organization: str, channel_id: str | None) -> str:
    return f"{_channel(organization, channel_id)}/identity-secret"
