"""Whether a list is complete: its pages are in order, and nothing in the last response indicates more.

The vendor pages "every large list" by ``pageInfo`` (its SDK's types); it isn't documented whether channels are ever
paged. This client can't follow any other kind of paging, so signs of one make the listing incomplete.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from webchat_sync.api.exchange import Answer, failure_in
from webchat_sync.api.paging_signs import sign_of_more
from webchat_sync.api.transfer import MOST_LISTED
from webchat_sync.frozen import frozen
from webchat_sync.model import Json
from webchat_sync.sentences import counted

MOST_PAGES: Final = 1000
"""The limit of pages in one listing."""

INCOMPLETE_HINT: Final = "Run this again, and report it if that doesn't help."


@frozen
class Page:
    """One page of a list. ``next_cursor`` leads to the next page, and is None on the last."""

    items: tuple[Json, ...]
    next_cursor: str | None


def read_page(answer: Answer, *, items_before: int, pages_before: int, bytes_before: int) -> Page:
    """The page in ``answer``, preceded by that many items, pages and bytes.

    Raises ApiAnswerError if it isn't a list, or if the list continues in a way that can't be followed.
    """
    holder = answer.data if isinstance(answer.data, Mapping) else answer.envelope
    if failure := failure_in(holder):
        raise answer.untrusted(failure)
    items = holder.get("data")
    if not isinstance(items, list):
        raise answer.untrusted("`data` isn't a list of channels")
    count, number = items_before + len(items), pages_before + 1
    listed = f"the list of {counted(count, 'channel')}"
    next_cursor, doubt = _next_cursor(holder)
    sign = ""
    if doubt:
        raise answer.untrusted(f"{listed} {doubt}", hint=INCOMPLETE_HINT)
    if next_cursor is None:
        sign = sign_of_more(answer, count, number)
    elif not items:
        sign = "a page has no channels but says that another page follows"
    elif number == MOST_PAGES:
        sign = f"it has more than {MOST_PAGES:,} pages"
    elif bytes_before + answer.size > MOST_LISTED:
        sign = f"its pages exceed {MOST_LISTED // 2**20} MiB"
    if sign:
        raise answer.untrusted(f"{listed} is incomplete: {sign}", hint=INCOMPLETE_HINT)
    return Page(tuple(items), next_cursor)


def _next_cursor(holder: Mapping[str, Json]) -> tuple[str | None, str]:
    """The cursor of the next page, if there is one; or why it isn't known whether there is."""
    info = holder.get("pageInfo")
    if not isinstance(info, Mapping):
        return None, "" if info is None else "may be incomplete: `pageInfo` isn't an object"
    more, cursor = info.get("hasNextPage"), info.get("endCursor")
    if more is True:
        return (
            (cursor, "")
            if isinstance(cursor, str) and cursor
            else (None, "is incomplete: `hasNextPage` is true, but there's no cursor")
        )
    if more is None and cursor is None:
        return None, ""
    return None, "" if more is False else "may be incomplete: `pageInfo` doesn't say whether there is a next page"
