"""What is live, of all organisations at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from anyio import create_task_group

from webchat_sync.apply.ports import ChannelReader
from webchat_sync.environment import Environment
from webchat_sync.errors import ApiError, CombinedApiError, Diagnostic, InputError, WebchatSyncError
from webchat_sync.model import FailedOrganization, Listing
from webchat_sync.workflow.connection import Connection, open_apis

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Readings:
    """What is live of every organisation that could be read, and the others."""

    listings: Mapping[str, Listing]
    failed: tuple[FailedOrganization, ...] = ()


async def read_apart(
    organizations: Iterable[str],
    readers: Mapping[str, ChannelReader],
    take: Callable[[str, Listing], T],
    *,
    base_url: str,
    enough: Callable[[str, Listing], bool] = lambda _, __: False,
    follow: Callable[[T], object] = lambda _: None,
) -> dict[str, T | WebchatSyncError]:
    """What ``take`` makes of the listing of every organisation, in their order, or why it could not.

    One after the other is taken as it is read, and its listing is not kept: there may be thousands. ``follow`` is given
    what was taken, in the same order, as soon as all before it are read. A list in pages is read until nothing in it
    moves, or until it is ``enough`` for its organisation.
    """
    names, taken = list(organizations), dict[str, T | WebchatSyncError]()
    followed = iter(names)
    upcoming = next(followed, None)

    def tell() -> None:
        nonlocal upcoming
        while upcoming in taken:
            result = taken[upcoming]
            if not isinstance(result, WebchatSyncError):
                follow(result)
            upcoming = next(followed, None)

    async def read(organization: str) -> None:
        try:
            channels = await readers[organization].list_channels(
                lambda channels: enough(organization, Listing(base_url, channels))
            )
            taken[organization] = take(organization, Listing(base_url, channels))
        except (ApiError, InputError) as error:
            taken[organization] = error
        tell()

    async with create_task_group() as tasks:
        for organization in names:
            tasks.start_soon(read, organization)
    return {organization: taken[organization] for organization in names}


async def read_readings(readers: Mapping[str, ChannelReader], *, base_url: str, alone: bool) -> Readings:
    """What is live of every organisation, and those that failed; ``alone`` is as for :func:`failures`."""
    taken = await read_apart(readers, readers, lambda _, listing: listing, base_url=base_url)
    listings = {name: result for name, result in taken.items() if isinstance(result, Listing)}
    return Readings(listings, failures(taken, alone=alone))


async def read_listings(
    organizations: Iterable[str],
    readers: Mapping[str, ChannelReader],
    *,
    base_url: str,
    enough: Callable[[str, Listing], bool] = lambda _, __: False,
) -> dict[str, Listing]:
    """The listing of every organisation; ``readers`` holds one reader for each of them.

    A list in pages is read until nothing in it moves, or until it is ``enough`` for its organisation.
    Raises ApiError when one organisation cannot be read, CombinedApiError when several cannot.
    """
    readings = await read_apart(organizations, readers, lambda _, listing: listing, base_url=base_url, enough=enough)
    failed = [reading for reading in readings.values() if isinstance(reading, ApiError)]
    if failed:
        raise failed[0] if len(failed) == 1 else CombinedApiError(failed)
    return {name: reading for name, reading in readings.items() if isinstance(reading, Listing)}


async def list_live(connection: Connection, environment: Environment) -> dict[str, Listing]:
    """Connect, and read the listing of every organisation that the connection is for.

    Raises as read_listings does, and InputError with every key that is missing.
    """
    if connection.failed:
        raise InputError([problem for failed in connection.failed for problem in failed.problems])
    async with open_apis(connection, environment) as apis:
        return await read_listings(apis, apis, base_url=connection.label)


async def list_readings(connection: Connection, environment: Environment, *, alone: bool) -> Readings:
    """Connect, and read as :func:`read_readings` does; those without a key have failed."""
    async with open_apis(connection, environment) as apis:
        readings = await read_readings(apis, base_url=connection.label, alone=alone)
    return Readings(readings.listings, (*connection.failed, *readings.failed))


def failures(
    taken: Mapping[str, T | WebchatSyncError], before: Sequence[FailedOrganization] = (), *, alone: bool
) -> tuple[FailedOrganization, ...]:
    """The organisations that ``taken`` has an error for, after those that failed ``before``.

    Where there is but one, ``alone``, nothing is left to do, and its error is raised.
    """
    failed = list(before)
    for organization, result in taken.items():
        if isinstance(result, WebchatSyncError):
            if alone:
                raise result
            problems = (
                result.problems if isinstance(result, InputError) else (Diagnostic(result.message, hint=result.hint),)
            )
            failed.append(FailedOrganization(organization, result.exit_code, problems))
    return tuple(failed)
