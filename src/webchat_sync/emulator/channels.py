"""The calls for channels: list, create, update, delete, snippet, identity secret, avatar."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from starlette.requests import Request

from webchat_sync.domain.catalogue import Field
from webchat_sync.emulator.backend import Backend
from webchat_sync.emulator.quirks import as_answered, as_stored
from webchat_sync.emulator.store import Channel
from webchat_sync.emulator.validation import complaints
from webchat_sync.emulator.wire import Page, RefusedError, json_object, uploaded_file
from webchat_sync.model import Json

AVATAR_BYTES: Final = 8 * 1024 * 1024
"""The largest avatar that the API accepts (the vendor's OpenAPI document)."""


_OFFLINE: Final = "offlineAction"


async def list_channels(backend: Backend, request: Request) -> Json | Page:
    """GET /organizations/{organization}/web-chat/channels: from the position ``?cursor=``."""
    organization, size = request.path_params["organization"], backend.page_size
    if size is None:
        return _listed(backend, backend.store.channels(organization))
    # An offset, so that a list that changes between pages repeats or skips channels, like real servers.
    cursor = request.query_params.get("cursor", "0")
    if not re.fullmatch(r"[0-9]{1,9}", cursor):
        raise RefusedError(400, "cursor is not valid")
    start = int(cursor)
    channels = backend.store.channels(organization, start=start, most=size + 1)
    return Page(_listed(backend, channels[:size]), str(start + size) if channels else None, len(channels) > size)


def _listed(backend: Backend, channels: Iterable[Channel]) -> list[Json]:
    omit = backend.quirks.omit
    return [
        as_answered({name: value for name, value in channel.items() if name not in omit}, backend.quirks)
        for channel in channels
    ]


async def create_channel(backend: Backend, request: Request) -> Json:
    """POST /organizations/{organization}/web-chat/channels."""
    newer = backend.quirks.newer_create
    known = backend.store.catalogue.declarable.values()
    accepted = [field for field in known if field.create or (newer and field.newer_create)]
    fields = await _fields(backend, request, accepted, required=backend.store.catalogue.schema.get("required", []))
    key = request.headers.get("idempotency-key") if backend.quirks.idempotency else None
    if backend.quirks.offline_actions:
        fields = {_OFFLINE: backend.quirks.offline_actions[0], **fields}
    channel = backend.store.create(request.path_params["organization"], fields, idempotency_key=key)
    return as_answered(channel, backend.quirks)


async def update_channel(backend: Backend, request: Request) -> Json:
    """PATCH /organizations/{organization}/web-chat/channels/{channel}."""
    fields = await _fields(backend, request, backend.store.catalogue.declarable.values(), required=[])
    channel = backend.store.update(*_address(request), fields)
    return as_answered(channel, backend.quirks)


async def delete_channel(backend: Backend, request: Request) -> Json:
    """DELETE /organizations/{organization}/web-chat/channels/{channel}."""
    backend.store.delete(*_address(request))
    return {"success": True}


async def snippet(backend: Backend, request: Request) -> Json:
    """GET /organizations/{organization}/web-chat/channels/{channel}/snippet."""
    token = backend.store.channel(*_address(request))["token"]
    return {"html": f'<script src="https://widget.example.com/web-chat.js" data-token="{token}" async></script>'}


async def rotate_identity_secret(backend: Backend, request: Request) -> Json:
    """POST /organizations/{organization}/web-chat/channels/{channel}/identity-secret: shown only once."""
    secret, rotated_at = backend.store.rotate_identity_secret(*_address(request))
    return {"secret": secret, "rotatedAt": rotated_at}


async def revoke_identity_secret(backend: Backend, request: Request) -> Json:
    """DELETE /organizations/{organization}/web-chat/channels/{channel}/identity-secret."""
    backend.store.revoke_identity_secret(*_address(request))
    return {"success": True}


async def set_avatar(backend: Backend, request: Request) -> Json:
    """POST /organizations/{organization}/web-chat/channels/{channel}/avatar."""
    content = (await uploaded_file(request)).content
    kind = _image_kind(content)
    if kind is None:
        raise RefusedError(400, "file must be a PNG, JPG or WebP image")
    if len(content) > AVATAR_BYTES:
        raise RefusedError(400, f"file must not be larger than {AVATAR_BYTES} bytes")
    return _avatar(backend, request, f"https://media.example.com/avatars/{backend.store.new_id()}.{kind}")


async def remove_avatar(backend: Backend, request: Request) -> Json:
    """DELETE /organizations/{organization}/web-chat/channels/{channel}/avatar."""
    return _avatar(backend, request, None)


def _address(request: Request) -> tuple[str, str]:
    return request.path_params["organization"], request.path_params["channel"]


async def _fields(backend: Backend, request: Request, accepted: Iterable[Field], *, required: list[str]) -> Channel:
    body = await json_object(request)
    properties: dict[str, Any] = {field.name: field.schema for field in accepted}
    if backend.quirks.offline_actions and _OFFLINE in properties:
        properties[_OFFLINE] = {"enum": [*backend.quirks.offline_actions]}
    schema = {**backend.store.catalogue.schema, "properties": properties, "required": required}
    if found := complaints(schema, body):
        raise RefusedError(400, found)
    return as_stored(body, backend.store.catalogue, quirks=backend.quirks, new_id=backend.store.new_id)


def _avatar(backend: Backend, request: Request, url: str | None) -> Json:
    return {"avatarUrl": backend.store.update(*_address(request), {"avatarUrl": url})["avatarUrl"]}


def _image_kind(content: bytes) -> str | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    return "webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None
