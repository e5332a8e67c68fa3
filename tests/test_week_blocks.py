"""Weeks in block characters, as the comment on a pull request draws them."""

from __future__ import annotations

import pytest

from html_plans import week
from planning import declare, live, plan_for
from webchat_sync.model import Json
from webchat_sync.render.markdown import render_plan
from webchat_sync.render.sides import Sides
from webchat_sync.render.week_blocks import week_lines


def lines(before: Json, after: Json) -> list[str]:
    return week_lines(Sides({"operatingHours": before}, {"operatingHours": after}))


def test_before_is_over_after_with_a_row_for_each_day() -> None:
    drawn = lines(week(mon=["09:00-18:00"]), week(mon=["09:00-13:00", "14:00-18:00"]))
    assert [line.split()[0] for line in drawn if line.strip("0 1268")] == [
        *("before:", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        *("after:", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    ]
    assert drawn[2] == "Mon ·········█████████······"
    assert drawn[12] == "Mon ·········████·████······"
    assert drawn[1].index("12") == drawn[2].index("█") + 3, "the hours stand above what they name"


@pytest.mark.parametrize(
    ("ranges", "row"),
    [
        (["00:00-24:00"], "█" * 24),
        ([], "·" * 24),
        (["00:00-00:30"], "▌" + "·" * 23),
        (["23:30-24:00"], "·" * 23 + "▐"),
        (["00:10-00:20"], "▒" + "·" * 23),
        (["00:00-01:30", "01:45-02:00"], "█▒" + "·" * 22),
    ],
)
def test_a_character_is_an_hour(ranges: list[Json], row: str) -> None:
    assert lines(None, week(mon=ranges))[2] == f"Mon {row}"


def test_what_does_not_change_or_cannot_be_read_is_not_drawn() -> None:
    same = week(mon=["09:00-18:00"])
    assert lines(same, same) == []
    assert lines(same, week(mon=["09:00-12:00", "12:00-18:00"])) == []
    assert lines({"mon": "always"}, None) == []
    assert lines({"mon": "always"}, same)[0] == "after: America/Bogota, 9 h a week"


def test_a_row_fits_a_phone() -> None:
    assert {len(line) for line in lines(None, week()) if line.startswith("Mon")} == {28}


def test_a_zone_of_hostile_characters_stays_inside_its_fence() -> None:
    zone = "x\n```\n<img src=a onerror=b>\n"
    plan = plan_for([declare(operatingHours=week(zone, mon=["09:00-10:00"]))], [live(operatingHours=None)])
    text = render_plan(plan)
    assert "after: x\\n```\\n<img" in text
    assert "\n````text\n" in text
