from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import cast
from zoneinfo import ZoneInfo, reset_tzpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning import NOW
from webchat_sync.domain.hours import (
    DAYS,
    Week,
    is_open,
    next_change,
    parse_week,
    show_minutes,
    show_week,
    week_changes,
)
from webchat_sync.errors import InputError
from webchat_sync.model import UNKNOWN, Json, Missing


def week(timezone: str = "America/Bogota", /, **days: list[str]) -> Week:
    found = parse_week({"timezone": timezone, "days": {day: list(ranges) for day, ranges in days.items()}})
    assert found is not None
    return found


def changes(before: Week, after: Week, at: datetime = NOW) -> list[str]:
    return [str(each) for each in week_changes(before, after, at=at)]


@pytest.mark.parametrize(
    "value",
    [
        UNKNOWN,
        None,
        "09:00-13:00",
        [],
        {},
        {"timezone": "UTC"},
        {"timezone": None, "days": {}},
        {"timezone": "UTC", "days": []},
        {"timezone": "UTC", "days": {"monday": []}},
        {"timezone": "UTC", "days": {"mon": "09:00-13:00"}},
        {"timezone": "UTC", "days": {"mon": [900]}},
        {"timezone": "UTC", "days": {"mon": ["13:00-09:00"]}},
        {"timezone": "UTC", "days": {"mon": ["09:00-09:00"]}},
        {"timezone": "UTC", "days": {"mon": ["09:00-24:01"]}},
        {"timezone": "UTC", "days": {"mon": ["9-13"]}},
        {"timezone": "UTC", "days": {"mon": ["٠٩:٠٠-١٣:٠٠"]}},
        {"timezone": "UTC", "days": {}, "holidays": ["2026-12-25"]},
    ],
)
def test_what_does_not_follow_the_assumed_shape_in_every_part_is_no_week(value: Json | Missing) -> None:
    assert parse_week(value) is None


def test_what_a_server_adds_to_hours_leaves_them_a_week() -> None:
    plain = {"timezone": "Europe/Madrid", "days": {"mon": ["09:00-10:00"]}}
    stored = {**plain, "id": "w-1", "updatedAt": "2026-11-02", "days": {"id": 7, "mon": ["09:00-10:00"]}}
    assert parse_week(cast("Json", stored)) == parse_week(cast("Json", plain)) is not None


def test_ranges_that_touch_are_one_and_a_day_may_last_to_midnight() -> None:
    found = week(mon=["13:00-18:00", "9:00 – 13:00"], tue=["20:00-24:00", "19:00-21:00"], wed=[])
    assert list(show_week(found)) == [("Mon", "09:00–18:00"), ("Tue", "19:00–24:00"), ("Wed–Sun", "closed")]
    assert (found.minutes, show_minutes(found.minutes)) == (14 * 60, "14 h")
    assert [show_minutes(each) for each in (0, 30, 270)] == ["0 h", "30 min", "4 h 30 min"]


def test_weeks_differ_in_days_and_in_the_sum_of_them() -> None:
    before = week(**{day: ["09:00-18:00"] for day in DAYS[:5]})
    assert changes(before, before) == []
    assert changes(before, week(**{day: ["09:00-18:00"] for day in DAYS[:5]}, sat=["09:00-13:00"])) == [
        "Sat: closed -> 09:00–13:00",
        "45 h a week -> 49 h a week, +4 h a week",
    ]
    assert changes(before, week(**{day: ["09:00-13:00", "14:00-18:00"] for day in DAYS[:5]})) == [
        "Mon–Fri: 09:00–18:00 -> 09:00–13:00, 14:00–18:00",
        "45 h a week -> 40 h a week, -5 h a week",
    ]


