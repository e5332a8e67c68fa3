"""An emulator on loopback with an HTTP client, for the emulator's own tests."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

import loopback
from webchat_sync.domain.catalogue import load_catalogue
from webchat_sync.emulator import Call, Faults, Quirks, Store, build_app, serve

KEY = {"X-Api-Key": "mk_test_abc.s3cret"}
CHANNELS = "/organizations/acme/web-chat/channels"
CONVERSATION = "/organizations/acme/conversations/c-1/web-chat"


@dataclass(frozen=True, slots=True)
class Emulated:
    """The running emulator: its data, the calls so far, and a client with a key."""

    store: Store
    calls: list[Call]
    http: httpx.Client

    def create(self, **fields: object) -> dict[str, Any]:
        """A new channel of the organisation acme, over HTTP."""
        channel: dict[str, Any] = data(self.http.post(CHANNELS, json={"name": "Support", **fields}), 201)
        return channel

    def list(self) -> Any:
        """The channels of the organisation acme, over HTTP."""
        return data(self.http.get(CHANNELS))


@contextmanager
def emulated(
    store: Store | None = None,
    *,
    faults: Faults | None = None,
    quirks: Quirks | None = None,
    keys: Container[str] | None = None,
) -> Iterator[Emulated]:
    """Serve an emulator, by default with an empty store."""
    store = store or Store(catalogue=load_catalogue())
    calls: list[Call] = []
    app = build_app(store, faults=faults, quirks=quirks or Quirks(), keys=keys, record=calls.append)
    with serve(app) as base_url, loopback.client(base_url=base_url, headers=KEY) as http:
        yield Emulated(store, calls, http)


def data(answer: httpx.Response, status: int = 200) -> Any:
    """The ``data`` of a successful response."""
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"data", "timestamp"}
    return answer.json()["data"]


def message(answer: httpx.Response, status: int) -> Any:
    """The ``message`` of an error response."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"statusCode", "error", "message", "timestamp", "path"}
    assert (body["statusCode"], body["path"]) == (status, answer.request.url.path)
    return body["message"]
