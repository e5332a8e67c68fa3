"""What every call of the emulated API needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request

from webchat_sync.emulator.quirks import Quirks
from webchat_sync.emulator.store import Store
from webchat_sync.emulator.wire import Page
from webchat_sync.frozen import frozen
from webchat_sync.model import Json


@frozen
class Backend:
    """The data of the API, its quirks, and the number of channels on a page."""

    store: Store
    quirks: Quirks
    page_size: int | None = None


Handler: TypeAlias = Callable[[Backend, Request], Awaitable["Json | Page"]]
"""One call of the API: returns the ``data`` of its response, or raises RefusedError or UnknownChannelError."""
