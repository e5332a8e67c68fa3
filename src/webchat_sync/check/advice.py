"""What the API may well accept and a person would rather know: warnings about values, never errors.

The inner shapes of the values are not published. Advice is given only about a value that follows the assumed shape,
and about the part of it that does; anything else is passed over in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain
from typing import Final

from webchat_sync.check.schema import Advise
from webchat_sync.check.suggest import in_a_row
from webchat_sync.domain.catalogue import Field, Shape
from webchat_sync.domain.colors import LEAST_CONTRAST, contrast_to_white, is_color
from webchat_sync.domain.hosts import as_sent, is_plain_host
from webchat_sync.domain.hours import (
    DAYS,
    guess_range,
    is_place,
    known_zone,
    looks_like_range,
    parse_range,
    write_range,
)
from webchat_sync.domain.spelling import nearest
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.jsonvalue import show
from webchat_sync.model import Json

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PORT: Final = re.compile(r"(?<!:):[0-9]*$")


def adviser(field: Field) -> Advise | None:
    """What gives the advice about values of ``field``; None when there is none to give."""
    advisers = [_ADVISERS[field.advice]] if field.advice in _ADVISERS else []
    if field.shape.list_type == "map" and field.shape.server_keys:
        advisers.append(partial(twins, shape=field.shape))
    return (lambda value: chain.from_iterable(advise(value) for advise in advisers)) if advisers else None


def hosts(value: Json) -> Iterator[Diagnostic]:
    """Items of a list of host names that are more than a host name, or not in the form that browsers send."""
    for index, host in enumerate(value if isinstance(value, list) else ()):
        if isinstance(host, str) and not is_plain_host(host):
            yield from _host((index,), host)


def week(value: Json) -> Iterator[Diagnostic]:
    """A time zone that nobody knows, days that are no days, and hours that cannot be meant, in opening hours."""
    if not isinstance(value, dict):
        return
    zone, days = value.get("timezone"), value.get("days")
    if isinstance(zone, str):
        yield from _timezone(zone)
    if isinstance(days, dict) and (not days.keys().isdisjoint(DAYS)):
        for name, ranges in days.items():
            if name not in DAYS:
                meant = nearest(name, DAYS)
                hint = f"Did you mean `{meant}`?" if meant else f"Days are {', '.join(f'`{day}`' for day in DAYS)}."
                message = f"{show(name)} is no day of the week, so its hours may count for nothing"
                yield _warning(("days", name), message, hint, "weekday", at_key=True)
            else:
                yield from _hours(("days", name), ranges)


def silent_week(fields: Mapping[str, Json]) -> Iterator[Diagnostic]:
    """A channel that is never open and has no text that says so; ``fields`` are all that it declares."""
    hours = fields.get("operatingHours")
    days = hours.get("days") if isinstance(hours, dict) else None
    if isinstance(days, dict) and not any(days.values()) and not fields.get("offlineMessage"):
        yield _warning(
            ("operatingHours", "days"),
            "the week has no opening hours, and `offlineMessage` is missing: nobody tells visitors why",
            'Declare `offlineMessage`, or some hours such as `mon: ["09:00-18:00"]`.',
            "empty-week",
        )


def twins(value: Json, *, shape: Shape) -> Iterator[Diagnostic]:
    """Items that have the same id as an item before them."""
    for key in sorted(shape.server_keys):
        first: dict[str | int | float, int] = {}
        for index, item in enumerate(value if isinstance(value, list) else ()):
            own = item.get(key) if isinstance(item, dict) else None
            if isinstance(own, (str, int, float)) and first.setdefault(own, index) != index:
                message = f"this item has the same `{key}` as the one at [{first[own]}]"
                hint = f"Leave the `{key}` of a new item out: the server gives it one."
                yield _warning((index, key), message, hint, "duplicate-item")


def contrast(value: Json) -> Iterator[Diagnostic]:
    """A colour that white text is hard to read on."""
    if not isinstance(value, str) or not is_color(value):
        return
    ratio = contrast_to_white(value)
    if ratio < LEAST_CONTRAST:
        shown = math.floor(ratio * 100) / 100
        message = f"white text on {show(value)} has a contrast of {shown:.2f}:1, which is hard to read"
        hint = f"WCAG asks for {LEAST_CONTRAST:.0f}:1 at least. Choose a darker colour."
        yield _warning((), message, hint, "contrast")


_ADVISERS: Final[Mapping[str | None, Callable[[Json], Iterator[Diagnostic]]]] = {
    "hosts": hosts,
    "week": week,
    "contrast": contrast,
}


def _warning(path: Path, message: str, hint: str, code: str, *, at_key: bool = False) -> Diagnostic:
    return Diagnostic(message, steps=path, hint=hint, severity="warning", code=code, at_key=at_key)


def _host(path: Path, text: str) -> Iterator[Diagnostic]:
    """What is more than a host name in ``text``, or else the form of the name that browsers send."""
    bare = text.strip()
    extra = ["a blank"] if re.search(r"\s", text) else []
    if scheme := _SCHEME.match(bare):
        extra.append("a scheme")
        bare = bare[scheme.end() :]
    bare, *rest = re.split(r"[/?#\\]", bare, maxsplit=1)
    _, at, bare = bare.rpartition("@")
    if at:
        extra.append("a user name")
    if _PORT.search(bare) and ("]" in bare or bare.count(":") == 1):
        extra.append("a port")
        bare = _PORT.sub("", bare)
    if rest:
        extra.append("a path")
    sent = as_sent(bare)
    if extra:
        message = f"{show(text)} holds {in_a_row(extra)}; the widget is allowed by host name alone"
        hint = f"Write {show(sent)}." if sent else "Write a host name such as `www.example.com`."
        yield _warning(path, message, hint, "domain")
    elif sent and sent != bare.lower():
        message = f"browsers send {show(bare)} as {show(sent)}, so the name as it is here may never match"
        yield _warning(path, message, f"Write {show(sent)}.", "domain")
    elif not sent:
        hint = "Write one such as `www.example.com`. An empty list lets every site load the widget."
        yield _warning(path, f"{show(text)} is no host name", hint, "domain")


def _timezone(zone: str) -> Iterator[Diagnostic]:
    if _is_timezone(zone) or not _timezones():
        return
    meant = _nearest_timezone(zone)
    hint = f"Did you mean `{meant}`?" if meant else "Write a name of the IANA time zone database: `Europe/Madrid`."
    yield _warning(("timezone",), f"{show(zone)} is no time zone that is known", hint, "timezone")


@cache
def _is_timezone(zone: str) -> bool:
    return known_zone(zone) is not None


@cache
def _nearest_timezone(zone: str) -> str | None:
    by_city = {name.rpartition("/")[2]: name for name in _timezones()}
    return by_city.get(zone.strip().replace(" ", "_").title()) or nearest(zone, _timezones())


@cache
def _timezones() -> Sequence[str]:
    from zoneinfo import available_timezones

    return sorted(filter(is_place, available_timezones()))


def _hours(path: Path, ranges: Json) -> Iterator[Diagnostic]:
    if isinstance(ranges, str):
        if looks_like_range(ranges):
            yield _warning(path, "these hours stand without a list", f"Write `[{show(ranges)}]`.", "opening-hours")
        return
    opened: list[tuple[int, int, int]] = []
    for index, text in enumerate(ranges if isinstance(ranges, list) else ()):
        if not isinstance(text, str):
            continue
        times = parse_range(text)
        if times is None:
            yield _warning((*path, index), f"{show(text)} is no range of hours", _write(text), "opening-hours")
            continue
        begin, end = times
        if begin >= end:
            message = f"{show(text)} ends before it begins" if end < begin else f"{show(text)} is over as it begins"
            hint = "Hours past midnight go to the next day: `22:00-24:00`, and `00:00-02:00` there."
            yield _warning((*path, index), message, hint, "opening-hours")
            continue
        opened.append((begin, end, index))
        if text != write_range(begin, end):
            message = f"{show(text)} is no range of hours as the API's own schedules write them"
            yield _warning((*path, index), message, _write(text), "opening-hours")
    yield from _overlaps(path, ranges, opened)


def _write(text: str) -> str:
    meant = guess_range(text)
    return f"Write {f'`{meant}`' if meant else 'hours and minutes such as `09:00-13:00`'}."


def _overlaps(path: Path, ranges: Json, opened: Sequence[tuple[int, int, int]]) -> Iterator[Diagnostic]:
    latest, holder = -1, 0
    for begin, end, index in sorted(opened):
        if begin < latest and isinstance(ranges, list):
            message = f"{show(ranges[index])} overlaps {show(ranges[holder])}"
            yield _warning((*path, max(index, holder)), message, "Make one range of the two.", "opening-hours")
        if end > latest:
            latest, holder = end, index
