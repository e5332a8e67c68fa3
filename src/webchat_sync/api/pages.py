"""Whether a list is whole: its pages in order, and every sign in an answer that there is more than it carries.

The vendor pages "every large list" by ``pageInfo`` (its SDK's types); whether it ever pages channels is not published.
Every other sign of paging is one that this client cannot follow, so it makes the listing incomplete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from webchat_sync.api.exchange import Answer
from webchat_sync.api.transfer import MOST_LISTED
from webchat_sync.model import Json

MOST_PAGES: Final = 1000
"""How many pages of one listing are read at the most."""

_PLACES: Final = ("meta", "pagination", "paging", "page", "pageInfo", "page_info", "links", "_links", "cursors")
_MORE: Final = {
    *("hasmore", "hasnext", "hasnextpage", "next", "nextpage", "nextcursor", "nextpagetoken", "nextpageurl", "nexturl"),
    *("nextlink", "nexttoken", "cursor", "aftercursor", "endcursor", "continuationtoken", "continue"),
    *("istruncated", "truncated", "incomplete", "partial"),
}
_TOTALS: Final = {"total", "totalcount", "totalitems", "totalresults", "totalelements", "totalrecords", "count"}
_PAGES: Final = {"totalpages", "pagecount", "pages", "lastpage", "numpages"}
_NOTHING: Final = ("", "0", "false", "no", "none", "null")
_MORE_HEADERS: Final = ("x-next-page", "x-has-more", "x-next-cursor", "x-continuation-token")
_TOTAL_HEADERS: Final = ("x-total-count", "x-total")
_PAGES_HEADERS: Final = ("x-total-pages", "x-page-count")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. ``next_cursor`` leads to the one after it, and is None on the last."""

    items: tuple[Json, ...]
    next_cursor: str | None


def read_page(answer: Answer, *, items_before: int, pages_before: int, bytes_before: int) -> Page:
    """The page that ``answer`` carries, after so many items and bytes on so many pages.

    Raises ApiAnswerError when it is no list, or when the list goes on in a way that cannot be followed.
    """
    holder = answer.data if isinstance(answer.data, Mapping) else answer.envelope
    items = holder.get("data")
    if not isinstance(items, list):
        raise answer.untrusted("`data` isn't a list of channels")
    count, number = items_before + len(items), pages_before + 1
    next_cursor, sign = _next_cursor(holder)
    if next_cursor is None:
        sign = sign or _sign_of_more(answer, count, number)
    elif not items:
        sign = "a page has no channels but says that another page follows"
    elif number == MOST_PAGES:
        sign = f"it has more than {MOST_PAGES} pages"
    elif bytes_before + answer.size > MOST_LISTED:
        sign = f"its pages exceed {MOST_LISTED // 2**20} MiB"
    if sign:
        raise answer.untrusted(f"the list of {count} channels is incomplete: {sign}")
    return Page(tuple(items), next_cursor)


def _next_cursor(holder: Mapping[str, Json]) -> tuple[str | None, str]:
    """The cursor of the next page, if there is one; or why it is not known whether there is."""
    info = holder.get("pageInfo")
    if not isinstance(info, Mapping):
        return None, "" if info is None else "`pageInfo` isn't an object"
    more, cursor = info.get("hasNextPage"), info.get("endCursor")
    if more is True:
        return (
            (cursor, "")
            if isinstance(cursor, str) and cursor
            else (None, "`hasNextPage` is true, but there's no cursor")
        )
    if more is None and cursor is None:
        return None, ""
    return None, "" if more is False else "`pageInfo` doesn't say whether there is a next page"


def _sign_of_more(answer: Answer, count: int, pages: int) -> str:
    """What in the last answer tells that there are more channels than ``count`` on ``pages``; empty if nothing does."""
    return _sign_in_headers(answer.response, count, pages) or next(_signs_in_body(answer, count, pages), "")


def _sign_in_headers(response: httpx.Response, count: int, pages: int) -> str:
    headers = response.headers
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        return "the status says that the content is partial"
    if any("next" in str(relation).lower().split() for relation in response.links):
        return 'a Link header has rel="next"'
    for name in _MORE_HEADERS:
        if headers.get(name, "").strip().lower() not in _NOTHING:
            return f"{name.title()} is set"
    totals = {name: headers.get(name) for name in _TOTAL_HEADERS}
    totals["content-range"] = headers.get("content-range", "").rpartition("/")[2]
    for name, total in totals.items():
        if _number(total) > count:
            return f"{name.title()} is greater"
    return next((f"{name.title()} is greater" for name in _PAGES_HEADERS if _number(headers.get(name)) > pages), "")


def _signs_in_body(answer: Answer, count: int, pages: int) -> Iterator[str]:
    outer = [holder for holder in (answer.envelope, answer.data) if isinstance(holder, Mapping)]
    inner = [holder.get(place) for holder in outer for place in _PLACES]
    for holder in (*outer, *(place for place in inner if isinstance(place, Mapping))):
        for name, value in holder.items():
            plain = name.lower().replace("_", "").replace("-", "").removeprefix("@odata.")
            # An object under the name of a place is looked into; the end cursor of a last page is no sign of another.
            if isinstance(value, Mapping) or (plain == "endcursor" and holder.get("hasNextPage") is False):
                continue
            if plain in _MORE and not _says_nothing(value):
                yield f"`{name}` is set"
            if (plain in _TOTALS and _number(value) > count) or (plain in _PAGES and _number(value) > pages):
                yield f"`{name}` is greater"


def _says_nothing(value: Json) -> bool:
    return not value or (isinstance(value, str) and value.strip().lower() in _NOTHING)


def _number(value: Json) -> float:
    """The count that ``value`` gives as a number or as digits; 0 for anything else."""
    if isinstance(value, str):
        return float(value) if value.strip().isdecimal() else 0
    return value if isinstance(value, int | float) else 0
