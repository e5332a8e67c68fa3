"""Warnings about values that the API may accept, but that a person would probably change. Never errors.

The structure of these values isn't documented. Only values with the assumed structure, and the parts that have it, get
advice; anything else is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain
from typing import Final

from webchat_sync.check.host_advice import hosts
from webchat_sync.check.schema import Advise, warning
from webchat_sync.domain.canonical import ADDED
from webchat_sync.domain.catalogue import Field, Shape
from webchat_sync.domain.colors import LEAST_CONTRAST, is_color, poor_contrast
from webchat_sync.domain.day_names import meant_days
from webchat_sync.domain.hours import (
    DAY,
    DAYS,
    guess_range,
    is_place,
    known_zone,
    looks_like_range,
    parse_days,
    parse_range,
    write_range,
)
from webchat_sync.domain.match_items import item_key
from webchat_sync.domain.spelling import nearest
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.jsonvalue import show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json


def adviser(field: Field) -> Advise | None:
    """The function with advice about values of ``field``; None if there is none."""
    advisers = [_ADVISERS[field.advice]] if field.advice in _ADVISERS else []
    if field.shape.list_type == "map" and field.shape.server_keys:
        advisers.append(partial(duplicate_items, shape=field.shape))
    return (lambda value: chain.from_iterable(advise(value) for advise in advisers)) if advisers else None


def week(value: Json) -> Iterator[Diagnostic]:
    """Unknown time zones, invalid days, and implausible hours in opening hours."""
    if not isinstance(value, dict):
        return
    zone, days = value.get("timezone"), value.get("days")
    if isinstance(zone, str):
        yield from _timezone(zone)
    yield from _beside_days(value)
    yield from _misspelt_keys(value)
    if isinstance(days, list) and any(isinstance(day, str) and _names_days(day.split(maxsplit=1)[:1]) for day in days):
        hint = 'Write each day as a key, for example `days: {mon: ["09:00-18:00"]}`.'
        yield warning(("days",), "the days are a list, so their hours may be ignored", hint, "weekday")
    if isinstance(days, dict) and _names_days(days):
        for name, ranges in days.items():
            if name in ADDED:
                continue  # added by the server, and imported
            if name not in DAYS:
                message = f"{show(name)} isn't a known key for a day, so its hours may be ignored"
                yield warning(("days", name), message, _meant(name), "weekday", at_key=True)
            if name in DAYS or meant_days(name):
                yield from _hours(("days", name), ranges)


def _names_days(keys: Collection[str]) -> bool:
    """Whether any of ``keys`` is a day, in any spelling."""
    return any(key in DAYS or meant_days(key) for key in keys)


def _meant(name: str) -> str:
    """What to write instead of a key that should be a day."""
    days = meant_days(name)
    if len(days) > 1:
        return f"Write each day as a key of its own: {', '.join(f'`{day}`' for day in days)}."
    meant = days[0] if days else nearest(name, DAYS)
    return f"Did you mean `{meant}`?" if meant else f"Use {', '.join(f'`{day}`' for day in DAYS)}."


def _misspelt_keys(value: Mapping[str, Json]) -> Iterator[Diagnostic]:
    """``timezone`` or ``days`` in another spelling, if the rest has the assumed structure."""
    for key, inner in value.items():
        meant = _KEYS.get(key.lower().replace("_", "").replace("-", ""))
        if meant is None or meant in value:
            continue
        if not value.keys().isdisjoint(_KEYS.values()) or (isinstance(inner, dict) and _names_days(inner)):
            message = f"{show(key)} isn't a known key of opening hours, so it may be ignored"
            yield warning((key,), message, f"Did you mean `{meant}`?", "opening-hours", at_key=True)


def silent_week(fields: Mapping[str, Json]) -> Iterator[Diagnostic]:
    """A channel that's never open and has no text that says so; ``fields`` are its declared fields."""
    if fields.get("offlineMessage"):
        return
    hours = fields.get("operatingHours")
    days = parse_days(hours.get("days")) if isinstance(hours, dict) else None
    if days is not None and not any(days):
        yield warning(
            ("operatingHours", "days"),
            "this channel is never open, and without `offlineMessage` visitors aren't told why",
            'Add `offlineMessage`, or some hours such as `mon: ["09:00-18:00"]`.',
            "empty-week",
        )


def duplicate_items(value: Json, *, shape: Shape) -> Iterator[Diagnostic]:
    """Items with the same id as an earlier item, or without an id, the same name or label."""
    first: dict[tuple[str, str], int] = {}
    for index, item in enumerate(value if isinstance(value, list) else ()):
        known = _known_by(item, shape)
        if known is None or first.setdefault(known, index) == index:
            continue
        key, _ = known
        hint = "If one of them changes, there's no way to know which. Make the keys unique, or give each item its `id`."
        if key in shape.server_keys:
            hint = f"Remove the `{key}` of a new item: the server assigns one."
        message = f"this item has the same `{key}` as the one at [{first[known]}]"
        yield warning((index, key), message, hint, "duplicate-item")


def _known_by(item: Json, shape: Shape) -> tuple[str, str] | None:
    """The first key of the shape that ``item`` has, and its value; None if it has none."""
    for key in shape.list_keys:
        if (own := item_key(item, key)) is not None:
            return key, own
    return None


def contrast(value: Json) -> Iterator[Diagnostic]:
    """A colour on which white text is hard to read."""
    if not isinstance(value, str) or not is_color(value):
        return
    if ratio := poor_contrast(value):
        message = f"white text on {show(value)} has a contrast of {ratio}:1, which is hard to read"
        hint = f"WCAG requires at least {LEAST_CONTRAST:.0f}:1 even for large text. Choose a darker colour."
        yield warning((), message, hint, "contrast")


