"""The widget's own call: a visitor opens a session, signed by the site that embeds the widget or anonymous."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from webchat_sync.emulator.backend import Backend
from webchat_sync.emulator.contents import Channel
from webchat_sync.emulator.store import timestamp
from webchat_sync.emulator.validation import complaints
from webchat_sync.emulator.wire import RefusedError, json_object
from webchat_sync.model import Json

_TEXTS: Final = ("visitorId", "mode", "userId", "email", "hash")

_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in _TEXTS} | {"visitorId": {"type": "string", "minLength": 1}},
    "required": ["visitorId"],
}


async def open_session(backend: Backend, request: Request) -> Json:
    """POST /web-chat/{token}/sessions: needs no API key.

    The hash of a signed visitor is the hex HMAC-SHA256 of the ``userId``, or else the ``email``, under the channel's
    identity secret (the vendor's OpenAPI document).
    """
    body = await json_object(request)
    # The widget may send more than is published, so what is not known here is let through.
    if found := complaints(_SCHEMA, {name: value for name, value in body.items() if name in _TEXTS}):
        raise RefusedError(400, found)
    channel = backend.store.channel_of_token(request.path_params["token"])
    if not channel.get("enabled", True):
        raise RefusedError(403, "the channel is disabled")
    signed = body.get("mode") == "host-identified"
    if signed:
        _verify(backend, channel, body)
    elif channel.get("identityRequired"):
        raise RefusedError(401, "the channel requires a verified identity")
    return {
        "id": backend.store.new_id(),
        "channelId": channel["id"],
        "visitorId": body["visitorId"],
        "identified": signed,
        "createdAt": timestamp(backend.store.now()),
    }


def _verify(backend: Backend, channel: Channel, body: Mapping[str, Json]) -> None:
    secret = backend.store.identity_secret(str(channel["id"]))
    identity = body.get("userId") or body.get("email")
    if not secret or not identity:
        raise RefusedError(401, "the identity cannot be verified")
    expected = hmac.new(secret.encode(), str(identity).encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), str(body.get("hash", "")).encode()):
        raise RefusedError(401, "the hash does not match the identity")
