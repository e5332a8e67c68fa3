"""What surrounds every call: the headers of every response, the record of calls, and hanging up on order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webchat_sync.emulator.ratelimit import Window
from webchat_sync.frozen import frozen

TRANSPORT: Final = "webchat_sync.transport"
"""The key in a connection's ASGI state for its asyncio transport, which ``serve`` sets."""


GENEROUS: Final = (100_000, 60.0)
"""The calls and the seconds of the rate limit in every response; a client that paces itself never reaches it."""


@frozen
class Call:
    """One call that arrived; ``status`` is that of the response, None if the connection was dropped instead."""

    method: str
    path: str
    status: int | None


class HangUpError(Exception):
    """Raised inside the front to end the connection; ``flush``: after sending what was already written."""

    def __init__(self, *, flush: bool) -> None:
        super().__init__(flush)
        self.flush = flush


def with_front(app: ASGIApp, record: Callable[[Call], object]) -> ASGIApp:
    """``app`` with the API's headers on every response, and every call recorded before the client sees its end."""
    window = Window(*GENEROUS)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        allowance = window.take()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {"x-request-id": str(uuid4()), **allowance.headers}.items():
                    headers.setdefault(name, value)
                record(Call(scope["method"], scope["path"], message["status"]))
            await send(message)

        try:
            await app(scope, receive, answer)
        except HangUpError as hang_up:
            if not hang_up.flush:
                record(Call(scope["method"], scope["path"], None))
            await _hang_up(scope, receive, flush=hang_up.flush)

    return front


async def _hang_up(scope: Scope, receive: Receive, *, flush: bool) -> None:
    transport = cast(asyncio.Transport, scope["state"][TRANSPORT])
    if flush:
        transport.close()
    else:
        transport.abort()
    # The server treats an unfinished response as a bug unless it has noticed the disconnection.
    while (await receive())["type"] != "http.disconnect":
        pass
