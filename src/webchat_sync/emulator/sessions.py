"""The widget's own call: a visitor opens a session, signed by the embedding site or not."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request

from webchat_sync.domain.hosts import same_host_key
from webchat_sync.emulator.backend import Backend
from webchat_sync.emulator.store import Channel, timestamp
from webchat_sync.emulator.validation import complaints
from webchat_sync.emulator.wire import RefusedError, json_object
from webchat_sync.model import Json

SIGNED: Final = "host-identified"
LIFETIME: Final = timedelta(days=1)
"""The lifetime of a session here; the live server's isn't documented."""

_TEXT: Final = {"type": "string"}


def _short(length: int) -> Mapping[str, Any]:
    return {"type": "string", "maxLength": length}


_SESSION: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["visitorId", "mode"],
    "properties": {
        "visitorId": {"type": "string", "minLength": 1},
        "mode": {"type": "string", "enum": ["anonymous", "identified", "verify-otp", SIGNED]},
        "name": _short(200),
        "email": {"type": "string", "format": "email"},
        "phone": _TEXT,
        "otp": _TEXT,
        "acceptOffline": {"type": "boolean"},
        "userId": _short(200),
        "hash": _short(128),
        "attributes": {"type": "object"},
        "departmentId": _short(40),
        "prechat": {"type": "object"},
        "avatarUrl": _short(2048),
        "url": _short(500),
        "referer": _short(500),
        "title": _short(200),
        "lang": _short(20),
        "utm": {
            "type": "object",
            "properties": dict.fromkeys(("source", "medium", "campaign", "term", "content"), _TEXT),
            "additionalProperties": False,
        },
    },
}
"""The request that opens a session (the vendor's OpenAPI document). Other properties are rejected."""


async def open_session(backend: Backend, request: Request) -> Json:
    """POST /web-chat/{token}/sessions: needs no API key.

    The hash of a signed visitor is the hex HMAC-SHA256 of the ``userId``, or else the ``email``, with the channel's
    identity secret (the vendor's OpenAPI document). One-time passwords aren't emulated, so they never verify a visitor.
    """
    body = await json_object(request)
    if flaws := complaints(_SESSION, body):
        raise RefusedError(400, flaws)
    channel = backend.store.channel_of_token(request.path_params["token"])
    if not channel.get("enabled", True):
        raise RefusedError(403, "the channel is disabled")
    if backend.quirks.check_origin and not _may_embed(channel, request.headers.get("origin", "")):
        raise RefusedError(403, "the origin is not allowed")
    signed = body["mode"] == SIGNED
    if signed:
        _verify(backend, channel, body)
    elif channel.get("identityRequired"):
        raise RefusedError(401, "the channel requires a verified identity")
    return {
        "sessionToken": backend.store.new_id(),
        "visitorId": body["visitorId"],
        "identityVerified": signed,
        "expiresAt": timestamp(backend.store.now() + LIFETIME),
    }


def _may_embed(channel: Channel, origin: str) -> bool:
    """Whether a page of ``origin`` may open sessions; any page may if the channel names no sites."""
    domains = channel.get("allowedDomains")
    if not isinstance(domains, list) or not domains:
        return True
    host = same_host_key(origin.partition("://")[2])
    allowed = [same_host_key(domain) for domain in domains if isinstance(domain, str)]
    return bool(host) and any(
        domain in {"*", host} or (domain.startswith("*.") and host.endswith(domain[1:])) for domain in allowed
    )


def _verify(backend: Backend, channel: Channel, body: Mapping[str, Json]) -> None:
    secret = backend.store.identity_secret(str(channel["id"]))
    identity = body.get("userId") or body.get("email")
    if not secret or not identity:
        raise RefusedError(401, "the identity cannot be verified")
    expected = hmac.new(secret.encode(), str(identity).encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), str(body.get("hash", "")).encode()):
        raise RefusedError(401, "the hash does not match the identity")
