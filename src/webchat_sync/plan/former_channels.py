"""Recognises that a channel to create was live before, under an id that isn't listed now or with another name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from webchat_sync.domain.names import stored_form
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import as_json
from webchat_sync.model import (
    SANDBOX,
    Declaration,
    Delete,
    Impact,
    KnownChannels,
    Listing,
    LiveChannel,
    OrganizationKey,
)
from webchat_sync.plan.live_names import LiveNames
from webchat_sync.plan.match_channels import Matches

WAS_LIVE: Final = "was-live"
OTHER_NAME: Final = "other-name"
OTHER_NAME_GOES: Final = "other-name-goes"
UNLISTED: Final = "unlisted"
IN_DOUBT: Final[Mapping[str, str]] = {
    WAS_LIVE: "Use a key that isn't restricted to some channels. If the channel was deleted and you want it back, "
    "remove --strict.",
}
"""The codes of the dangers that only --strict refuses, each with a hint."""

_KEEP_IT: Final = "Declare that name, or pin the channel with `sync.id`, which gives it its declared name back."

TWICE: Final[Mapping[str, str]] = {
    OTHER_NAME: f"{_KEEP_IT} If you want both, use --allow-lookalikes.",
    OTHER_NAME_GOES: f"{_KEEP_IT} If you want both, declare both. To delete it and create a new one, "
    "use --allow-lookalikes.",
    UNLISTED: "The list may be out of date: try again later. If this key is restricted to other channels, use one that "
    "isn't. If the channel was deleted and you want it back, use --allow-lookalikes.",
}
"""The codes of the dangers that are always refused, since the create would probably duplicate or replace a channel."""


@frozen(slots=False)
class FormerChannels:
    """The names, by id, of the channels of one organisation that were live at the last apply.

    ``unlisted`` are the ids of those that an apply created and no list has had yet. ``listed`` are the ids that are
    live now, ``free`` the live channels that no declaration matches.
    """

    names: Mapping[str, str]
    unlisted: frozenset[str]
    listed: frozenset[str]
    free: Sequence[LiveChannel]

    @staticmethod
    def of(known: KnownChannels, organization: str, listing: Listing, matches: Matches) -> FormerChannels:
        """What is ``known`` about the organisation; nothing for the sandbox, which people empty to start over."""
        here = {} if listing.base_url == SANDBOX else known.get(OrganizationKey(listing.base_url, organization), {})
        names = {channel_id: channel.name for channel_id, channel in sorted(here.items())}
        unlisted = frozenset(channel_id for channel_id, channel in here.items() if channel.unlisted)
        listed = frozenset(channel.id for channel in listing.channels)
        return FormerChannels(names, unlisted, listed, matches.undeclared)

    def dangers(self, declaration: Declaration, deletes: Sequence[Delete]) -> Iterator[Impact]:
        """Why creating ``declaration`` may duplicate a channel, or replace one of those that ``deletes`` removes.

        A key that's restricted to some channels lists only those, and someone may have renamed the channel.
        """
        names = [name for name in (declaration.name, declaration.renamed_from) if name is not None]
        ids = sorted({channel_id for name in names for channel_id in self._ids_by_name.get(stored_form(name), ())})
        for channel_id in ids:
            if channel_id in self.listed:
                continue
            if channel_id in self.unlisted:
                text = f"an earlier apply created this channel (id {channel_id}), and it hasn't been listed since"
                yield Impact("danger", UNLISTED, text)
            else:
                text = (
                    f"this channel was live at the last apply (id {channel_id}) and has since been deleted, "
                    "or isn't visible to this key"
                )
                yield Impact("danger", WAS_LIVE, text)
        for channel in (self._free_by_id[channel_id] for channel_id in ids if channel_id in self._free_by_id):
            text = f"this channel is live under the name {as_json(channel.name)} (id {channel.id})"
            if any(delete.channel_id == channel.id for delete in deletes):
                yield Impact("danger", OTHER_NAME_GOES, f"{text} and would be deleted")
            else:
                yield Impact("danger", OTHER_NAME, text)

    @cached_property
    def free_names(self) -> LiveNames:
        """The names of ``free``."""
        return LiveNames(self.free)

    @cached_property
    def _free_by_id(self) -> Mapping[str, LiveChannel]:
        return {channel.id: channel for channel in self.free}

    @cached_property
    def _ids_by_name(self) -> Mapping[str, Sequence[str]]:
        ids: defaultdict[str, list[str]] = defaultdict(list)
        for channel_id, name in self.names.items():
            ids[stored_form(name)].append(channel_id)
        return ids
