"""Every sign in a response that it's incomplete, in the styles of all servers.

The vendor doesn't document which one it would use. A false alarm ends a run before anything is planned; an overlooked
sign leads to duplicates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

import httpx

from webchat_sync.api.exchange import Answer
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json
from webchat_sync.strict_json import load_json

_PLACES: Final = {
    *("meta", "metadata", "listmetadata", "responsemetadata", "info", "resultinfo", "resultset"),
    *("pagination", "paging", "pager", "paginator", "page", "pageinfo", "pagecontext"),
    *("link", "links", "cursor", "cursors"),
}
_MORE: Final = lazy_pattern(
    r"""
      (?:has|is)?(?:more|next)(?:page|item|result|record|row|entry|entrie|data|batch|scroll|search|start)?s?
      (?:after|available|cursor|exists|href|id|index|key|link|marker|number|offset|params|path|range|token|ur[il])?s?
    | (?:after|end)?cursor | continu(?:e|ation)(?:id|key|token)? | (?:is|was)?(?:truncated|incomplete|partial)
    | (?:page|pagination|resumption|skip)token | bookmark | scrollid | lastevaluatedkey | exceeded(?:transfer)?limit
    | remaining(?:item|page|record|result)s?(?:count)?
    """,
    re.VERBOSE,
)
"""Names whose value is set, and neither 0 nor false, if there is more."""

_ENDED: Final = lazy_pattern(r"(?:is)?(?:last(?:page)?|done|complete|finished|exhausted)")
"""Names whose value is false if there is more."""

_COUNTED: Final = r"(?:channel|doc|element|entry|entrie|hit|item|match|matche|object|record|result|row)s?"
_TOTALS: Final = lazy_pattern(
    rf"(?:full|grand|overall)?total(?:of)?(?:{_COUNTED}|found|number|size)?(?:count)?"
    rf"|{_COUNTED}total|(?:{_COUNTED}|full|list|overall)?count|num(?:ber)?(?:of)?{_COUNTED}|(?:num)?found|nbhits"
)
_PAGES: Final = lazy_pattern(
    r"(?:total|num|nb|max|numberof)pages?(?:count)?|pages?(?:count|total)|pages|lastpage(?:index|number)?"
)
_NOTHING: Final = ("", "0", "false", "no", "none", "null")
_FLAGS: Final = ("hasmore", "hasnext", "hasnextpage")
_SPELLING: Final = lazy_pattern(r"[^a-z0-9]")
_TELLING: Final = 7
"""The minimum length of a name's last word: a shorter one, such as ``count``, can mean anything."""


def sign_of_more(answer: Answer, count: int, pages: int) -> str:
    """What indicates in the last response that there are more than ``count`` channels on ``pages``; or empty."""
    outer = [holder for holder in (answer.envelope, answer.data) if isinstance(holder, Mapping)]
    inside = (sign for holder in outer for sign in _signs(holder, count, pages))
    return _sign_in_headers(answer.response, count, pages) or next(inside, "")


def _sign_in_headers(response: httpx.Response, count: int, pages: int) -> str:
    headers = response.headers
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        return "the status says that the content is partial"
    if any(_leads_on(relation) for relation in response.links):
        return 'a Link header has rel="next"'
    if _number(headers.get("content-range", "").rpartition("/")[2]) > count:
        return "Content-Range announces more channels"
    for name, value in headers.items():
        if "pagination" in name:
            with suppress(ValueError):
                if sign := next(_signs({"pagination": load_json(value)}, count, pages), ""):
                    return f"{name.title()}: {sign}"
        for plain in _parts(name):
            if said := _sign(plain, value, count, pages):
                return f"{name.title()} is {said}"
    return ""


def _parts(header: str) -> Iterator[str]:
    """The normalised name of a header, and every suffix that's long enough, so that a vendor's prefix hides none."""
    words = header.removeprefix("x-").split("-")
    yield "".join(words)
    ends = ["".join(words[start:]) for start in range(1, len(words))]
    yield from (end for end in ends if len(end) >= _TELLING or words[0] in {"list", "pagination", "paging"})


def _signs(holder: Mapping[str, Json], count: int, pages: int) -> Iterator[str]:
    plain_names = {name: _SPELLING.sub("", name.lower()).removeprefix("odata") for name in holder}
    over = any(plain in _FLAGS and holder[name] is False for name, plain in plain_names.items())
    for name, value in holder.items():
        plain = plain_names[name]
        if plain in _PLACES and isinstance(value, Mapping):
            yield from _signs(value, count, pages)
        elif plain in _PLACES and isinstance(value, list):
            relations = (link for link in value if isinstance(link, Mapping) and _leads_on(link.get("rel")))
            yield from (f'`{name}` has rel="next"' for link in relations if link.get("href") or link.get("url"))
        # The end cursor of the last page doesn't mean that there's another.
        elif not (plain == "endcursor" and over) and (sign := _sign(plain, value, count, pages)):
            yield f"`{name}` is {sign}"


def _sign(plain: str, value: Json, count: int, pages: int) -> str:
    """What a value with a normalised name says if it indicates more; empty if it doesn't."""
    if _MORE.fullmatch(plain) and not _says_nothing(value):
        return "set"
    if _ENDED.fullmatch(plain) and (value is False or value == "false"):
        return "false"
    if _TOTALS.fullmatch(plain) and _number(value) > count:
        return "greater than that"
    return "greater than the number of pages read" if _PAGES.fullmatch(plain) and _number(value) > pages else ""


def _leads_on(relation: object) -> bool:
    return "next" in str(relation).lower().split()


def _says_nothing(value: Json) -> bool:
    if isinstance(value, Mapping):
        return all(map(_says_nothing, value.values()))
    return not value or (isinstance(value, str) and value.strip().lower() in _NOTHING)


def _number(value: Json) -> float:
    """The number in ``value``, which can be digits; 0 for anything else."""
    if isinstance(value, str):
        return float(value) if value.strip().isdecimal() else 0
    return value if isinstance(value, int | float) else 0
