"""The calls about conversations: send a message, upload media. Nothing of them is kept."""

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
"""A message as the vendor's API reference describes it; ``type`` is text when it is left out."""


async def send_message(backend: Backend, request: Request) -> Json:
    """POST /organizations/{organization}/conversations/{conversation}/web-chat/send."""
    message = await json_object(request)
    if found := complaints(_MESSAGE, message):
        raise RefusedError(400, found)
    return {
        "id": backend.store.new_id(),
        "conversationId": request.path_params["conversation"],
        "type": "text",
        **message,
        "createdAt": timestamp(backend.store.now()),
    }


async def upload_media(backend: Backend, request: Request) -> Json:
    """POST /organizations/{organization}/conversations/{conversation}/web-chat/media."""
    upload = await uploaded_file(request)
    media = backend.store.new_id()
    url = f"https://media.example.com/{media}"
    return {backend.quirks.media_key: media, "url": url, "mimeType": upload.mime_type}
