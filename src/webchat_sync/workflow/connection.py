"""Where the API is, the keys for it, and its clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import field, replace
from typing import TYPE_CHECKING

from webchat_sync.environment import NEVER, Ending, Environment
from webchat_sync.errors import InputError
from webchat_sync.frozen import frozen
from webchat_sync.model import FailedOrganization, Json, Secret

if TYPE_CHECKING:
    from webchat_sync.api import Mosend


@frozen(kw_only=True)
class Connection:
    """The server, and a key for every organisation in the run; no other organisation is contacted.

    ``label`` is what plans call the server: its base URL, or ``sandbox``. ``failed`` are organisations without a usable
    key. ``key_variables`` names the environment variables of organisations with a key of their own, and
    ``organization_sources`` says where the ids of organisations are set. ``sandbox``: the
    embedded emulator answers, so the environment's proxies are bypassed. ``on_exchange`` receives every request with
    its response.
    """

    base_url: str
    label: str
    keys: Mapping[str, Secret]
    failed: tuple[FailedOrganization, ...] = ()
    key_variables: Mapping[str, str] = field(default_factory=dict)
    organization_sources: Mapping[str, str] = field(default_factory=dict)
    sandbox: bool = False
    on_exchange: Callable[[Mapping[str, Json]], object] | None = None


@asynccontextmanager
async def open_apis(
    connection: Connection,
    environment: Environment,
    *,
    on_wait: Callable[[float], object] = lambda _: None,
    permitted: Callable[[], bool] = lambda: True,
    ending: Ending = NEVER,
) -> AsyncIterator[Mapping[str, Mosend]]:
    """One API client per organisation, sharing a network; closed at the end of the block.

    ``on_wait``, ``permitted`` and ``ending`` are passed to Mosend. Raises InputError with every problem of the address
    and the keys.
    """
    import httpx

    from webchat_sync.api import Mosend, Network
    from webchat_sync.api.exchange import NAMED_BY, SHARED_KEY
    from webchat_sync.api.settings import base_url_problems, plain_http_problems

    if connection.sandbox:
        # Without proxies, and without the certificates that plain http doesn't need and that take 20 ms to load.
        environment = replace(environment, transport=httpx.AsyncHTTPTransport(verify=False))
    if problems := [*base_url_problems(connection.base_url), *plain_http_problems(connection.base_url)]:
        raise InputError(problems)
    network = Network(connection.base_url, environment, keys=connection.keys.values(), on_wait=on_wait)
    try:
        yield {
            organization: Mosend(
                organization=organization,
                base_url=connection.base_url,
                key=key,
                key_source=connection.key_variables.get(organization, SHARED_KEY),
                organization_source=connection.organization_sources.get(organization, NAMED_BY),
                network=network,
                environment=environment,
                on_exchange=connection.on_exchange,
                permitted=permitted,
                ending=ending,
            )
            for organization, key in connection.keys.items()
        }
    finally:
        await network.close()
