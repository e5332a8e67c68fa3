"""Creates a channel once, also when the answer is lost: look before sending again, and never guess."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Final

from webchat_sync.apply.ports import ChannelApi
from webchat_sync.domain.names import confusable
from webchat_sync.environment import Sleep
from webchat_sync.errors import ApiAnswerError, ApiError, LockLostError
from webchat_sync.model import Json, LiveChannel, WriteResult

LOOKS: Final = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before every look for a channel whose create is in doubt: a server may commit after it gave up."""

POSTS: Final = 3
"""How often a create is sent at most, each time only after all looks found nothing."""


async def create_once(
    api: ChannelApi,
    body: Mapping[str, Json],
    *,
    idempotency_key: str,
    known: Set[str],
    sleep: Sleep,
) -> WriteResult:
    """Create the channel that ``body`` describes, or adopt the one that an answerless attempt created.

    A channel counts as created by us when its name can be taken for that of ``body`` and it has an id that is not
    ``known``, the ids that were live before the run. Raises ApiError: as it came when it is not in doubt; in doubt
    when several channels could be the one, when the list cannot be read, and when every POST ended in doubt.
    """
    posts = sent = 0
    failure: ApiError | None = None
    while True:
        posts += 1
        try:
            receipt = await _post(api, body, idempotency_key, failure)
        except ApiError as error:
            # After a doubt even a refusal may mean that the first attempt took effect late, so it is looked for.
            if posts == 1 and not error.in_doubt:
                raise
            failure = error
            sent += error.attempts
        else:
            if receipt.channel is not None and receipt.channel.id in known:
                raise _another(receipt, receipt.channel)
            return replace(receipt, attempts=receipt.attempts + sent)
        found = await _look(api, str(body["name"]), known, sleep, failure)
        if len(found) > 1:
            raise _several(failure, found)
        if found:
            return WriteResult(failure.status, failure.request_id, sent, found[0])
        if posts == POSTS or not failure.in_doubt:
            raise failure


async def _post(api: ChannelApi, body: Mapping[str, Json], idempotency_key: str, doubt: ApiError | None) -> WriteResult:
    """Send the create; what was sent before stays in ``doubt`` where nothing may be sent any more."""
    try:
        return await api.create_channel(body, idempotency_key=idempotency_key)
    except LockLostError:
        if doubt is None:
            raise
        raise doubt from None


async def _look(api: ChannelApi, name: str, known: Set[str], sleep: Sleep, doubt: ApiError) -> list[LiveChannel]:
    """The channels of that name that were not there before; looked for until one shows or the looks are over."""
    for seconds in LOOKS:
        await sleep(seconds)
        try:
            live = await api.list_channels()
        except ApiError:
            # Nothing may be sent again without having looked.
            raise doubt from None
        found = [lookalike for lookalike in live if lookalike.id not in known and confusable(lookalike.name, name)]
        if found:
            return found
    return []


def _another(receipt: WriteResult, channel: LiveChannel) -> ApiError:
    return ApiAnswerError(
        f"HTTP {receipt.status}, but the answer is the channel {channel.id}, which was live before",
        method="POST",
        path="the new channel",
        status=receipt.status,
        request_id=receipt.request_id,
        in_doubt=True,
        attempts=receipt.attempts,
        hint="Nothing more was sent for it. Look at what is live, and pin the channel that is meant with sync.id.",
    )


def _several(doubt: ApiError, found: list[LiveChannel]) -> ApiError:
    ids = ", ".join(lookalike.id for lookalike in found)
    return ApiAnswerError(
        f"{doubt.reason}; since then {len(found)} new channels have the name: {ids}",
        method=doubt.method,
        path=doubt.path,
        status=doubt.status,
        request_id=doubt.request_id,
        in_doubt=True,
        hint="Look at them, delete those that are too many, and pin the one that stays with sync.id.",
    )
