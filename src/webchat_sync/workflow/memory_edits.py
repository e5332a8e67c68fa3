"""How a run changes the memory of one organisation, when it begins and when it ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

from webchat_sync.domain.names import stored_form
from webchat_sync.memory.document import Document
from webchat_sync.model import DoubtfulCreate, KnownChannel, LedgerEntry

NO_MOVES: Final[Mapping[str, str]] = MappingProxyType({})

DOUBT_LASTS: Final = timedelta(days=30)
"""A create in doubt that is older can't take effect any more."""


def with_rotation(document: Document, *, channel_id: str, entry: LedgerEntry | None) -> Document:
    """With the channel's last rotation; None forgets it."""
    return document.with_rotation(channel_id, entry)


def begun(
    document: Document, *, creates: Mapping[str, DoubtfulCreate], adoptions: Mapping[str, LedgerEntry]
) -> Document:
    """With what the next run must know if this one is cut off."""
    document = document.with_creates(creates)
    for channel_id, entry in adoptions.items():
        document = document.with_rotation(channel_id, entry)
    return document


def ended(
    document: Document,
    *,
    settled: Iterable[str],
    gone: Iterable[str | None],
    live: Mapping[str, KnownChannel],
    listed: Sequence[str],
    now: datetime,
    owner: str = "",
    released: Set[str] = frozenset(),
    moves: Mapping[str, str] = NO_MOVES,
) -> Document:
    """With the outcome of a run: the attempts whose creates are ``settled``, and the ids of channels that are ``gone``.

    ``live`` are the channels that are live and declared, ``listed`` the ids that were live before the run. The
    ``owner`` no longer declares the ``released`` ones, which others do; ``moves`` are its folders that have new names.
    """
    names = {stored_form(channel.name) for channel in live.values()}
    document = document.with_creates(dict.fromkeys(settled))
    over = [
        attempt
        for attempt, create in document.creates.items()
        if now - create.at > DOUBT_LASTS and stored_form(create.name) in names
    ]
    document = document.with_creates(dict.fromkeys(over))
    document = document.with_channels(dict.fromkeys(channel_id for channel_id in gone if channel_id))
    before, present = document.channels, {*listed, *live}
    # A channel that disappeared and was created again is a different channel.
    recreated = [
        channel_id
        for channel_id, known in before.items()
        if channel_id not in present and stored_form(known.name) in names
    ]
    declared = {channel_id: _with_owners(channel, before.get(channel_id)) for channel_id, channel in live.items()}
    declared |= {
        channel_id: _released(known, owner) if channel_id in released else _moved(known, owner, moves)
        for channel_id, known in before.items()
        if channel_id not in declared and owner in known.owners
    }
    changed = {
        channel_id: channel
        for channel_id, channel in declared.items()
        if channel_id not in before or not _is_same(before[channel_id], channel)
    }
    return document.with_channels({**dict.fromkeys(recreated), **changed})


def _with_owners(channel: KnownChannel, before: KnownChannel | None) -> KnownChannel:
    """The channel with those who declared it before, and with the file that was known unless this run knows it."""
    owners = before.owners if before else {}
    file = channel.file or owners.get(channel.owner, "")
    return channel.owned_by({**owners, channel.owner: file} if channel.owner else owners)


def _released(known: KnownChannel, owner: str) -> KnownChannel:
    return known.owned_by(_without(known.owners, owner))


def _moved(known: KnownChannel, owner: str, moves: Mapping[str, str]) -> KnownChannel:
    file = PurePosixPath(known.owners[owner])
    new = moves.get(str(file.parent))
    return known.owned_by({**known.owners, owner: str(PurePosixPath(new, file.name))}) if new and file.name else known


def _without(owners: Mapping[str, str], owner: str) -> dict[str, str]:
    return {other: file for other, file in owners.items() if other != owner}


def _is_same(before: KnownChannel, channel: KnownChannel) -> bool:
    """Whether only the time differs, which isn't worth a write."""
    return replace(before, seen=channel.seen) == channel