@pytest.mark.parametrize(
    ("after", "at", "shift"),
    [
        ("Europe/Madrid", "2026-11-02", "6 h earlier"),
        ("Europe/Madrid", "2026-07-01", "7 h earlier"),
        ("Pacific/Honolulu", "2026-07-01", "5 h later"),
        ("Australia/Lord_Howe", "2026-07-01", "15 h 30 min earlier"),
        ("America/Lima", "2026-07-01", "the same time on 01 Jul 2026"),
    ],
)
def test_another_time_zone_is_the_shift_that_it_makes_on_that_day(after: str, at: str, shift: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert changes(week(), week(after), moment) == [f'timezone: "America/Bogota" -> "{after}", {shift}']


def test_a_time_zone_that_nobody_knows_has_no_shift_and_no_hours() -> None:
    assert changes(week(), week("Moon/Base")) == ['timezone: "America/Bogota" -> "Moon/Base"']
    for name in ("Moon/Base", "../../etc/passwd", "America", ""):
        with pytest.raises(InputError) as failed:
            is_open(week(name), NOW)
        assert "IANA" in failed.value.problems[0].hint


@pytest.mark.skipif(find_spec("tzdata") is not None, reason="the package tzdata stands in")
def test_a_machine_without_time_zone_data_is_told_what_to_install() -> None:
    try:
        reset_tzpath(to=[])
        ZoneInfo.clear_cache()
        with pytest.raises(InputError, match="this machine has no time zone data") as failed:
            is_open(week("Europe/Madrid"), NOW)
        assert "pip install tzdata" in failed.value.problems[0].hint
        assert changes(week(), week("Europe/Madrid", mon=["09:00-13:00"]))[1:] == [
            "Mon: closed -> 09:00–13:00",
            "0 h a week -> 4 h a week, +4 h a week",
        ]
    finally:
        reset_tzpath()
        ZoneInfo.clear_cache()


def test_it_is_open_from_the_first_minute_to_before_the_last() -> None:
    bogota = week(mon=["09:00-13:00", "14:00-18:00"])
    for clock, expected in (("08:59", False), ("09:00", True), ("12:59", True), ("13:00", False), ("17:59", True)):
        assert is_open(bogota, datetime.fromisoformat(f"2026-11-02T{clock}:30-05:00")) is expected


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        # No daylight saving time: one day is as the other.
        (week(mon=["09:00-13:00"]), "2026-11-02T10:00-05:00", "2026-11-02T13:00:00-05:00"),
        (week(mon=["09:00-13:00"]), "2026-11-02T13:00-05:00", "2026-11-09T09:00:00-05:00"),
        (week(mon=["20:00-24:00"], tue=["00:00-02:00"]), "2026-11-02T21:00-05:00", "2026-11-03T02:00:00-05:00"),
        (week(mon=["09:00-13:00"]), "2026-11-02T12:59:59-05:00", "2026-11-02T13:00:00-05:00"),
        # Madrid springs forward on 29 March 2026: 02:00 is 03:00.
        (week("Europe/Madrid", sun=["01:00-02:30"]), "2026-03-29T01:30+01:00", "2026-03-29T03:00:00+02:00"),
        (week("Europe/Madrid", sun=["02:00-03:00"]), "2026-03-28T12:00+01:00", "2026-04-05T02:00:00+02:00"),
        (week("Europe/Madrid", sun=["02:30-05:00"]), "2026-03-29T01:30+01:00", "2026-03-29T03:00:00+02:00"),
        # And falls back on 25 October: 02:00 to 03:00 is there twice.
        (week("Europe/Madrid", sun=["01:00-02:30"]), "2026-10-25T02:29+02:00", "2026-10-25T02:30:00+02:00"),
        (week("Europe/Madrid", sun=["01:00-02:30"]), "2026-10-25T02:30+02:00", "2026-10-25T02:00:00+01:00"),
        (week("Europe/Madrid", sun=["01:00-04:00"]), "2026-10-25T01:30+02:00", "2026-10-25T04:00:00+01:00"),
        # Lord Howe moves by half an hour: on 4 October 2026 02:00 is 02:30.
        (week("Australia/Lord_Howe", sun=["01:00-02:15"]), "2026-10-04T01:30+10:30", "2026-10-04T02:30:00+11:00"),
        (week("Australia/Lord_Howe", sun=["01:00-03:00"]), "2026-04-05T00:30+11:00", "2026-04-05T01:00:00+11:00"),
    ],
)
def test_it_changes_next_when_the_clock_on_the_wall_says_so(hours: Week, moment: str, expected: str) -> None:
    found = next_change(hours, datetime.fromisoformat(moment))
    assert found is not None
    assert found.isoformat() == expected


def test_what_is_always_open_or_never_does_not_change() -> None:
    assert next_change(week(), NOW) is None
    assert next_change(week(**{day: ["00:00-24:00"] for day in DAYS}), NOW) is None


def test_a_week_that_closes_for_one_hour_changes_in_that_hour() -> None:
    almost = {day: ["00:00-24:00"] for day in DAYS}
    found = next_change(week("Europe/Madrid", **{**almost, "sun": ["00:00-02:00", "03:00-24:00"]}), NOW)
    assert found == datetime(2026, 11, 8, 1, tzinfo=UTC)


@given(
    st.sampled_from(["America/Bogota", "Europe/Madrid", "Australia/Lord_Howe"]),
    st.integers(0, 365 * 24 * 3600),
)
def test_nothing_changes_before_the_next_change(timezone: str, seconds: int) -> None:
    moment = NOW + timedelta(seconds=seconds)
    hours = week(timezone, mon=["09:00-13:00", "14:00-24:00"], sat=["00:00-02:30"], sun=["02:15-03:45"])
    found = next_change(hours, moment)
    assert found is not None
    assert found.tzinfo == ZoneInfo(timezone)
    assert is_open(hours, found) is not is_open(hours, moment)
    assert is_open(hours, found.astimezone(UTC) - timedelta(minutes=1)) is is_open(hours, moment)
