"""Where the API is and with which keys, and the clients that lead there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from webchat_sync.environment import Environment
from webchat_sync.errors import InputError
from webchat_sync.model import FailedOrganization, Json, Secret

if TYPE_CHECKING:
    from webchat_sync.api import Mosend


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where to send, and the key of every organisation that it is for; nothing is sent for any other.

    ``label`` is what a plan says of where: the base URL, or ``sandbox``. ``failed`` are the organisations that have no
    key to send. ``sandbox``: an emulator inside the program answers, past the environment's proxies. ``on_exchange`` is
    told every request and its answer.
    """

    base_url: str
    label: str
    keys: Mapping[str, Secret]
    failed: tuple[FailedOrganization, ...] = ()
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
    """One API client per organisation over one network, open until the block ends; the rest is as for Mosend.

    Raises InputError with everything that is wrong with the address and with any key.
    """
    import httpx

    from webchat_sync.api import Mosend, Network
    from webchat_sync.api.settings import base_url_problems, plain_http_problems

    if connection.sandbox:
        environment = replace(environment, transport=httpx.AsyncHTTPTransport())
    if problems := [*base_url_problems(connection.base_url), *plain_http_problems(connection.base_url)]:
        raise InputError(problems)
    network = Network(connection.base_url, environment, keys=connection.keys.values(), on_wait=on_wait)
    try:
        yield {
            organization: Mosend(
                organization=organization,
                base_url=connection.base_url,
                key=key,
                network=network,
                environment=environment,
                on_exchange=connection.on_exchange,
                permitted=permitted,
            )
            for organization, key in connection.keys.items()
        }
    finally:
        await network.close()
