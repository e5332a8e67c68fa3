"""Weeks as instants: open spans, conversion to another time zone, comparison of two weeks, and clock changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from webchat_sync.domain.hours import DAY, Ranges, Week, known_zone, merged
from webchat_sync.frozen import frozen

_WEEK: Final = 7 * DAY
_YEAR: Final = 366
_MINUTE: Final = timedelta(minutes=1)


@frozen
class ClockChange:
    """A change of a time zone's clocks: ``at`` in the new local time, forward by ``minutes``."""

    at: datetime
    minutes: int


@frozen
class WeekDifference:
    """Two weeks compared by day: open in both, only in the later one, only in the earlier one."""

    kept: tuple[Ranges, ...]
    gained: tuple[Ranges, ...]
    lost: tuple[Ranges, ...]


def monday(moment: datetime, zone: ZoneInfo) -> datetime:
    """The midnight at the start of the week of ``moment`` in ``zone``."""
    today = moment.astimezone(zone).date()
    return datetime.combine(today - timedelta(days=today.weekday()), time(), tzinfo=zone)


def open_spans(week: Week, moment: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """When it's open in the week of ``moment``, in UTC; empty if its time zone is unknown."""
    zone = known_zone(week.timezone)
    return () if zone is None else tuple(_spans(week, monday(moment, zone)))


def in_zone(week: Week, name: str, moment: datetime) -> Week | None:
    """The week of ``moment`` in the local time of the time zone ``name``; None if either zone is unknown.

    What extends beyond the end of the week wraps to its beginning, as in every week.
    """
    here = known_zone(name)
    if here is None or known_zone(week.timezone) is None:
        return None
    days: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for start, end in open_spans(week, moment):
        local = start.astimezone(here)
        first = local.weekday() * DAY + local.hour * 60 + local.minute
        for day, piece in _by_day(first, first + int((end - start).total_seconds()) // 60):
            days[day].append(piece)
    return Week(name, tuple(merged(ranges) for ranges in days))


def week_difference(before: Week, after: Week, moment: datetime) -> WeekDifference | None:
    """What ``after`` opens and closes, in its own time zone; None if the zones can't be compared."""
    if before.timezone == after.timezone:
        return wall_difference(before, after)
    moved = in_zone(before, after.timezone, moment)
    return None if moved is None else wall_difference(moved, after)


def wall_difference(before: Week, after: Week) -> WeekDifference:
    """What ``after`` opens and closes by local times, ignoring the time zones."""
    pairs = list(zip(before.days, after.days, strict=True))
    gained = tuple(without(new, old) for old, new in pairs)
    lost = tuple(without(old, new) for old, new in pairs)
    return WeekDifference(tuple(without(new, more) for (_, new), more in zip(pairs, gained, strict=True)), gained, lost)


def without(ranges: Ranges, removed: Ranges) -> Ranges:
    """The parts of ``ranges`` that aren't in ``removed``."""
    remaining = list(ranges)
    for start, end in removed:
        remaining = [
            piece
            for first, last in remaining
            for piece in ((first, min(last, start)), (max(first, end), last))
            if piece[0] < piece[1]
        ]
    return tuple(remaining)


def closed_minutes(before: Week, after: Week, at: datetime) -> tuple[int, datetime]:
    """How many minutes a week ``after`` is closed while ``before`` is open, and since when that's so.

    Two time zones with the same time today may differ after the next clock change, which is considered too.
    """
    moments = [(at, at)]
    if before.timezone != after.timezone:
        changes = (next_clock_change(week.timezone, at) for week in (before, after))
        change_times = sorted(change.at for change in changes if change is not None)
        moments += [(moment, moment + timedelta(days=7)) for moment in change_times]
    for moment, week_of in moments:
        difference = week_difference(before, after, week_of) or wall_difference(before, after)
        if lost := Week(after.timezone, difference.lost).minutes:
            return lost, moment
    return 0, at


def next_clock_change(name: str, moment: datetime) -> ClockChange | None:
    """The next clock change in the time zone ``name``; None if there's none within a year or it's unknown."""
    zone = known_zone(name)
    if zone is None:
        return None
    start = moment.astimezone(UTC).replace(second=0, microsecond=0)
    days = (start + timedelta(days=number) for number in range(_YEAR + 1))
    for earlier, later in pairwise(days):
        if _offset(earlier, zone) != _offset(later, zone):
            return _change_between(earlier, later, zone)
    return None


def _change_between(earlier: datetime, later: datetime, zone: ZoneInfo) -> ClockChange:
    before = _offset(earlier, zone)
    while later - earlier > _MINUTE:
        middle = earlier + timedelta(minutes=(later - earlier) // _MINUTE // 2)
        earlier, later = (middle, later) if _offset(middle, zone) == before else (earlier, middle)
    return ClockChange(later.astimezone(zone), int((_offset(later, zone) - before).total_seconds()) // 60)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _spans(week: Week, begin: datetime) -> Iterator[tuple[datetime, datetime]]:
    for number, ranges in enumerate(week.days):
        for start, end in ranges:
            # Adding to an aware datetime changes its local time.
            opens, closes = (begin + timedelta(days=number, minutes=minute) for minute in (start, end))
            if opens.astimezone(UTC) < closes.astimezone(UTC):
                yield opens.astimezone(UTC), closes.astimezone(UTC)


def _by_day(start: int, end: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """A range in minutes since the start of the week, split at midnights: each piece with its day."""
    while start < end:
        midnight = min(end, start - start % DAY + DAY)
        yield start % _WEEK // DAY, (start % DAY, midnight - (start - start % DAY))
        start = midnight
