"""The ways in which a call can go wrong: each function returns an effect for a Fault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webchat_sync.emulator.front import HangUpError
from webchat_sync.emulator.ratelimit import Window
from webchat_sync.emulator.store import utc_now
from webchat_sync.emulator.wire import failure

Effect: TypeAlias = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]
"""Replaces one call of the app, its first argument, and may or may not make that call."""


def status(status: int, *, message: str = "", retry_after: int | None = None, after_commit: bool = False) -> Effect:
    """An error response with ``status`` (400 to 599), and ``Retry-After`` in seconds if given."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if after_commit:
            await _commit(app, scope, receive)
        headers = None if retry_after is None else {"retry-after": str(retry_after)}
        answer = failure(scope["path"], message, status=status, at=utc_now(), headers=headers)
        await answer(scope, receive, send)

    return act


def delay(seconds: float, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> Effect:
    """The call, delayed."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await sleep(seconds)
        await app(scope, receive, send)

    return act


def drop(*, after_commit: bool = False) -> Effect:
    """Abort the connection instead of responding."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, _send: Send) -> None:
        if after_commit:
            await _commit(app, scope, receive)
        raise HangUpError(flush=False)

    return act


def commit_late(
    seconds: float, *, status: int = 504, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> Effect:
    """Respond with an error immediately, and make the call ``seconds`` later."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        answer = failure(scope["path"], "", status=status, at=utc_now())
        await answer(scope, receive, send)
        await sleep(seconds)

        async def remembered() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await _commit(app, scope, remembered)

    return act


def cut(*, keep: int = 10, chunked: bool = False) -> Effect:
    """The real response, cut after ``keep`` bytes of its body, or before its end.

    Its headers promise the whole length; with ``chunked``, none, and the last chunk is missing.
    """

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await _commit(app, scope, receive)
        if chunked:
            start["headers"] = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await send(start)
        await send({"type": "http.response.body", "body": body[:-1][:keep], "more_body": True})
        raise HangUpError(flush=True)

    return act


def html(*, after_commit: bool = False) -> Effect:
    """A 200 with a page, like a proxy's or a login portal's."""
    return _instead(HTMLResponse("<!doctype html><title>Please sign in</title>"), after_commit)


def empty(*, after_commit: bool = False) -> Effect:
    """A 200 without a body."""
    return _instead(Response(), after_commit)


def redirect(location: str, *, status: int = 307) -> Effect:
    """A redirect to another URL."""
    return _instead(RedirectResponse(location, status), after_commit=False)


def rate_limit(limit: int, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> Effect:
    """Of the calls with this fault, ``limit`` in every ``seconds`` succeed; the others get a 429."""
    window = Window(limit, seconds, clock=clock)

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        allowance = window.take()
        if not allowance.granted:
            app = failure(scope["path"], "", status=429, at=utc_now(), headers={"retry-after": str(allowance.reset)})

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = [(name.encode(), value.encode()) for name, value in allowance.headers.items()]
                message["headers"] = [*message["headers"], *ours]
            await send(message)

        await app(scope, receive, answer)

    return act


def _instead(answer: Response, after_commit: bool) -> Effect:
    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if after_commit:
            await _commit(app, scope, receive)
        await answer(scope, receive, send)

    return act


async def _commit(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """Make the call and capture its response: the start message, and the body."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    start, *rest = messages
    return start, b"".join(message.get("body", b"") for message in rest)
