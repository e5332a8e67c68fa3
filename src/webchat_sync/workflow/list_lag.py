"""Recognises a list of channels that is older than the calls before it, as servers with several replicas return it."""

from __future__ import annotations

from collections.abc import Sequence

from webchat_sync.apply.run_log import ChannelRun
from webchat_sync.model import CreateChannel, Delete, Listing, LiveChannel, PatchChannel


def is_behind(listing: Listing, runs: Sequence[ChannelRun]) -> bool:
    """Whether ``listing`` contradicts the responses to the calls of ``runs``, which are all done."""
    listed = {channel.id: channel for channel in listing.channels}
    return any(_contradicts(listed.get(run.channel_id or ""), run) for run in runs)


def unlisted(listing: Listing, runs: Sequence[ChannelRun]) -> frozenset[str]:
    """The ids of the channels that ``runs`` created and that aren't in ``listing``."""
    created = {channel_id for run in runs for channel_id in run.created}
    return frozenset(created.difference(channel.id for channel in listing.channels))


def _contradicts(listed: LiveChannel | None, run: ChannelRun) -> bool:
    """Whether the channel of ``run`` is listed otherwise than in the response; a field that only one has is no sign."""
    if isinstance(run.change, Delete):
        return listed is not None
    if listed is None:
        return True
    sent = {
        name
        for result in run.results
        if isinstance(result.operation, CreateChannel | PatchChannel)
        for name in result.operation.body
    }
    return any(
        answered.fields[name] != listed.fields[name]
        for answered in run.answered
        for name in sent & answered.fields.keys() & listed.fields.keys()
    )
