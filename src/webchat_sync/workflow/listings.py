"""What is live, of all organisations at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from anyio import create_task_group

from webchat_sync.apply.ports import ChannelReader
from webchat_sync.environment import Environment
from webchat_sync.errors import ApiError, CombinedApiError
from webchat_sync.model import Listing
from webchat_sync.workflow.connection import Connection, open_apis


async def read_listings(
    organizations: Iterable[str],
    readers: Mapping[str, ChannelReader],
    *,
    base_url: str,
    enough: Callable[[str, Listing], bool] = lambda _, __: False,
) -> dict[str, Listing]:
    """The listing of each organisation; ``readers`` holds one reader for each of them.

    A list in pages is read until nothing in it moves, or until it is ``enough`` for its organisation.
    Raises ApiError when one organisation cannot be read, CombinedApiError when several cannot.
    """
    listings: dict[str, Listing] = {}
    failed: list[ApiError] = []

    async def read(organization: str) -> None:
        try:
            channels = await readers[organization].list_channels(
                lambda channels: enough(organization, Listing(base_url, channels))
            )
            listings[organization] = Listing(base_url, channels)
        except ApiError as error:
            failed.append(error)

    async with create_task_group() as tasks:
        for organization in organizations:
            tasks.start_soon(read, organization)
    if failed:
        raise failed[0] if len(failed) == 1 else CombinedApiError(failed)
    return listings


async def list_live(connection: Connection, environment: Environment) -> dict[str, Listing]:
    """Connect, and read the listing of every organisation that the connection is for; raises as read_listings does."""
    async with open_apis(connection, environment) as apis:
        return await read_listings(apis, apis, base_url=connection.label)
