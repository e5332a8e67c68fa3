"""Reads values from responses. Anything without the API's format is an ApiAnswerError, never a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from webchat_sync.api.exchange import Answer
from webchat_sync.api.pages import read_page
from webchat_sync.api.types import IdentitySecret, Media
from webchat_sync.flat import flat
from webchat_sync.frozen import frozen
from webchat_sync.model import Json, LiveChannel, Secret, WriteResult, read_moment


@frozen
class ChannelPage:
    """Channels in the server's order; ``next_cursor`` is None on the last page."""

    channels: tuple[LiveChannel, ...]
    next_cursor: str | None
    answer: Answer


def channel_page(
    answer: Answer, *, organization: str, items_before: int = 0, pages_before: int = 0, bytes_before: int = 0
) -> ChannelPage:
    """One page of the channels of ``organization``, preceded by that many items, pages and bytes.

    Raises ApiAnswerError unless it's reliable, since planning deletes against half a list would be dangerous.
    """
    page = read_page(answer, items_before=items_before, pages_before=pages_before, bytes_before=bytes_before)
    listed: list[LiveChannel] = []
    for index, item in enumerate(page.items):
        try:
            listed.append(LiveChannel.from_json(item))
        except ValueError as error:
            raise answer.untrusted(f"`data[{index}]` {error}") from None
    for channel in listed:
        owner = _owner(channel)
        if owner not in ("", organization) and owner.casefold() != organization.casefold():
            raise answer.untrusted(f"the list includes a channel of a different organisation, {channel.id} of {owner}")
    return ChannelPage(tuple(listed), page.next_cursor, answer)


def _owner(channel: LiveChannel) -> str:
    """The id of the channel's organisation, if its record has one."""
    fields = channel.fields
    organization = fields.get("organization")
    nested = organization.get("id") if isinstance(organization, dict) else None
    for owner in (fields.get("organizationId"), fields.get("orgId"), nested):
        if owner and isinstance(owner, (int, str)):
            return str(owner)
    return ""


@frozen
class Listing:
    """All channels, from one page or several; ``repeated``: one was on two pages, so the list moved meanwhile."""

    channels: tuple[LiveChannel, ...]
    last: Answer
    paged: bool
    repeated: bool

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids in the server's order."""
        return tuple(channel.id for channel in self.channels)


def whole(pages: Sequence[ChannelPage]) -> Listing:
    """The listing of all ``pages``. Raises ApiAnswerError if a page has an id twice."""
    for page in pages:
        counted = Counter(channel.id for channel in page.channels)
        if twice := [identifier for identifier, count in counted.items() if count > 1]:
            raise page.answer.untrusted(f"`data` lists the same id more than once: {', '.join(twice)}")
    by_id = {channel.id: channel for page in pages for channel in page.channels}
    repeated = len(by_id) < sum(len(page.channels) for page in pages)
    return Listing(tuple(by_id.values()), pages[-1].answer, paged=len(pages) > 1, repeated=repeated)


def stored(answer: Answer, *, channel_id: str | None = None) -> WriteResult:
    """The result with the channel in ``data``, which must have the ``channel_id`` if one is given."""
    try:
        channel = LiveChannel.from_json(answer.data)
    except ValueError as error:
        raise answer.untrusted(f"`data` {error}") from None
    if channel_id not in {None, channel.id}:
        raise answer.untrusted(f"the response is about a different channel, {channel.id}")
    return answer.write_result(channel)


def record(answer: Answer) -> dict[str, Json]:
    """``data``, an object."""
    if not isinstance(answer.data, dict):
        raise answer.untrusted("`data` isn't an object")
    return answer.data


def snippet(answer: Answer) -> str:
    """The text of ``data.html``, which is printed, so it mustn't contain anything for a terminal or a log."""
    html = _text(answer, "html")
    lines = [line.replace("\t", " ") for line in html.replace("\r\n", "\n").split("\n")]
    if any(flat(line) != line for line in lines):
        raise answer.untrusted("the snippet contains invisible characters or a command for a CI log")
    return html


def identity_secret(answer: Answer) -> IdentitySecret:
    """The secret in ``data``. Nothing else is required: it's only shown once, and rejecting it would lose it."""
    secret = Secret(_text(answer, "secret"))
    rotated_at = read_moment(record(answer).get("rotatedAt")) or read_moment(answer.envelope.get("timestamp"))
    return IdentitySecret(secret, rotated_at, answer.write_result())


def media(answer: Answer) -> Media:
    """The uploaded file; its id is ``mediaAssetId`` in the vendor's API reference and ``mediaId`` in its SDK types."""
    asset_id = _text(answer, "mediaAssetId" if record(answer).get("mediaAssetId") else "mediaId")
    url, mime_type = record(answer).get("url"), record(answer).get("mimeType")
    return Media(asset_id, url if isinstance(url, str) else None, mime_type if isinstance(mime_type, str) else None)


def _text(answer: Answer, name: str) -> str:
    value = record(answer).get(name)
    if not isinstance(value, str) or not value:
        raise answer.untrusted(f"`data` has no `{name}`")
    return value
