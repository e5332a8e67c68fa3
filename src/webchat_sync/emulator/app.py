"""The vendor's API as an ASGI app: its calls, their authorisation, and the envelope of responses."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from webchat_sync.emulator import channels, conversations, sessions
from webchat_sync.emulator.backend import Backend, Handler
from webchat_sync.emulator.database import UnusableDataError
from webchat_sync.emulator.faults import Faults
from webchat_sync.emulator.front import Call, with_front
from webchat_sync.emulator.quirks import NO_QUIRKS, Quirks
from webchat_sync.emulator.store import Store, UnknownChannelError
from webchat_sync.emulator.wire import RefusedError, failure, success
from webchat_sync.lazy_pattern import lazy_pattern

_CHANNELS: Final = "/organizations/{organization}/web-chat/channels"
_CONVERSATION: Final = "/organizations/{organization}/conversations/{conversation}/web-chat"

_CALLS: Final[tuple[tuple[str, str, int, Handler], ...]] = (
    ("GET", _CHANNELS, 200, channels.list_channels),
    ("POST", _CHANNELS, 201, channels.create_channel),
    ("PATCH", _CHANNELS + "/{channel}", 200, channels.update_channel),
    ("DELETE", _CHANNELS + "/{channel}", 200, channels.delete_channel),
    ("GET", _CHANNELS + "/{channel}/snippet", 200, channels.snippet),
    ("POST", _CHANNELS + "/{channel}/identity-secret", 201, channels.rotate_identity_secret),
    ("DELETE", _CHANNELS + "/{channel}/identity-secret", 200, channels.revoke_identity_secret),
    ("POST", _CHANNELS + "/{channel}/avatar", 201, channels.set_avatar),
    ("DELETE", _CHANNELS + "/{channel}/avatar", 200, channels.remove_avatar),
    ("POST", _CONVERSATION + "/send", 201, conversations.send_message),
    ("POST", _CONVERSATION + "/media", 201, conversations.upload_media),
)
_PUBLIC_CALLS: Final[tuple[tuple[str, str, int, Handler], ...]] = (
    ("POST", "/web-chat/{token}/sessions", 201, sessions.open_session),
)

_API_KEY: Final = lazy_pattern(r"mk_(live|test)_[^\s.]+\.\S+")
_BEARER: Final = lazy_pattern(r"Bearer (\S+)")
_LIKE_A_KEY: Final = lazy_pattern(r"mk_(live|test)_")


def build_app(
    store: Store,
    *,
    faults: Faults | None = None,
    quirks: Quirks = NO_QUIRKS,
    keys: Container[str] | None = None,
    page_size: int | None = None,
    record: Callable[[Call], object] = lambda _: None,
) -> ASGIApp:
    """The API for ``store``.

    ``faults`` and ``quirks`` are how it misbehaves. ``keys`` are the API keys and tokens it accepts; by default, every
    well-formed one. ``page_size`` is the number of channels on a page, None for all. ``record`` is called with every
    call, from the server's thread, before the client sees how it ended. Faults that end the connection only work with
    ``serve``.
    """
    app: ASGIApp = _api(Backend(store, quirks, page_size), keys)
    if faults is not None:
        app = faults.around(app)
    return with_front(app, record)


def _api(backend: Backend, keys: Container[str] | None) -> Starlette:
    def endpoint(handler: Handler, status: int, *, public: bool) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            if not public:
                _authorise(request.headers, keys)
            data = await handler(backend, request)
            return success(data, status=status, at=backend.store.now(), envelope=not backend.quirks.no_envelope)

        return answer

    async def refused(request: Request, error: Exception) -> Response:
        status, message = _reason(request, error)
        answer = failure(request.url.path, message, status=status, at=backend.store.now())
        if status == 500:
            # After a bug in the app, the server closes the connection, so the client mustn't reuse it.
            answer.headers["Connection"] = "close"
        return answer

    return Starlette(
        routes=[
            Route(path, endpoint(handler, status, public=calls is _PUBLIC_CALLS), methods=[method])
            for calls in (_CALLS, _PUBLIC_CALLS)
            for method, path, status, handler in calls
        ],
        exception_handlers=dict.fromkeys(
            (RefusedError, UnknownChannelError, UnusableDataError, HTTPException, Exception), refused
        ),
    )


def _authorise(headers: Headers, keys: Container[str] | None) -> None:
    """The vendor's keys are in ``X-Api-Key`` (the vendor's API reference) or, like other tokens, sent as Bearer."""
    key = headers.get("x-api-key", "")
    bearer = _BEARER.fullmatch(headers.get("authorization", ""))
    token = key or (bearer[1] if bearer else "")
    formed = _API_KEY.fullmatch(token) or (not key and token and not _LIKE_A_KEY.match(token))
    if not formed or (keys is not None and token not in keys):
        raise RefusedError(401, "Unauthorized")


def _reason(request: Request, error: Exception) -> tuple[int, str | list[str]]:
    match error:
        case RefusedError():
            return error.status, error.message
        case UnknownChannelError():
            return 404, "Web chat channel not found"
        case UnusableDataError():
            # Nothing was changed, and another attempt would end alike, which a client wouldn't take from a 5xx.
            return 424, str(error)
        case HTTPException(status_code=404 | 405):
            return 404, f"Cannot {request.method} {request.url.path}"
        case HTTPException():
            return error.status_code, error.detail
        case _:
            return 500, f"the emulator failed: {error!r}"
