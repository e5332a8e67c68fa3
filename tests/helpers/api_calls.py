"""A client of the API with fake time, one call of each method, and how a call fails."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from fake_time import FakeTime
from scripted_server import Behaviour, ScriptedServer
from webchat_sync.api import Mosend
from webchat_sync.api.http import TIMEOUT
from webchat_sync.api.transfer import DEADLINE
from webchat_sync.environment import Environment
from webchat_sync.errors import ApiError
from webchat_sync.model import Secret

KEY = "mk_live_canary.0a1b2c3d4e5f6a7b"
CHANNELS_PATH = "/organizations/org/web-chat/channels"

Call = Callable[[Mosend], Coroutine[Any, Any, object]]


def mosend(
    url: str,
    *,
    time: FakeTime | None = None,
    random: Callable[[], float] = lambda: 0.5,
    on_wait: Callable[[float], object] = lambda _: None,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
    deadline: float = DEADLINE,
) -> Mosend:
    """A client for ``url`` without a proxy, whose sleeps take no time and whose random numbers are always 0.5."""
    time = time or FakeTime()
    return Mosend(
        organization="org",
        base_url=url,
        key=Secret(KEY),
        environment=Environment(
            transport=transport or httpx.AsyncHTTPTransport(verify=False),
            sleep=time.sleep,
            random=random,
            now=time.now,
            clock=time.clock,
        ),
        on_wait=on_wait,
        timeout=timeout,
        deadline=deadline,
    )


async def list_channels(api: Mosend) -> object:
    return await api.list_channels()


async def create(api: Mosend) -> object:
    return await api.create_channel({"name": "Support"}, idempotency_key="once")


async def update(api: Mosend) -> object:
    return await api.update_channel("c1", {"name": "Support"})


async def delete(api: Mosend) -> object:
    return await api.delete_channel("c1")


async def failure_of(call: Call, *script: Behaviour, otherwise: Behaviour | None = None) -> tuple[ApiError, int]:
    """The error of ``call`` when the server behaves like this, and the number of requests."""
    with ScriptedServer(*script, otherwise=otherwise) as server:
        async with mosend(server.url) as api:
            with pytest.raises(ApiError) as raised:
                await call(api)
    return raised.value, len(server.requests)
