"""Duplicates made by a create in doubt: which live channels they are, and which one stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from webchat_sync.domain.names import stored_form
from webchat_sync.errors import Diagnostic
from webchat_sync.frozen import frozen
from webchat_sync.model import (
    Declaration,
    DoubtfulCreate,
    Listing,
    LiveChannel,
    Manifest,
    OrganizationKey,
    Remembered,
    moment_text,
)


@frozen
class Twin:
    """The live ``channel`` was made by ``create``, whose outcome was unknown, in addition to the one that stays."""

    channel: LiveChannel
    stays: LiveChannel
    create: DoubtfulCreate
    problem: Diagnostic

    @property
    def note(self) -> str:
        """Why it's deleted."""
        return f"a duplicate of {self.stays.id}, {_story(self.create)}"


def find_twins(manifest: Manifest, listing: Listing, remembered: Remembered) -> list[Twin]:
    """The live channels that duplicate a declaration without a pin, since its create was in doubt.

    The one that stays is the only one known before, or else the first one listed.
    """
    here = OrganizationKey(listing.base_url, manifest.organization)
    doubts: dict[str, DoubtfulCreate] = {
        stored_form(create.name): create for create in remembered.creates.get(here, ())
    }
    if not doubts:
        return []
    pinned = {declaration.id for declaration in manifest.declarations}
    by_name: defaultdict[str, list[LiveChannel]] = defaultdict(list)
    for channel in listing.channels:
        if channel.id not in pinned:
            by_name[stored_form(channel.name)].append(channel)
    twins: list[Twin] = []
    for declaration in manifest.declarations:
        name = stored_form(declaration.name)
        if declaration.id is None and name in doubts and len(by_name[name]) > 1:
            known = [channel for channel in by_name[name] if channel.id in remembered.channels.get(here, {})]
            if len(known) <= 1:
                stays = known[0] if known else by_name[name][0]
                twins += [
                    Twin(channel, stays, doubts[name], _problem(declaration, channel, stays, doubts[name]))
                    for channel in by_name[name]
                    if channel is not stays
                ]
    return twins


def without_twins(channels: Sequence[LiveChannel], twins: Sequence[Twin]) -> Sequence[LiveChannel]:
    """The channels that aren't duplicates of others."""
    doubled = {twin.channel.id for twin in twins}
    return tuple(channel for channel in channels if channel.id not in doubled) if doubled else channels


def _story(create: DoubtfulCreate) -> str:
    by = f" by {create.run}" if create.run else ""
    return f"probably from the create sent{by} at {moment_text(create.at)}, whose outcome is unknown"


def _problem(declaration: Declaration, channel: LiveChannel, stays: LiveChannel, create: DoubtfulCreate) -> Diagnostic:
    return Diagnostic(
        f'the live channel {channel.id} is a duplicate of "{declaration.name}" ({stays.id}), {_story(create)}',
        declaration.place,
        hint=f"Compare the two. Apply with --remove-twins to delete {channel.id}, or pin it with sync.id to keep it "
        "instead.",
    )
