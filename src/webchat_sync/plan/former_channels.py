"""Recognises that a channel to create was live before, under an id that is not listed any more or has another name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from webchat_sync.domain.names import same
from webchat_sync.model import SANDBOX, Declaration, Impact, KnownChannels, Listing, LiveChannel
from webchat_sync.plan.match_channels import Matches

WAS_LIVE: Final = "was-live"
OTHER_NAME: Final = "other-name"
IN_DOUBT: Final[Mapping[str, str]] = {
    WAS_LIVE: "Use a key that isn't restricted to some channels. If the channel was deleted and you want it back, "
    "remove --strict.",
}
"""The codes of the dangers that only the strict refuse, and what to do about them."""

TWICE: Final[Mapping[str, str]] = {
    OTHER_NAME: "Declare that name, or pin the channel with `sync.id`, which gives it its declared name back. If you "
    "want both, use --allow-lookalikes.",
}
"""The codes of the dangers that are refused: the create certainly makes a second channel."""


@dataclass(frozen=True, slots=True)
class FormerChannels:
    """The names of the channels of one organisation that were live at the last apply, by their ids.

    ``listed`` are the ids that are live now, ``free`` the live channels that no declaration means.
    """

    names: Mapping[str, str]
    listed: frozenset[str]
    free: Sequence[LiveChannel]

    @staticmethod
    def of(known: KnownChannels, organization: str, listing: Listing, matches: Matches) -> FormerChannels:
        """What is ``known`` of the one organisation; nothing of the sandbox, which people empty to begin anew."""
        if listing.base_url == SANDBOX:
            known = {}
        here = (listing.base_url, organization)
        names = {key.channel_id: channel.name for key, channel in sorted(known.items()) if key[:2] == here}
        return FormerChannels(names, frozenset(channel.id for channel in listing.channels), matches.undeclared)

    def dangers(self, declaration: Declaration) -> Iterator[Impact]:
        """Why the create of ``declaration`` may make a second channel.

        A key that is restricted to some channels lists those only; and somebody may have given the channel another
        name.
        """
        wanted = [name for name in (declaration.name, declaration.renamed_from) if name is not None]
        ids = [channel_id for channel_id, known in self.names.items() if any(same(known, name) for name in wanted)]
        for channel_id in ids:
            if channel_id not in self.listed:
                text = (
                    f"this channel was live at the last apply (id {channel_id}) and has since been deleted, "
                    "or isn't visible to this key"
                )
                yield Impact("danger", WAS_LIVE, text)
        for channel in self.free:
            if channel.id in ids:
                called = json.dumps(channel.name, ensure_ascii=False)
                yield Impact("danger", OTHER_NAME, f"this channel is live under the name {called} (id {channel.id})")
