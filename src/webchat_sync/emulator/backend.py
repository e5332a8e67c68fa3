"""What every call of the emulated API works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request

from webchat_sync.emulator.quirks import Quirks
from webchat_sync.emulator.store import Store
from webchat_sync.emulator.wire import Page
from webchat_sync.model import Json


@dataclass(frozen=True, slots=True)
class Backend:
    """The data behind the API, how it misbehaves within the protocol, and how many channels it lists on one page."""

    store: Store
    quirks: Quirks
    page_size: int | None = None


Handler: TypeAlias = Callable[[Backend, Request], Awaitable["Json | Page"]]
"""One call of the API: it returns the ``data`` of its answer, or raises RefusedError or UnknownChannelError."""
