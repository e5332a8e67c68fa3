"""Operating hours as time: what a week of the assumed shape means, how two weeks differ, and what is open when.

The vendor does not publish the shape of ``operatingHours``. What follows the assumed one, ``{timezone, days: {mon:
["09:00-13:00", "14:00-18:00"]}}``, is read as time; anything else is None here, and compared as any other value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from webchat_sync.domain.canonical import ADDED
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.model import Json, Missing

FIELD: Final = "operatingHours"
"""The field of a channel that holds its week."""

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DAY: Final = 24 * 60
"""The minutes of a day."""

Ranges: TypeAlias = "tuple[tuple[int, int], ...]"
"""When a day is open, in minutes since its midnight: sorted, and no two touch."""

_RANGE: Final = re.compile(r"\s*([0-9]{1,2}):([0-5][0-9])\s*[-–]\s*([0-9]{1,2}):([0-5][0-9])\s*", re.ASCII)
_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NO_PLACES: Final = frozenset({"localtime", "posixrules", "Factory"})
_TIMES: Final = re.compile(r"(\d{1,2})[:.h]?(\d{2})?[^\dA-Za-z]+(\d{1,2})[:.h]?(\d{2})?", re.ASCII)
_HORIZON: Final = 15 * DAY
"""How many minutes to look ahead: an opening that a change of the clocks swallows is there again a week later."""


@dataclass(frozen=True, slots=True)
class Week:
    """When a channel is open: the name of its time zone, and the ranges of the seven days."""

    timezone: str
    days: tuple[Ranges, ...]

    @property
    def minutes(self) -> int:
        """For how many minutes a week it is open."""
        return sum(end - start for ranges in self.days for start, end in ranges)


@dataclass(frozen=True, slots=True)
class WeekChange:
    """One difference between two weeks in words. ``what`` is the days, ``timezone``, or empty for the week as a whole.

    ``remark`` says what the difference comes to: ``+4 h a week``, ``6 h earlier``.
    """

    what: str
    before: str
    after: str
    remark: str = ""

    def __str__(self) -> str:
        what = f"{self.what}: " if self.what else ""
        return f"{what}{self.before} -> {self.after}" + (f", {self.remark}" if self.remark else "")


def parse_week(value: Json | Missing) -> Week | None:
    """The week that ``value`` means; None when it does not follow the assumed shape in every part."""
    if not isinstance(value, dict) or not value.keys() - ADDED <= {"timezone", "days"}:
        return None
    timezone, days = value.get("timezone"), parse_days(value.get("days"))
    return None if days is None or not isinstance(timezone, str) else Week(timezone, days)


def parse_days(value: Json) -> tuple[Ranges, ...] | None:
    """The ranges of the seven days that ``value``, the ``days`` of a week, means; None as for :func:`parse_week`."""
    if not isinstance(value, dict) or not value.keys() - ADDED <= set(DAYS):
        return None
    parsed = [_ranges(value.get(day)) for day in DAYS]
    known = tuple(ranges for ranges in parsed if ranges is not None)
    return known if len(known) == len(DAYS) else None


def meant_day(text: str) -> str | None:
    """The day that ``text`` names, in full or cut short: ``mon`` for ``Monday``; None when it names none."""
    short = text.strip().lower()
    return next((name[:3] for name in _NAMES if len(short) >= 3 and name.startswith(short)), None)


def parse_range(text: str) -> tuple[int, int] | None:
    """When ``text`` such as ``09:00-13:00`` begins and ends, in minutes since midnight; None when it is no range.

    The end may come before the beginning: such a range is no time, and who reads it says so.
    """
    written = _RANGE.fullmatch(text)
    if written is None:
        return None
    hour, minute, last_hour, last_minute = map(int, written.groups())
    start, end = hour * 60 + minute, last_hour * 60 + last_minute
    return (start, end) if start < DAY and end <= DAY else None


def write_range(start: int, end: int) -> str:
    """The range as the vendor's own schedules write it: ``09:00-13:00``."""
    return f"{_clock(start)}-{_clock(end)}"


def guess_range(text: str) -> str | None:
    """The well-formed range that ``text``, such as ``9-13`` or ``09.00 – 13h30``, may mean; None for anything else.

    Hours without minutes are taken for ranges by :func:`looks_like_range` only: who writes ``9-5`` means 17:00.
    """
    written = _TIMES.fullmatch(text.strip())
    if written is None:
        return None
    hour, minute, last_hour, last_minute = (int(digits or 0) for digits in written.groups())
    times = parse_range(f"{hour:02}:{minute:02}-{last_hour:02}:{last_minute:02}")
    return write_range(*times) if times and times[0] < times[1] else None


def looks_like_range(text: str) -> bool:
    """Whether ``text`` is two times of a day, however they are written."""
    return _TIMES.fullmatch(text.strip()) is not None


