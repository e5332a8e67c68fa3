"""Lists the live channels of all organisations concurrently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from anyio import create_task_group

from webchat_sync.environment import Environment
from webchat_sync.errors import ApiError, CombinedApiError, Diagnostic, InputError, WebchatSyncError
from webchat_sync.frozen import frozen
from webchat_sync.model import FailedOrganization, Listing
from webchat_sync.workflow.connection import Connection, open_apis

if TYPE_CHECKING:
    from webchat_sync.apply.ports import ChannelReader

T = TypeVar("T")


@frozen
class Readings:
    """The listings of the organisations that could be read, and the failures of the others."""

    listings: Mapping[str, Listing]
    failed: tuple[FailedOrganization, ...] = ()


async def read_apart(
    organizations: Iterable[str],
    readers: Mapping[str, ChannelReader],
    process: Callable[[str, Listing], T],
    *,
    base_url: str,
    enough: Callable[[str, Listing], bool] = lambda _, __: False,
    follow: Callable[[T], object] = lambda _: None,
) -> dict[str, T | WebchatSyncError]:
    """Apply ``process`` to the listing of every organisation; its result or error, in the order given.

    Each listing is processed as soon as it's read and then dropped, since there may be thousands. ``follow`` gets each
    result, in the same order, as soon as all before it are known. A paged list is read again until two readings agree,
    or until ``enough`` accepts it.
    """
    ordered, results = list(organizations), dict[str, T | WebchatSyncError]()
    pending = iter(ordered)
    upcoming = next(pending, None)

    def pass_on() -> None:
        nonlocal upcoming
        while upcoming in results:
            result = results[upcoming]
            if not isinstance(result, WebchatSyncError):
                follow(result)
            upcoming = next(pending, None)

    async def read(organization: str) -> None:
        try:
            channels = await readers[organization].list_channels(
                lambda channels: enough(organization, Listing(base_url, channels))
            )
            results[organization] = process(organization, Listing(base_url, channels))
        except (ApiError, InputError) as error:
            results[organization] = error
        pass_on()

    async with create_task_group() as tasks:
        for organization in ordered:
            tasks.start_soon(read, organization)
    return {organization: results[organization] for organization in ordered}


async def read_readings(readers: Mapping[str, ChannelReader], *, base_url: str, single: bool) -> Readings:
    """The listings and failures of all organisations; ``single`` is as for :func:`failures`."""
    results = await read_apart(readers, readers, lambda _, listing: listing, base_url=base_url)
    listings = {name: result for name, result in results.items() if isinstance(result, Listing)}
    return Readings(listings, failures(results, single=single))


async def read_listings(
    organizations: Iterable[str], readers: Mapping[str, ChannelReader], *, base_url: str
) -> dict[str, Listing]:
    """The listing of every organisation; ``readers`` has one reader per organisation.

    Raises ApiError if one organisation can't be read, and CombinedApiError if several can't.
    """
    readings = await read_apart(organizations, readers, lambda _, listing: listing, base_url=base_url)
    failed = [reading for reading in readings.values() if isinstance(reading, ApiError)]
    if failed:
        raise failed[0] if len(failed) == 1 else CombinedApiError(failed)
    return {name: reading for name, reading in readings.items() if isinstance(reading, Listing)}


async def list_live(connection: Connection, environment: Environment) -> dict[str, Listing]:
    """Connect, and read the listing of every organisation of the connection.

    Raises the errors of read_listings, and InputError with every missing key.
    """
    if connection.failed:
        raise InputError([problem for failed in connection.failed for problem in failed.problems])
    async with open_apis(connection, environment) as apis:
        return await read_listings(apis, apis, base_url=connection.label)


async def list_readings(connection: Connection, environment: Environment, *, single: bool) -> Readings:
    """Connect, and read as :func:`read_readings` does; organisations without a key count as failed."""
    async with open_apis(connection, environment) as apis:
        readings = await read_readings(apis, base_url=connection.label, single=single)
    return Readings(readings.listings, (*connection.failed, *readings.failed))


def failures(
    results: Mapping[str, T | WebchatSyncError], before: Sequence[FailedOrganization] = (), *, single: bool
) -> tuple[FailedOrganization, ...]:
    """The organisations with an error in ``results``, after those that failed ``before``.

    ``single``: it's the only organisation, so nothing can continue without it, and its error is raised.
    """
    failed = list(before)
    for organization, result in results.items():
        if isinstance(result, WebchatSyncError):
            if single:
                raise result
            problems = (
                result.problems if isinstance(result, InputError) else (Diagnostic(result.message, hint=result.hint),)
            )
            failed.append(FailedOrganization(organization, result.exit_code, problems))
    return tuple(failed)
