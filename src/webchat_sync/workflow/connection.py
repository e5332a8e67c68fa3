"""Where the API is and with which keys, and the clients that lead there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from webchat_sync.environment import Environment
from webchat_sync.model import Json, Secret

if TYPE_CHECKING:
    from webchat_sync.api import Mosend


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where to send, and the key of every organisation that it is for; nothing is sent for any other.

    ``label`` is what a plan says of where: the base URL, or ``sandbox``. ``sandbox``: an emulator inside the program
    answers, past the environment's proxies. ``on_exchange`` is told every request and its answer.
    """

    base_url: str
    label: str
    keys: Mapping[str, Secret]
    sandbox: bool = False
    on_exchange: Callable[[Mapping[str, Json]], object] | None = None


@asynccontextmanager
async def open_apis(
    connection: Connection,
    environment: Environment,
    *,
    on_wait: Callable[[float], object] = lambda _: None,
    permitted: Callable[[], bool] = lambda: True,
) -> AsyncIterator[Mapping[str, Mosend]]:
    """One API client per organisation, open until the block ends; ``on_wait`` and ``permitted`` as for Mosend."""
    import httpx

    from webchat_sync.api import Mosend

    if connection.sandbox:
        environment = replace(environment, transport=httpx.AsyncHTTPTransport())
    async with AsyncExitStack() as stack:
        yield {
            organization: await stack.enter_async_context(
                Mosend(
                    organization=organization,
                    base_url=connection.base_url,
                    key=key,
                    # A server may repeat any of them to any of them.
                    secrets=[*connection.keys.values()],
                    environment=environment,
                    on_wait=on_wait,
                    on_exchange=connection.on_exchange,
                    permitted=permitted,
                )
            )
            for organization, key in connection.keys.items()
        }
