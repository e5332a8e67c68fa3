"""Describes one attempt of a call for debugging: request and response, without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

import httpx

from webchat_sync.api.exchange import Call
from webchat_sync.model import Json
from webchat_sync.redact import HIDDEN

MOST_BODY: Final = 100_000
"""Characters of a body to record."""

_MASKED_HEADERS: Final = {"authorization", "proxy-authorization", "x-api-key", "cookie", "set-cookie"}
_MASKED_KEYS: Final = {"hash", "secret"}
_UNTOLD: Final = "(omitted: may contain an identity secret)"


def transcript(
    call: Call, request: httpx.Request, response: httpx.Response | None, body: bytes | None, error: BaseException | None
) -> dict[str, Json]:
    """What was sent and received. A response that may contain a new secret is left out."""
    answered: dict[str, Json] | None = None
    if response is not None:
        answered = {
            "status": response.status_code,
            "headers": _headers(call, response.headers.multi_items()),
            "body": _UNTOLD if call.confidential else _body(call, body),
        }
    return {
        "method": call.method,
        "url": call.hide(str(request.url)),
        "headers": _headers(call, request.headers.multi_items()),
        "body": "(a file)" if call.upload else _sent(call),
        "response": answered,
        "error": None if error is None else call.hide(f"{type(error).__name__}: {error}"),
    }


def _headers(call: Call, headers: Iterable[tuple[str, str]]) -> list[Json]:
    return [
        [name, HIDDEN if name.lower() in _MASKED_HEADERS else call.hide(value, tokens=call.confidential)]
        for name, value in headers
    ]


def _sent(call: Call) -> str | None:
    if call.body is None:
        return None
    masked: Mapping[str, Json] = {key: HIDDEN if key in _MASKED_KEYS else value for key, value in call.body.items()}
    return call.hide(json.dumps(masked, ensure_ascii=False))[:MOST_BODY]


def _body(call: Call, body: bytes | None) -> str | None:
    return None if body is None else call.hide(body.decode("utf-8", "replace"))[:MOST_BODY]
