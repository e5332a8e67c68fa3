"""The calls for conversations: send a message, upload media. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from webchat_sync.emulator.backend import Backend
from webchat_sync.emulator.store import timestamp
from webchat_sync.emulator.validation import complaints
from webchat_sync.emulator.wire import RefusedError, json_object, uploaded_file
from webchat_sync.model import Json

_MESSAGE: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["text", "image", "video", "audio", "document"]},
        "body": {"type": "string", "maxLength": 4096},
        "mediaAssetId": {"type": "string", "format": "uuid"},
        "replyToMessageId": {"type": "string", "format": "uuid"},
    },
    "if": {"properties": {"type": {"const": "text"}}},
    "then": {"required": ["body"], "properties": {"body": {"minLength": 1}}},
    "else": {"required": ["mediaAssetId"]},
}
"""A message according to the vendor's API reference; the default ``type`` is text."""

MEDIA_KEYS: Final = ("mediaAssetId", "mediaId")
"""The names of an upload's id: in the vendor's API reference, and in its SDK."""


async def send_message(backend: Backend, request: Request) -> Json:
    """POST /organizations/{organization}/conversations/{conversation}/web-chat/send."""
    message = await json_object(request)
    if found := complaints(_MESSAGE, message):
        raise RefusedError(400, found)
    kind, moment = message.get("type", "text"), timestamp(backend.store.now())
    return {
        "id": backend.store.new_id(),
        "conversationId": request.path_params["conversation"],
        "phoneNumberId": backend.store.new_id(),
        "direction": "OUT",
        "type": kind,
        "status": "sent",
        "payload": _payload(message),
        "createdAt": moment,
        "updatedAt": moment,
    }


def _payload(message: Mapping[str, Json]) -> Json:
    """The content of a message as in the vendor's SDK: media has a caption instead of a body."""
    names = {"body": "caption", "mediaAssetId": "id"} if "mediaAssetId" in message else {}
    return {names.get(name, name): value for name, value in message.items() if name != "type"}


async def upload_media(backend: Backend, request: Request) -> Json:
    """POST /organizations/{organization}/conversations/{conversation}/web-chat/media."""
    upload = await uploaded_file(request)
    media = backend.store.new_id()
    url = f"https://media.example.com/{media}"
    names = [backend.quirks.media_key] if backend.quirks.media_key else MEDIA_KEYS
    return {**dict.fromkeys(names, media), "url": url, "mimeType": upload.mime_type}
