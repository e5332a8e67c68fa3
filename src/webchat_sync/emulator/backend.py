"""What every call of the emulated API works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request

from webchat_sync.emulator.quirks import Quirks
from webchat_sync.emulator.store import Store
from webchat_sync.model import Json


@dataclass(frozen=True, slots=True)
class Backend:
    """The data behind the API, and how it misbehaves within the protocol."""

    store: Store
    quirks: Quirks


Handler: TypeAlias = Callable[[Backend, Request], Awaitable[Json]]
"""One call of the API: it returns the ``data`` of its answer, or raises RefusedError or UnknownChannelError."""
