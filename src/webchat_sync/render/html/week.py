"""The week of a channel as heat maps: before, after, and the difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from webchat_sync.domain.hours import (
    DAYS,
    FIELD,
    Ranges,
    Week,
    known_zone,
    parse_week,
    show_minutes,
    show_ranges,
    week_changes,
)
from webchat_sync.domain.week_instants import (
    WeekDifference,
    monday,
    next_clock_change,
    open_spans,
    week_difference,
)
from webchat_sync.frozen import frozen
from webchat_sync.model import Json
from webchat_sync.render.sides import Sides
from webchat_sync.render.values import block

_WIDTH: Final = 80


@frozen
class Bar:
    """A part of a day, in minutes since midnight. ``kind`` is ``open``, ``gained`` or ``lost``."""

    kind: str
    start: int
    minutes: int


@frozen
class Day:
    """One row: the day, its bars, and their description."""

    name: str
    bars: tuple[Bar, ...]
    text: str


@frozen
class Map:
    """One heat map. ``spans`` are its instants for the script: ``kind:minute:minutes`` since the epoch."""

    title: str
    zone: str
    days: tuple[Day, ...]
    total: str
    spans: str


@frozen
class Hours:
    """The hours of one side: a map, or why there is none, with the value as it is."""

    map: Map | None
    missing: str = ""
    value: str = ""


@frozen
class WeekPicture:
    """What to show of a channel's hours.

    ``words`` says what the maps don't show, ``clocks`` when the clocks change; ``week_of`` is the first day.
    """

    before: Hours | None
    after: Hours | None
    difference: Map | None
    words: tuple[str, ...]
    clocks: tuple[str, ...]
    week_of: str


def week_picture(sides: Sides, at: datetime) -> WeekPicture | None:
    """The hours on both sides of a change, in the week of ``at``; None if they don't change."""
    if sides.before is not None and sides.after is not None and FIELD not in sides.changed:
        return None
    if not any(FIELD in side for side in (sides.before, sides.after) if side is not None):
        return None
    before, after = _parsed(sides.before), _parsed(sides.after)
    known = [week for week in (before, after) if week is not None]
    difference = week_difference(before, after, at) if before and after else None
    zones = dict.fromkeys(week.timezone for week in known)
    zone = known_zone(known[-1].timezone) if known else None
    return WeekPicture(
        _hours(sides.before, before, at),
        _hours(sides.after, after, at),
        _difference_map(difference, after, at) if difference and after else None,
        tuple(_words(before, after, at)) if before and after else (),
        tuple(_clocks(name, at) for name in zones),
        f"{monday(at, zone):%d %b %Y}" if zone else "",
    )


def _parsed(side: Mapping[str, Json] | None) -> Week | None:
    return None if side is None else parse_week(side.get(FIELD))


def _hours(side: Mapping[str, Json] | None, week: Week | None, at: datetime) -> Hours | None:
    if side is None:
        return None
    if week is not None:
        return Hours(_map("Opening hours", week, at))
    if FIELD not in side:
        return Hours(None, "Hours unknown: this field isn't managed here, or the server didn't list it.")
    if side[FIELD] is None:
        return Hours(None, "No hours are set.")
    why = "These hours can't be drawn in this form. The value is:"
    return Hours(None, why, block(side[FIELD], indent="", width=_WIDTH))


def _map(title: str, week: Week, at: datetime) -> Map:
    days = tuple(
        Day(*_row(name, {"open": ranges}), show_ranges(ranges)) for name, ranges in zip(DAYS, week.days, strict=True)
    )
    return Map(title, week.timezone, days, f"{show_minutes(week.minutes)} a week", _spans({"open": week}, at))


def _difference_map(difference: WeekDifference, after: Week, at: datetime) -> Map:
    kinds = {"open": difference.kept, "gained": difference.gained, "lost": difference.lost}
    days = tuple(
        Day(
            *_row(name, {kind: ranges[number] for kind, ranges in kinds.items()}),
            _moved(difference.gained[number], difference.lost[number]),
        )
        for number, name in enumerate(DAYS)
    )
    weeks = {kind: Week(after.timezone, ranges) for kind, ranges in kinds.items()}
    return Map("Difference", after.timezone, days, "", _spans(weeks, at))


def _row(name: str, kinds: Mapping[str, Ranges]) -> tuple[str, tuple[Bar, ...]]:
    bars = (Bar(kind, start, end - start) for kind, ranges in kinds.items() for start, end in ranges)
    return name.capitalize(), tuple(sorted(bars, key=lambda bar: bar.start))


def _moved(gained: Ranges, lost: Ranges) -> str:
    parts = [f"opens {show_ranges(gained)}"] * bool(gained) + [f"closes {show_ranges(lost)}"] * bool(lost)
    return "; ".join(parts) or "no change"


def _spans(weeks: Mapping[str, Week], at: datetime) -> str:
    return " ".join(
        f"{kind}:{int(start.timestamp()) // 60}:{int((end - start).total_seconds()) // 60}"
        for kind, week in weeks.items()
        for start, end in open_spans(week, at)
    )


def _words(before: Week, after: Week, at: datetime) -> Iterator[str]:
    """What the maps don't show: another time zone, and the total."""
    for change in week_changes(before, after, at=at):
        if change.what in {"", "timezone"}:
            what = "Time zone: " if change.what else "In total: "
            yield f"{what}{change.before} → {change.after}" + (f" ({change.remark})" if change.remark else "")


def _clocks(name: str, at: datetime) -> str:
    if known_zone(name) is None:
        return f"{name} isn't a known time zone, so clock changes aren't shown."
    change = next_clock_change(name, at)
    if change is None:
        return f"Clocks in {name} don't change in the next 12 months."
    way = "forward" if change.minutes > 0 else "back"
    moved = show_minutes(abs(change.minutes))
    return (
        f"Clocks in {name} go {way} by {moved} on {change.at:%a %d %b %Y}; the opening hours stay the same "
        "in local time."
    )
