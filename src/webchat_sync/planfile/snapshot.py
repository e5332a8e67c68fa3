"""Snapshots: the live channels of organisations, saved to plan against them later or elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from webchat_sync.domain.catalogue import load_schema
from webchat_sync.errors import Diagnostic, InputError, Place
from webchat_sync.flat import visible
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import show
from webchat_sync.model import (
    FailedOrganization,
    Json,
    Listing,
    LiveChannel,
    Manifest,
    moment_text,
    read_moment,
    server_in_words,
)
from webchat_sync.planfile.failed import failed_document, read_failed
from webchat_sync.sentences import in_a_row, quoted
from webchat_sync.strict_json import JsonError, load_json

FORMAT_VERSION: Final = "1.1"
"""The version of the format: additions raise the minor number, breaking changes the major one."""

_TAKE_ONE: Final = "Make a snapshot with `webchat-sync snapshot --out FILE`."


@frozen
class Snapshot:
    """The listings of all organisations except those that ``failed``, and when they were read."""

    created_at: datetime
    listings: Mapping[str, Listing]
    failed: tuple[FailedOrganization, ...] = ()


def render_snapshot(snapshot: Snapshot) -> str:
    """The snapshot as JSON, with all fields of every channel in the API's response."""
    document = {
        "format_version": FORMAT_VERSION,
        "created_at": moment_text(snapshot.created_at),
        "listings": [
            {
                "organization": organization,
                "base_url": listing.base_url,
                "channels": [dict(channel.fields) for channel in listing.channels],
            }
            for organization, listing in snapshot.listings.items()
        ],
        "failed": failed_document(snapshot.failed),
    }
    return visible(json.dumps(document, indent=2))


def read_snapshot(text: str | bytes, *, file: str = "the snapshot") -> Snapshot:
    """The snapshot in ``text``; ``file`` is its name in messages.

    Raises InputError unless it's complete and consistent, since planning deletes against half a list would be
    dangerous.
    """
    try:
        document = load_json(text, unique_keys=True)
    except JsonError as error:
        place = Place(file, error.line, error.column)
        raise InputError([Diagnostic(f"this isn't a snapshot: {error}", place, hint=_TAKE_ONE)]) from None
    listings = document.get("listings") if isinstance(document, dict) else None
    if not isinstance(listings, list):
        raise _untrusted(file, "it isn't a snapshot, since it has no `listings` list")
    if "format_version" not in document:
        raise _untrusted(file, "it has no `format_version`")
    version, ours = document["format_version"], FORMAT_VERSION.partition(".")[0]
    if str(version).partition(".")[0] != ours:
        why = f"its format_version is {show(version)}, but this version of webchat-sync only supports {ours}.x"
        raise _untrusted(file, why)
    by_organization = [_listing(file, f"listings[{index}]", listing) for index, listing in enumerate(listings)]
    failed = _failed(file, document.get("failed", []))
    names = [*(organization for organization, _ in by_organization), *(failure.organization for failure in failed)]
    if repeated := _twice("organisation", names):
        raise _untrusted(file, f"it lists {repeated} more than once")
    return Snapshot(_moment(file, document.get("created_at")), dict(by_organization), failed)


def against(
    snapshot: Snapshot, manifests: Sequence[Manifest], *, base_url: str | None, file: str = "the snapshot"
) -> list[tuple[Manifest, Listing]]:
    """Each manifest with its organisation's listing, except for organisations that failed in the snapshot.

    ``base_url`` is the server to plan for; None means the snapshot's. Raises InputError with every organisation that
    the snapshot doesn't contain or that was listed on another server.
    """
    known = {*snapshot.listings, *(failure.organization for failure in snapshot.failed)}
    available = quoted(list(snapshot.listings)) or "none"
    problems = [
        Diagnostic(
            f'{file} contains no listing of organisation "{manifest.organization}"',
            hint=f"It contains: {available}. {_TAKE_ONE}",
        )
        for manifest in manifests
        if manifest.organization not in known
    ]
    problems += [
        Diagnostic(
            f'{file} lists "{organization}" at {server_in_words(listing.base_url)}, not at {server_in_words(base_url)}',
            hint=_TAKE_ONE,
        )
        for organization, listing in snapshot.listings.items()
        if base_url is not None and listing.base_url != base_url
    ]
    if problems:
        raise InputError(problems)
    return [
        (manifest, snapshot.listings[manifest.organization])
        for manifest in manifests
        if manifest.organization in snapshot.listings
    ]


def _listing(file: str, place: str, item: Json) -> tuple[str, Listing]:
    if not isinstance(item, dict):
        raise _untrusted(file, f"`{place}` isn't a listing")
    organization, base_url, channels = item.get("organization"), item.get("base_url"), item.get("channels")
    if not isinstance(organization, str) or not isinstance(base_url, str) or not isinstance(channels, list):
        raise _untrusted(file, f"`{place}` must have an organization, a base_url and a list of channels")
    live: list[LiveChannel] = []
    for at, channel in enumerate(channels):
        try:
            live.append(LiveChannel.from_json(channel))
        except ValueError as error:
            raise _untrusted(file, f"`{place}.channels[{at}]` {error}") from None
    if repeated := _twice("id", [channel.id for channel in live]):
        raise _untrusted(file, f"`{place}` lists {repeated} more than once")
    return organization, Listing(base_url, tuple(live))


def _failed(file: str, written: Json) -> tuple[FailedOrganization, ...]:
    if written == []:
        return ()
    from jsonschema import Draft202012Validator

    plan, failed = load_schema("plan"), cast("list[Mapping[str, Any]]", written)
    if not Draft202012Validator({**plan["properties"]["failed"], "$defs": plan["$defs"]}).is_valid(failed):
        raise _untrusted(file, "`failed` isn't a list of organisations with their problems")
    return read_failed(failed)


def _moment(file: str, value: Json) -> datetime:
    moment = read_moment(value)
    if moment is None:
        raise _untrusted(file, "its created_at isn't a time")
    return moment


def _twice(what: str, names: Sequence[str]) -> str:
    """The names that are repeated, in words; empty if none is."""
    repeated = [f'"{name}"' for name, count in Counter(names).items() if count > 1]
    return f"the {what}{'s' if len(repeated) > 1 else ''} {in_a_row(repeated)}" if repeated else ""


def _untrusted(file: str, why: str) -> InputError:
    return InputError([Diagnostic(f"can't use {file}: {why}", hint=_TAKE_ONE)])
