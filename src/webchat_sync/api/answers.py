"""Reads values out of answers. What does not have the API's shape is an ApiAnswerError, never a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import httpx

from webchat_sync.api.exchange import Answer
from webchat_sync.api.types import IdentitySecret, Media
from webchat_sync.model import Json, LiveChannel, Receipt, Secret

# The API documents no paging. Should it begin to page, one of these usual signs tells that a list is not whole.
PAGING_PLACES: Final = ("meta", "pagination", "paging", "links", "_links")
MORE_NAMES: Final = (
    *("hasMore", "has_more", "hasNext", "has_next", "hasNextPage", "has_next_page"),
    *("next", "nextPage", "next_page", "nextCursor", "next_cursor", "nextPageToken", "next_page_token"),
)
TOTAL_NAMES: Final = ("total", "totalCount", "total_count", "totalItems", "total_items")


def channels(answer: Answer) -> tuple[LiveChannel, ...]:
    """The whole list of channels, or ApiAnswerError: beside deletes, half a list would be worse than none."""
    items = answer.data
    if not isinstance(items, list):
        raise answer.untrusted("`data` is not a list of channels")
    found = tuple(_channel(answer, f"data[{index}]", item) for index, item in enumerate(items))
    twice = [identifier for identifier, count in Counter(each.id for each in found).items() if count > 1]
    if twice:
        raise answer.untrusted(f"`data` lists the id {', '.join(twice)} more than once")
    if sign := _sign_of_more(answer, len(found)):
        raise answer.untrusted(f"the list of {len(found)} channels is not whole: {sign}")
    return found


def stored(answer: Answer, *, channel_id: str | None = None) -> Receipt:
    """The receipt with the one channel that ``data`` is, and which has the ``channel_id`` if one is given."""
    channel = _channel(answer, "data", answer.data)
    if channel_id not in {None, channel.id}:
        raise answer.untrusted(f"the answer is another channel, {channel.id}")
    return answer.receipt(channel)


def record(answer: Answer) -> dict[str, Json]:
    """``data`` as it is, an object."""
    if not isinstance(answer.data, dict):
        raise answer.untrusted("`data` is not an object")
    return answer.data


def snippet(answer: Answer) -> str:
    """The text of ``data.html``."""
    return _text(answer, "html")


def identity_secret(answer: Answer) -> IdentitySecret:
    """The secret in ``data``. Nothing beside it is required: it is shown once, and refusing it would lose it."""
    secret = Secret(_text(answer, "secret"))
    times = (record(answer).get("rotatedAt"), answer.envelope.get("timestamp"))
    return IdentitySecret(secret, next((time for time in times if isinstance(time, str)), ""), answer.receipt())


def media(answer: Answer) -> Media:
    """The uploaded file; its id is ``mediaAssetId`` in the vendor's API reference and ``mediaId`` in its SDK types."""
    asset_id = _text(answer, "mediaAssetId" if "mediaAssetId" in record(answer) else "mediaId")
    mime_type = record(answer).get("mimeType")
    return Media(asset_id, _text(answer, "url"), mime_type if isinstance(mime_type, str) else None)


def _channel(answer: Answer, place: str, item: Json) -> LiveChannel:
    if not isinstance(item, dict):
        raise answer.untrusted(f"`{place}` is not a channel")
    identifier, name = item.get("id"), item.get("name")
    if not isinstance(identifier, str) or not identifier:
        raise answer.untrusted(f"`{place}` is a channel without an id")
    if not isinstance(name, str):
        raise answer.untrusted(f"`{place}` is a channel without a name")
    return LiveChannel(identifier, name, item)


def _text(answer: Answer, name: str) -> str:
    value = record(answer).get(name)
    if not isinstance(value, str) or not value:
        raise answer.untrusted(f"`data` has no `{name}`")
    return value


def _sign_of_more(answer: Answer, count: int) -> str:
    """What in the answer tells that there are more channels than ``count``; empty if nothing does."""
    response = answer.response
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        return "the status says partial content"
    if any("next" in str(relation).lower().split() for relation in response.links):
        return 'a Link header has rel="next"'
    if _number(response.headers.get("x-total-count")) > count:
        return "X-Total-Count is greater"
    for place in (answer.envelope, *(answer.envelope.get(name) for name in PAGING_PLACES)):
        if isinstance(place, Mapping):
            for name in MORE_NAMES:
                if place.get(name):
                    return f"`{name}` is set"
            for name in TOTAL_NAMES:
                if _number(place.get(name)) > count:
                    return f"`{name}` is greater"
    return ""


def _number(value: Json) -> float:
    """The count that ``value`` gives as a number or as digits; 0 for anything else."""
    if isinstance(value, str):
        return float(value) if value.strip().isdecimal() else 0
    return value if isinstance(value, int | float) else 0