_KEYS: Final = {"timezone": "timezone", "tz": "timezone", "zone": "timezone", "days": "days", "day": "days"}
"""What keys of opening hours mean, without case and separators."""

_SUCH_HOURS: Final = 'hours such as `["09:00-13:00"]`'

_OFFSET: Final = lazy_pattern(r"(?:UTC|GMT)?\s*[+-]\s*\d.*", re.IGNORECASE)

_ADVISERS: Final[Mapping[str | None, Callable[[Json], Iterator[Diagnostic]]]] = {
    "hosts": hosts,
    "week": week,
    "contrast": contrast,
}


def _timezone(zone: str) -> Iterator[Diagnostic]:
    if _is_timezone(zone) or not _timezones():
        return
    similar = None if _OFFSET.fullmatch(zone.strip()) else _nearest_timezone(zone)
    hint = (
        f"Did you mean `{similar}`?"
        if similar
        else "Use a name from the IANA time zone database, for example `Europe/Madrid`."
    )
    wrong = "isn't a known time zone" if known_zone(zone) is None else "isn't the time zone of a place"
    yield warning(("timezone",), f"{show(zone)} {wrong}", hint, "timezone")


@cache
def _is_timezone(zone: str) -> bool:
    return known_zone(zone) is not None and is_place(zone)


@cache
def _nearest_timezone(zone: str) -> str | None:
    by_city = {name.rpartition("/")[2]: name for name in _timezones()}
    return by_city.get(zone.strip().replace(" ", "_").title()) or nearest(zone, _timezones())


@cache
def _timezones() -> Sequence[str]:
    from zoneinfo import available_timezones

    return sorted(filter(is_place, available_timezones()))


def _hours(path: Path, ranges: Json) -> Iterator[Diagnostic]:
    """What is wrong with the hours of one day."""
    if isinstance(ranges, str):
        if looks_like_range(ranges):
            meant = guess_range(ranges)
            message = "these hours aren't in a list"
            hint = f"Write `[{show(meant)}]`." if meant else f"Write {_SUCH_HOURS}."
        else:
            message = f"{show(ranges)} isn't a list of hours"
            hint = (
                "If it's closed, leave the day out. If it's open all day, write `[\"00:00-24:00\"]`. "
                f"Otherwise, write {_SUCH_HOURS}."
            )
        yield warning(path, message, hint, "opening-hours")
        return
    opened: list[tuple[int, int, int]] = []
    for index, text in enumerate(ranges if isinstance(ranges, list) else ()):
        if isinstance(text, str):
            times = parse_range(text)
            if times is not None and times[0] < times[1]:
                opened.append((*times, index))
            if flaw := _range_flaw(text, times):
                yield warning((*path, index), *flaw, "opening-hours")
    yield from _overlaps(path, ranges, opened)


def _range_flaw(text: str, times: tuple[int, int] | None) -> tuple[str, str] | None:
    """What is wrong with ``text``, which parses as ``times``, and what to do; None if it's right."""
    if times is None:
        return f"{show(text)} isn't a range of hours", _write(text)
    begin, end = times
    if end < begin:
        hint = "Hours past midnight belong to the next day: `22:00-24:00`, and `00:00-02:00` on the next day."
        return f"{show(text)} ends before it begins", hint
    if begin == end:
        hint = f"Write `{write_range(0, DAY)}` if it's open all day, or remove the range."
        return f"{show(text)} begins and ends at the same time", hint
    if end == DAY - 1:
        return (
            f"{show(text)} leaves out the last minute of the day",
            f"Write `{write_range(begin, DAY)}` to end at midnight.",
        )
    if text != write_range(begin, end):
        return f"{show(text)} isn't a range of hours in the API's own format", _write(text)
    return None


def _write(text: str) -> str:
    meant = guess_range(text)
    return f"Write {f'`{meant}`' if meant else 'hours and minutes, for example `09:00-13:00`'}."


def _beside_days(value: Mapping[str, Json]) -> Iterator[Diagnostic]:
    """Days, or ranges of hours, next to ``days`` instead of inside it."""
    assumed = not value.keys().isdisjoint(("timezone", "days"))
    for key, hours in value.items():
        if key in ("timezone", "days"):
            continue
        days, texts = meant_days(key), hours if isinstance(hours, list) else [] if hours is None else [hours]
        ranges = [text for text in texts if isinstance(text, str) and looks_like_range(text)]
        if not (days or ranges) if assumed else not (days and ranges):
            continue
        understood = len(ranges) == len(texts)
        meant = ", ".join(show(guess_range(text) or text) for text in ranges) if understood else '"09:00-13:00"'
        entries = ", ".join(f"`{day}: [{meant}]`" for day in days or DAYS[:1])
        hint = f"Move it under `days`{':' if days and understood else ', for example'} {entries}."
        where = "is next to `days` instead of under it" if "days" in value else "isn't under `days`"
        yield warning((key,), f"{show(key)} {where}, so its hours may be ignored", hint, "weekday", at_key=True)


def _overlaps(path: Path, ranges: Json, opened: Sequence[tuple[int, int, int]]) -> Iterator[Diagnostic]:
    latest, holder = -1, 0
    for begin, end, index in sorted(opened):
        if begin < latest and isinstance(ranges, list):
            message = f"{show(ranges[index])} overlaps {show(ranges[holder])}"
            yield warning((*path, max(index, holder)), message, "Merge the two ranges.", "opening-hours")
        if end > latest:
            latest, holder = end, index
