"""Operating hours as time: what a week means, how two weeks differ, and when it's open.

The vendor doesn't document the structure of ``operatingHours``. Values with the assumed structure, ``{timezone, days:
{mon: ["09:00-13:00", "14:00-18:00"]}}``, are read as time; others are None here, and compared like any other value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from webchat_sync.domain.canonical import ADDED
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import as_json
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json, Missing

FIELD: Final = "operatingHours"
"""The field of a channel with its week."""

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DAY: Final = 24 * 60
"""Minutes in a day."""

Ranges: TypeAlias = "tuple[tuple[int, int], ...]"
"""When a day is open, in minutes since midnight: sorted, and no two touch."""

_RANGE: Final = lazy_pattern(r"\s*([0-9]{1,2}):([0-5][0-9])\s*[-–]\s*([0-9]{1,2}):([0-5][0-9])\s*", re.ASCII)
_NO_PLACES: Final = frozenset({"localtime", "posixrules", "Factory"})
_TIMES: Final = lazy_pattern(r"(\d{1,2})[:.h]?(\d{2})?[^\dA-Za-z]+(\d{1,2})[:.h]?(\d{2})?", re.ASCII)
_RANGES: Final = 1000
"""The number of ranges to remember, since most channels are open at the same times."""

_HORIZON: Final = 15 * DAY
"""Minutes to look ahead: an opening that a clock change skips recurs a week later."""


@frozen
class Week:
    """When a channel is open: the name of the time zone, and the ranges of the seven days."""

    timezone: str
    days: tuple[Ranges, ...]

    @property
    def minutes(self) -> int:
        """Open minutes per week."""
        return sum(end - start for ranges in self.days for start, end in ranges)


@frozen
class WeekChange:
    """One difference between two weeks in words. ``what`` is the days, ``timezone``, or empty for the whole week.

    ``remark`` is the effect of the difference: ``+4 h a week``, ``6 h earlier``.
    """

    what: str
    before: str
    after: str
    remark: str = ""

    def __str__(self) -> str:
        what = f"{self.what}: " if self.what else ""
        return f"{what}{self.before} -> {self.after}" + (f", {self.remark}" if self.remark else "")


def parse_week(value: Json | Missing) -> Week | None:
    """The week that ``value`` means; None unless it has the assumed structure throughout."""
    if not isinstance(value, dict) or not value.keys() - ADDED <= {"timezone", "days"}:
        return None
    timezone, days = value.get("timezone"), parse_days(value.get("days"))
    return None if days is None or not isinstance(timezone, str) else Week(timezone, days)


def parse_days(value: Json) -> tuple[Ranges, ...] | None:
    """The ranges of the seven days in ``value``, the ``days`` of a week; None as for :func:`parse_week`."""
    if not isinstance(value, dict) or not value.keys() - ADDED <= set(DAYS):
        return None
    parsed = [_ranges(value.get(day)) for day in DAYS]
    known = tuple(ranges for ranges in parsed if ranges is not None)
    return known if len(known) == len(DAYS) else None


@lru_cache(maxsize=_RANGES)
def parse_range(text: str) -> tuple[int, int] | None:
    """The start and end of ``text`` such as ``09:00-13:00``, in minutes since midnight; None if it isn't a range.

    The end can be before the start: the caller must reject such a range.
    """
    written = _RANGE.fullmatch(text)
    if written is None:
        return None
    hour, minute, last_hour, last_minute = map(int, written.groups())
    start, end = hour * 60 + minute, last_hour * 60 + last_minute
    return (start, end) if start < DAY and end <= DAY else None


@lru_cache(maxsize=_RANGES)
def write_range(start: int, end: int) -> str:
    """The range as the vendor writes it: ``09:00-13:00``."""
    return f"{_clock(start)}-{_clock(end)}"


def guess_range(text: str) -> str | None:
    """The valid range that ``text``, such as ``9-13`` or ``09.00 – 13h30``, may mean; None for anything else.

    For ``9-5`` it's None, since 17:00 is meant; :func:`looks_like_range` recognises that, too.
    """
    written = _TIMES.fullmatch(text.strip())
    if written is None:
        return None
    hour, minute, last_hour, last_minute = (int(digits or 0) for digits in written.groups())
    times = parse_range(f"{hour:02}:{minute:02}-{last_hour:02}:{last_minute:02}")
    return write_range(*times) if times and times[0] < times[1] else None


def looks_like_range(text: str) -> bool:
    """Whether ``text`` is two times of day in any format."""
    return _TIMES.fullmatch(text.strip()) is not None


def week_changes(before: Week, after: Week, *, at: datetime) -> Iterator[WeekChange]:
    """How ``after`` differs from ``before``, with similar days grouped; nothing if they mean the same time.

    ``at`` is the time to compare the time zones at, since their difference depends on daylight saving time.
    """
    if before.timezone != after.timezone:
        old_name, new_name = (as_json(week.timezone) for week in (before, after))
        yield WeekChange("timezone", old_name, new_name, _shift(before.timezone, after.timezone, at))
    for days, (old, new) in _together(zip(before.days, after.days, strict=True)):
        if old != new:
            yield WeekChange(days, show_ranges(old), show_ranges(new))
    if difference := after.minutes - before.minutes:
        sign = "+" if difference > 0 else "-"
        then, now = (f"{show_minutes(week.minutes)} a week" for week in (before, after))
        yield WeekChange("", then, now, f"{sign}{show_minutes(abs(difference))} a week")


def show_week(week: Week) -> Iterator[tuple[str, str]]:
    """The days, grouped if equal, and when they're open: ``("Mon–Fri", "09:00–18:00")``."""
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
    """The time zone of the week; raises InputError if it's unknown or this machine has no time zone data."""
    if time_zone := known_zone(week.timezone):
        return time_zone
    name = as_json(week.timezone)
    if not available_timezones():
        hint = (
            "Install the package tzdata alongside webchat-sync (pip install tzdata), or your system's time zone "
            "package."
        )
        raise InputError(
            [Diagnostic(f"the time zone {name} is unknown because this machine has no time zone data", hint=hint)]
        )
    hint = "Use a name from the IANA time zone database, for example Europe/Madrid."
    raise InputError([Diagnostic(f"there's no time zone {name}", hint=hint)])


