"""Weeks on the time line: in another zone, beside another week, and when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies

from webchat_sync.domain.hours import DAY, Week, is_open, is_pause, parse_week
from webchat_sync.domain.week_instants import in_zone, next_clock_change, open_spans, week_difference, without
from webchat_sync.model import read_moment

QUIET: Final = datetime(2026, 11, 9, tzinfo=UTC)
"""A Monday in whose week no clocks change in the zones below."""

ZONES: Final = ("America/Bogota", "Europe/Madrid", "Asia/Tokyo", "Asia/Kathmandu", "Pacific/Apia", "UTC")


def ranges_of(numbers: list[int]) -> tuple[tuple[int, int], ...]:
    """Neighbouring pairs of different, sorted minutes: ranges that do not touch."""
    ordered = sorted(set(numbers))
    return tuple(zip(ordered[::2], ordered[1::2], strict=False))


RANGES: Final = strategies.lists(strategies.integers(0, DAY), max_size=6).map(ranges_of)
WEEKS: Final = strategies.builds(Week, strategies.sampled_from(ZONES), strategies.tuples(*[RANGES] * 7))


@given(WEEKS, strategies.sampled_from(ZONES), strategies.integers(0, 7 * DAY - 1))
def test_a_week_in_another_zone_is_open_at_the_same_instants(week: Week, name: str, minute: int) -> None:
    moved = in_zone(week, name, QUIET + timedelta(days=3))
    assert moved is not None
    moment = QUIET + timedelta(minutes=minute)
    assert is_open(moved, moment) == is_open(week, moment)
    assert moved.minutes == week.minutes


@given(WEEKS, WEEKS, strategies.integers(0, 7 * DAY - 1))
def test_the_difference_says_of_each_instant_what_becomes_of_it(before: Week, after: Week, minute: int) -> None:
    difference = week_difference(before, after, QUIET + timedelta(days=3))
    assert difference is not None
    moment = QUIET + timedelta(minutes=minute)
    found = {
        name: is_open(Week(after.timezone, days), moment)
        for name, days in (("kept", difference.kept), ("gained", difference.gained), ("lost", difference.lost))
    }
    then, now = is_open(before, moment), is_open(after, moment)
    assert found == {"kept": then and now, "gained": now and not then, "lost": then and not now}


@given(RANGES, RANGES, strategies.integers(0, DAY - 1))
def test_without_leaves_what_is_in_the_one_alone(ranges: tuple, taken: tuple, minute: int) -> None:  # type: ignore[type-arg]
    def inside(some: tuple[tuple[int, int], ...]) -> bool:
        return any(start <= minute < end for start, end in some)

    assert inside(without(ranges, taken)) == (inside(ranges) and not inside(taken))


@pytest.mark.parametrize(
    ("zone", "at", "minutes"),
    [
        ("Europe/Madrid", "2027-03-28T03:00:00+02:00", 60),
        ("America/New_York", "2027-03-14T03:00:00-04:00", 60),
        ("Australia/Lord_Howe", "2027-04-04T01:30:00+10:30", -30),
    ],
)
def test_the_next_change_of_the_clocks(zone: str, at: str, minutes: int) -> None:
    change = next_clock_change(zone, QUIET)
    assert change is not None
    assert (change.at.isoformat(), change.minutes) == (at, minutes)


@pytest.mark.parametrize("zone", ["America/Bogota", "UTC", "Mars/Base"])
def test_clocks_that_do_not_change(zone: str) -> None:
    assert next_clock_change(zone, QUIET) is None


@pytest.mark.parametrize("ends", ["0002-01-01T00:00+23:59", "9997-12-31T23:59-23:59", "9998-12-31T23:59"])
def test_clocks_are_looked_at_for_every_moment_that_is_read(ends: str) -> None:
    moment = read_moment(ends)
    assert moment is None or next_clock_change("America/Bogota", moment) is None


def test_an_hour_that_is_skipped_is_not_open() -> None:
    week = parse_week({"timezone": "Europe/Madrid", "days": {"sun": ["02:00-03:00"], "mon": ["00:00-24:00"]}})
    assert week is not None
    spring = datetime(2027, 3, 28, 12, tzinfo=UTC)
    assert [end - start for start, end in open_spans(week, spring)] == [timedelta(days=1)]


def test_an_unknown_zone_has_no_instants() -> None:
    week = Week("Mars/Base", (((0, 60),),) * 7)
    assert open_spans(week, QUIET) == ()
    assert in_zone(week, "UTC", QUIET) is None
    assert week_difference(week, Week("UTC", week.days), QUIET) is None
    assert week_difference(week, week, QUIET) is not None


@pytest.mark.parametrize(("hour", "pause"), [(8, False), (10, False), (13, True), (14, False), (19, False)])
def test_a_pause_lies_between_two_ranges_of_one_day(hour: int, pause: bool) -> None:
    week = parse_week({"timezone": "America/Bogota", "days": {"mon": ["09:00-13:00", "14:00-18:00"]}})
    assert week is not None
    assert is_pause(week, datetime(2026, 11, 9, hour, tzinfo=ZoneInfo("America/Bogota"))) is pause
