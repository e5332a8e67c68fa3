"""The app: one page and its version events, for pages of this address only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from webchat_sync.errors import machine_fault
from webchat_sync.render.html.preview import Asked

_NAMES: Final = ("127.0.0.1", "localhost")
_POLL: Final = 0.2
"""Seconds between checks of the version."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


def build_app(render: Callable[[Asked], str], version: Callable[[], int]) -> ASGIApp:
    """Serves the page from ``render``, and at ``/events`` every new ``version`` of it.

    A request with another host name, which a page elsewhere can cause by resolving its own name to loopback, or from
    another origin is refused. If ``render`` fails, the response says why.
    """

    async def page(request: Request) -> Response:
        asked = _asked(request)
        if asked is None:
            return PlainTextResponse(
                "`at` must be a time such as 2026-11-28T13:05, and `side` declared or live\n", 400, _HEADERS
            )
        return HTMLResponse(await run_in_threadpool(render, asked), headers=_HEADERS)

    async def failed(_: Request, error: Exception) -> Response:
        why = machine_fault(error) or f"webchat-sync failed with {type(error).__name__}. This is a bug."
        return PlainTextResponse(f"Can't make this page: {why}\n", 500, _HEADERS)

    async def events(_: Request) -> Response:
        return StreamingResponse(_news(version), media_type="text/event-stream", headers=_HEADERS)

    return _OwnPagesOnly(
        Starlette(routes=[Route("/", page), Route("/events", events)], exception_handlers={Exception: failed})
    )


class _OwnPagesOnly:
    """Only accepts requests from pages of this address, and typed addresses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, port = Headers(scope=scope), scope["server"][1]
        hosts = {f"{name}:{port}" for name in _NAMES}
        origin = headers.get("origin")
        foreign = origin is not None and origin not in {f"http://{host}" for host in hosts}
        if headers.get("host", "").lower() not in hosts or foreign:
            refused = PlainTextResponse(f"This page is only available at http://127.0.0.1:{port}/.\n", 403, _HEADERS)
            await refused(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _asked(request: Request) -> Asked | None:
    side, at = request.query_params.get("side", "declared"), request.query_params.get("at", "")
    try:
        moment = datetime.fromisoformat(at).replace(tzinfo=None) if at else None
    except ValueError:
        return None
    # Near the ends of the calendar, converting time zones or finding the next change within a year would overflow.
    if moment is not None and not 2 <= moment.year <= 9997:
        return None
    if side == "live":
        return Asked("live", moment)
    return Asked("declared", moment) if side == "declared" else None


async def _news(version: Callable[[], int]) -> AsyncIterator[str]:
    """Each version, starting with the current one."""
    last_sent: int | None = None
    while True:
        if (now := version()) != last_sent:
            last_sent = now
            yield f"data: {now}\n\n"
        await anyio.sleep(_POLL)
