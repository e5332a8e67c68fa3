"""Bodies of requests and responses, and the envelopes of responses."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from http.client import responses

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse

from webchat_sync.emulator.store import timestamp
from webchat_sync.frozen import frozen
from webchat_sync.model import Json
from webchat_sync.strict_json import load_json

# What's wrong with an upload is in its response. Without a handler, Python would print it as well.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())


class RefusedError(Exception):
    """The call ends with an error response; ``message`` is a list for a validation error."""

    def __init__(self, status: int, message: str | list[str]) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


@frozen
class Upload:
    """The one file of a multipart request."""

    content: bytes
    mime_type: str


@frozen
class Page:
    """One page of a long list; ``end_cursor`` leads to what follows its last item."""

    items: list[Json]
    end_cursor: str | None
    has_next_page: bool


def success(data: Json | Page, *, status: int, at: datetime, envelope: bool = True) -> JSONResponse:
    """The response of a successful call; a page has ``pageInfo`` next to its items, as in the vendor's SDK.

    Without the ``envelope``, it's as in the vendor's OpenAPI document: the value itself, and a page as it is.
    """
    if not isinstance(data, Page):
        return JSONResponse({"data": data, "timestamp": timestamp(at)} if envelope else data, status)
    info: Json = {"endCursor": data.end_cursor, "hasNextPage": data.has_next_page}
    stamp = {"timestamp": timestamp(at)} if envelope else {}
    return JSONResponse({"data": data.items, "pageInfo": info, **stamp}, status)


def failure(
    path: str, message: str | list[str], *, status: int, at: datetime, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The response of a failed call; the default message is the status in words."""
    phrase = responses.get(status, "Unknown")
    body = {
        "statusCode": status,
        "error": phrase,
        "message": message or phrase,
        "timestamp": timestamp(at),
        "path": path,
    }
    return JSONResponse(body, status, headers)


async def json_object(request: Request) -> dict[str, Json]:
    """The request's body, which must be a JSON object; a missing body is an empty one. Raises RefusedError."""
    text = await request.body()
    try:
        body: Json = load_json(text or "{}")
        # Python accepts lone surrogates, which a response couldn't contain.
        json.dumps(body, ensure_ascii=False).encode()
    except ValueError as error:
        raise RefusedError(400, f"the body is refused: {error}") from error
    if not isinstance(body, dict):
        raise RefusedError(400, "the body must be a JSON object")
    return body


async def uploaded_file(request: Request) -> Upload:
    """The file in the field ``file`` of a multipart request. Raises RefusedError if there is none."""
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise RefusedError(400, "file should not be empty")
        return Upload(await file.read(), file.content_type or "application/octet-stream")
