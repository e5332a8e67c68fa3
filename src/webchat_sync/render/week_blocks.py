"""A week in block characters, for text-only output: one row per day, one character per hour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webchat_sync.domain.hours import DAYS, FIELD, Ranges, Week, parse_week, show_minutes
from webchat_sync.flat import visible
from webchat_sync.render.sides import Sides

_OPEN: Final = "█"
_CLOSED: Final = "·"
_FIRST_HALF: Final = "▌"
_SECOND_HALF: Final = "▐"
_PARTLY: Final = "▒"
_AXIS: Final = "    0     6     12    18"


def week_lines(sides: Sides) -> list[str]:
    """The week before above the week after, if it changes and can be drawn; 28 columns, plus headings."""
    before, after = (parse_week(side.get(FIELD)) if side is not None else None for side in (sides.before, sides.after))
    if before == after:
        return []
    drawn = [list(_week(title, week)) for title, week in (("before", before), ("after", after)) if week is not None]
    return [line for number, lines in enumerate(drawn) for line in ([""] if number else []) + lines]


def _week(title: str, week: Week) -> Iterator[str]:
    zone = visible(week.timezone).replace("\n", "\\n")
    yield f"{title}: {zone}, {show_minutes(week.minutes)} a week"
    yield _AXIS
    for day, ranges in zip(DAYS, week.days, strict=True):
        yield f"{day.capitalize()} {''.join(_hour(ranges, hour * 60) for hour in range(24))}"


def _hour(ranges: Ranges, start: int) -> str:
    first, second = (_opened(ranges, half, half + 30) for half in (start, start + 30))
    whole = {(0, 0): _CLOSED, (30, 30): _OPEN, (30, 0): _FIRST_HALF, (0, 30): _SECOND_HALF}
    return whole.get((first, second), _PARTLY)


def _opened(ranges: Ranges, start: int, end: int) -> int:
    """How many of these minutes it's open."""
    return sum(max(0, min(end, last) - max(start, first)) for first, last in ranges)