def known_zone(name: str) -> ZoneInfo | None:
    """The time zone with that name; None if it's unknown."""
    try:
        return ZoneInfo(name)
    # The last two are raised for invalid names and for folders; ZoneInfoNotFoundError is a KeyError.
    except (KeyError, ValueError, OSError):
        return None


def is_place(name: str) -> bool:
    """Whether the time zone ``name`` means the same on every machine, unlike ``localtime``."""
    return name not in _NO_PLACES and not name.startswith(("posix/", "right/"))


def is_open(week: Week, moment: datetime) -> bool:
    """Whether it's open at ``moment``, by the local time of the week's time zone."""
    wall = moment.astimezone(zone(week))
    minute = wall.hour * 60 + wall.minute
    return any(start <= minute < end for start, end in week.days[wall.weekday()])


def is_pause(week: Week, moment: datetime) -> bool:
    """Whether ``moment`` is between two ranges of one day, by local time."""
    wall = moment.astimezone(zone(week))
    minute, ranges = wall.hour * 60 + wall.minute, week.days[wall.weekday()]
    return any(earlier[1] <= minute < later[0] for earlier, later in pairwise(ranges))


def next_change(week: Week, moment: datetime) -> datetime | None:
    """When it next opens or closes after ``moment``, in its own time zone; None if it never does.

    Every minute is checked by local time, so hours that daylight saving time skips or repeats are handled.
    """
    here, open_now = zone(week), is_open(week, moment)
    this_minute = moment.astimezone(UTC).replace(second=0, microsecond=0)
    minutes = (this_minute + timedelta(minutes=number) for number in range(1, _HORIZON + 1))
    return next((minute.astimezone(here) for minute in minutes if is_open(week, minute) is not open_now), None)


def _ranges(value: Json) -> Ranges | None:
    """The ranges of one day, merged if they touch; a day that's null or missing is closed."""
    if not isinstance(value, list):
        return () if value is None else None
    parsed = [parse_range(text) if isinstance(text, str) else None for text in value]
    ranges = [times for times in parsed if times and times[0] < times[1]]
    return merged(ranges) if len(ranges) == len(value) else None


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The ranges sorted, with those that touch or overlap merged."""
    separate: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if separate and start <= separate[-1][1]:
            separate[-1] = (separate[-1][0], max(end, separate[-1][1]))
        else:
            separate.append((start, end))
    return tuple(separate)


def _together(days: Iterable[tuple[Ranges, ...]]) -> Iterator[tuple[str, tuple[Ranges, ...]]]:
    """Adjacent days with equal values, and their name: ``Mon–Fri``."""
    named = zip((day.capitalize() for day in DAYS), days, strict=True)
    for alike, group in groupby(named, key=lambda pair: pair[1]):
        names = [name for name, _ in group]
        yield (names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"), alike


def _shift(before: str, after: str, at: datetime) -> str:
    """How much the same hours move when the time zone changes, if both zones are known."""
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