def week_changes(before: Week, after: Week, *, at: datetime) -> Iterator[WeekChange]:
    """How ``after`` differs from ``before``, days that change alike together; nothing when they mean the same time.

    ``at`` is when the two time zones are compared: what is between them moves with daylight saving time.
    """
    if before.timezone != after.timezone:
        old_name, new_name = (json.dumps(week.timezone, ensure_ascii=False) for week in (before, after))
        yield WeekChange("timezone", old_name, new_name, _shift(before.timezone, after.timezone, at))
    for days, (old, new) in _together(zip(before.days, after.days, strict=True)):
        if old != new:
            yield WeekChange(days, show_ranges(old), show_ranges(new))
    if difference := after.minutes - before.minutes:
        sign = "+" if difference > 0 else "-"
        then, now = (f"{show_minutes(week.minutes)} a week" for week in (before, after))
        yield WeekChange("", then, now, f"{sign}{show_minutes(abs(difference))} a week")


def show_week(week: Week) -> Iterator[tuple[str, str]]:
    """The days, those alike together, and when they are open: ``("Mon–Fri", "09:00–18:00")``."""
    for days, (ranges,) in _together((ranges,) for ranges in week.days):
        yield days, show_ranges(ranges)


def show_ranges(ranges: Ranges) -> str:
    """``09:00–13:00, 14:00–18:00``, or ``closed``."""
    return ", ".join(f"{_clock(start)}–{_clock(end)}" for start, end in ranges) or "closed"


def show_minutes(minutes: int) -> str:
    """``4 h``, ``30 min``, ``4 h 30 min``."""
    hours, rest = divmod(minutes, 60)
    return " ".join([f"{hours} h"] * bool(hours or not rest) + [f"{rest} min"] * bool(rest))


def zone(week: Week) -> ZoneInfo:
    """The time zone of the week; raises InputError when there is none of that name, or no data about any."""
    if time_zone := known_zone(week.timezone):
        return time_zone
    name = json.dumps(week.timezone, ensure_ascii=False)
    if not available_timezones():
        hint = (
            "Install the package tzdata next to webchat-sync (pip install tzdata), or your system's time zone package."
        )
        raise InputError(
            [Diagnostic(f"the time zone {name} is unknown because this machine has no time zone data", hint=hint)]
        )
    hint = "Use a name from the IANA time zone database, for example Europe/Madrid."
    raise InputError([Diagnostic(f"there's no time zone {name}", hint=hint)])


def known_zone(name: str) -> ZoneInfo | None:
    """The time zone of that name; None when there is none of it."""
    try:
        return ZoneInfo(name)
    # What is no name, or the name of a folder, is told by these; ZoneInfoNotFoundError is a KeyError.
    except (KeyError, ValueError, OSError):
        return None


def is_place(name: str) -> bool:
    """Whether the time zone ``name`` means the same on every machine: ``localtime`` is what every machine is set to."""
    return name not in _NO_PLACES and not name.startswith(("posix/", "right/"))


def is_open(week: Week, moment: datetime) -> bool:
    """Whether the clock on the wall of the week's time zone shows an open minute at ``moment``."""
    wall = moment.astimezone(zone(week))
    minute = wall.hour * 60 + wall.minute
    return any(start <= minute < end for start, end in week.days[wall.weekday()])


def is_pause(week: Week, moment: datetime) -> bool:
    """Whether it is closed at ``moment`` between two ranges of one day, as the clock on the wall shows it."""
    wall = moment.astimezone(zone(week))
    minute, ranges = wall.hour * 60 + wall.minute, week.days[wall.weekday()]
    return any(earlier[1] <= minute < later[0] for earlier, later in pairwise(ranges))


def next_change(week: Week, moment: datetime) -> datetime | None:
    """When it opens or closes next after ``moment``, in its own time zone; None when it never does.

    Every minute is looked at as the clock on the wall shows it, so that an hour that daylight saving time skips or
    repeats is skipped or repeated here too.
    """
    here, open_now = zone(week), is_open(week, moment)
    this_minute = moment.astimezone(UTC).replace(second=0, microsecond=0)
    minutes = (this_minute + timedelta(minutes=number) for number in range(1, _HORIZON + 1))
    return next((minute.astimezone(here) for minute in minutes if is_open(week, minute) is not open_now), None)


def _ranges(value: Json) -> Ranges | None:
    """The ranges of one day, joined where they touch; a day that is null or left out is closed."""
    if not isinstance(value, list):
        return () if value is None else None
    parsed = [parse_range(text) if isinstance(text, str) else None for text in value]
    ranges = sorted(times for times in parsed if times and times[0] < times[1])
    if len(ranges) < len(value):
        return None
    joined: list[tuple[int, int]] = []
    for start, end in ranges:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _together(days: Iterable[tuple[Ranges, ...]]) -> Iterator[tuple[str, tuple[Ranges, ...]]]:
    """Neighbouring days that are alike, by their name: ``Mon–Fri``."""
    named = zip((day.capitalize() for day in DAYS), days, strict=True)
    for alike, group in groupby(named, key=lambda pair: pair[1]):
        names = [name for name, _ in group]
        yield (names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"), alike


def _shift(before: str, after: str, at: datetime) -> str:
    """How much the same hours move when the time zone changes, as far as both are known."""
    offsets = [at.astimezone(time_zone).utcoffset() for name in (before, after) if (time_zone := known_zone(name))]
    known = [int(offset.total_seconds()) // 60 for offset in offsets if offset is not None]
    if len(known) < 2:
        return ""
    earlier = known[1] - known[0]
    if not earlier:
        return f"the same time on {at:%d %b %Y}"
    return f"{show_minutes(abs(earlier))} {'earlier' if earlier > 0 else 'later'}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
