"""The emulated API with odd responses: other values, keys, statuses and headers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from document_readers import bent

_STATUSES: Final = (200, 201, 202, 204, 206, 299, 301, 304, 307, 400, 401, 402, 403, 404, 405, 408, 409, 410, 413)
_HEADERS: Final = (
    ("x-request-id", "::add-mask::x ##[group]"),
    ("retry-after", "9" * 400),
    ("retry-after", "-1"),
    ("retry-after", "Mon, 01 Jan 0001 00:00:00 -9999"),
    ("retry-after", "Fri, 31 Dec 9999 23:59:59 -0100"),
    ("location", "http://[::1"),
    ("location", "::stop-commands::x"),
    ("link", '<http://[>; rel="next"'),
    ("link", ",,;;=="),
    ("content-range", "items 0-1/" + "9" * 400),
    ("x-total-count", "٣"),
    ("x-ratelimit-remaining", "0"),
    ("x-ratelimit-reset", "9" * 400),
    ("ratelimit", "limit=x, remaining=-1, reset=1e999"),
    ("ratelimit-reset", "1e999"),
    ("date", "Mon, 01 Jan 0001 00:00:00 -9999"),
    ("content-type", "text/html; charset=\x7f"),
    ("set-cookie", "a=b; Domain=.com"),
)


@dataclass
class Bending:
    """An ASGI app around ``app``. ``share`` is the share of responses to change."""

    app: ASGIApp
    random: Random
    share: float
    bent: int = field(default=0, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.random.random() >= self.share:
            await self.app(scope, receive, send)
            return
        self.bent += 1
        start: Message = {}
        pieces: list[bytes] = []

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                pieces.append(message.get("body", b""))

        await self.app(scope, receive, hold)
        body = self._body(b"".join(pieces))
        headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        if self.random.random() < 0.3:
            name, value = self.random.choice(_HEADERS)
            headers = [pair for pair in headers if pair[0] != name.encode()]
            headers.append((name.encode(), value.encode()))
        status: Any = start["status"] if self.random.random() < 0.85 else self.random.choice(_STATUSES)
        if status in {204, 304}:
            body = b""
        else:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _body(self, body: bytes) -> bytes:
        try:
            document = json.loads(body)
        except ValueError:
            return body
        for _ in range(self.random.randrange(3)):
            document = bent(document, self.random)
        return json.dumps(document).encode()


@dataclass(frozen=True)
class Rewriting:
    """An ASGI app around ``app`` that replaces ``said`` in responses by ``written``."""

    app: ASGIApp
    said: str
    written: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}

        async def rewrite(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body = message.get("body", b"").replace(self.said.encode(), self.written.encode())
            headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            await send({**message, "body": body})

        await self.app(scope, receive, rewrite)
