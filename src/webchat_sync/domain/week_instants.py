"""Weeks on the time line: when a week is open as instants, in another time zone, beside another week; and when clocks
change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from webchat_sync.domain.hours import DAY, Ranges, Week, known_zone

_WEEK: Final = 7 * DAY
_YEAR: Final = 366
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ClockChange:
    """When the clocks of a time zone change: ``at`` in its new time, and by how many ``minutes`` they go forward."""

    at: datetime
    minutes: int


@dataclass(frozen=True, slots=True)
class WeekDifference:
    """Two weeks beside one another, day by day: open in both, in the later one only, in the earlier one only."""

    kept: tuple[Ranges, ...]
    gained: tuple[Ranges, ...]
    lost: tuple[Ranges, ...]


def monday(moment: datetime, zone: ZoneInfo) -> datetime:
    """The midnight with which the week of ``moment`` began in ``zone``."""
    today = moment.astimezone(zone).date()
    return datetime.combine(today - timedelta(days=today.weekday()), time(), tzinfo=zone)


def open_spans(week: Week, moment: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """From when to when it is open, in UTC, in the week of ``moment``; nothing where its time zone is not known."""
    zone = known_zone(week.timezone)
    return () if zone is None else tuple(_spans(week, monday(moment, zone)))


def in_zone(week: Week, name: str, moment: datetime) -> Week | None:
    """The week of ``moment`` as the clocks of the time zone ``name`` show it; None where either zone is not known.

    What reaches over the end of the week comes back at its beginning, as it does in every week.
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
    return Week(name, tuple(_joined(ranges) for ranges in days))


def week_difference(before: Week, after: Week, moment: datetime) -> WeekDifference | None:
    """What ``after`` opens and closes, in its own time zone; None where the two zones cannot be compared."""
    if before.timezone == after.timezone:
        return wall_difference(before, after)
    moved = in_zone(before, after.timezone, moment)
    return None if moved is None else wall_difference(moved, after)


def wall_difference(before: Week, after: Week) -> WeekDifference:
    """What ``after`` opens and closes as the clocks on the walls show it, whatever their time zones are."""
    pairs = list(zip(before.days, after.days, strict=True))
    gained = tuple(without(new, old) for old, new in pairs)
    lost = tuple(without(old, new) for old, new in pairs)
    return WeekDifference(tuple(without(new, more) for (_, new), more in zip(pairs, gained, strict=True)), gained, lost)


def without(ranges: Ranges, taken: Ranges) -> Ranges:
    """What is in ``ranges`` and not in ``taken``."""
    left = list(ranges)
    for start, end in taken:
        left = [
            piece
            for first, last in left
            for piece in ((first, min(last, start)), (max(first, end), last))
            if piece[0] < piece[1]
        ]
    return tuple(left)


def closed_minutes(before: Week, after: Week, at: datetime) -> tuple[int, datetime]:
    """For how many minutes a week ``after`` is closed when ``before`` is open, and from when on that is so.

    Two time zones that show one time today may show two after the next change of the clocks, so that is looked at too.
    """
    moments = [(at, at)]
    if before.timezone != after.timezone:
        changes = (next_clock_change(week.timezone, at) for week in (before, after))
        since = sorted(change.at for change in changes if change is not None)
        moments += [(moment, moment + timedelta(days=7)) for moment in since]
    for moment, week_of in moments:
        difference = week_difference(before, after, week_of) or wall_difference(before, after)
        if lost := Week(after.timezone, difference.lost).minutes:
            return lost, moment
    return 0, at


def next_clock_change(name: str, moment: datetime) -> ClockChange | None:
    """When the clocks of the time zone ``name`` change next; None when not within a year, or of an unknown zone."""
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
            # Aware datetimes of one zone are added to as the clock on the wall shows them.
            opens, closes = (begin + timedelta(days=number, minutes=minute) for minute in (start, end))
            if opens.astimezone(UTC) < closes.astimezone(UTC):
                yield opens.astimezone(UTC), closes.astimezone(UTC)


def _by_day(start: int, end: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """A range in minutes since the week's first midnight, cut at midnights: the day of every piece, and the piece."""
    while start < end:
        midnight = min(end, start - start % DAY + DAY)
        yield start % _WEEK // DAY, (start % DAY, midnight - (start - start % DAY))
        start = midnight


def _joined(ranges: list[tuple[int, int]]) -> Ranges:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
