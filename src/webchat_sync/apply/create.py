"""Creates a channel exactly once, even if the response is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace

from webchat_sync.apply.ports import ChannelApi
from webchat_sync.create_once import create_once
from webchat_sync.domain.names import confusable
from webchat_sync.environment import Sleep
from webchat_sync.errors import ApiAnswerError, ApiError, LockLostError
from webchat_sync.model import Json, LiveChannel, WriteResult


async def create_channel(
    api: ChannelApi,
    body: Mapping[str, Json],
    *,
    path: str,
    idempotency_key: str,
    known: Set[str],
    sleep: Sleep,
    may_repeat: Callable[[], bool] = lambda: True,
) -> WriteResult:
    """Create the channel that ``body`` describes, or find the one that an unanswered attempt created.

    ``path`` is that of the call, for errors.

    A channel counts as ours if its name can be confused with the one in ``body`` and its id isn't ``known``, which are
    the ids that were live before the run. It's only sent again if it ``may_repeat``. Raises ApiError: in doubt if
    several channels could be ours, if the list can't be read, or if the outcome of every POST is unknown; otherwise,
    the error of the call.
    """
    name, sent = str(body["name"]), 0
    in_doubt: ApiError | None = None

    async def send() -> WriteResult:
        nonlocal sent, in_doubt
        try:
            result = await api.create_channel(body, idempotency_key=idempotency_key)
        except ApiError as error:
            sent += error.attempts
            in_doubt = error.counted(sent, in_doubt=error.in_doubt, hint=error.hint)
            raise in_doubt from None
        return replace(result, attempts=result.attempts + sent)

    async def look(doubt: ApiError) -> WriteResult | None:
        try:
            live = await api.list_channels()
        except ApiError:
            # Without a list, nothing may be sent again.
            raise doubt from None
        new = [channel for channel in live if channel.id not in known and confusable(channel.name, name)]
        if len(new) > 1:
            raise _several(doubt, new)
        return WriteResult(doubt.status, doubt.request_id, sent, new[0]) if new else None

    try:
        created = await create_once(send, look, sleep, may_repeat=may_repeat)
    except LockLostError:
        if in_doubt is None:
            raise
        # Nothing more may be sent, so what was sent stays in doubt.
        raise in_doubt from None
    if created.channel is not None and created.channel.id in known:
        raise _already_existed(created, created.channel, path)
    return created


def _already_existed(result: WriteResult, channel: LiveChannel, path: str) -> ApiError:
    return ApiAnswerError(
        f"HTTP {result.status}, but the response names the channel {channel.id}, which already existed",
        method="POST",
        path=path,
        status=result.status,
        request_id=result.request_id,
        in_doubt=True,
        attempts=result.attempts,
        hint="No more calls were made for it. Check the live channels, and pin the right one with sync.id.",
    )


def _several(doubt: ApiError, channels: Sequence[LiveChannel]) -> ApiError:
    ids = ", ".join(channel.id for channel in channels)
    found = f"{len(channels):,} new channels with this name or a similar one have appeared since"
    return ApiAnswerError(
        f"{doubt.reason}; {found}: {ids}",
        method=doubt.method,
        path=doubt.path,
        status=doubt.status,
        request_id=doubt.request_id,
        in_doubt=True,
        attempts=doubt.attempts,
        hint="Check them, delete the ones you don't need, and pin the one you keep with sync.id.",
    )
