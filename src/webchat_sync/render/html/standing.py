"""The sites and the hours of a channel if the change leaves them as they are or doesn't mention them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webchat_sync.domain.hours import FIELD as HOURS
from webchat_sync.domain.hours import parse_week, show_week
from webchat_sync.frozen import frozen
from webchat_sync.model import Json
from webchat_sync.render.html.domains import FIELD as SITES
from webchat_sync.render.html.domains import hosts_of
from webchat_sync.render.sides import Sides
from webchat_sync.render.values import inline

_UNDECLARED: Final = "Not declared, so the server decides."
_NOT_MANAGED: Final = "Not declared here, so they don't change."
_NOT_LISTED: Final = "Not known: the server doesn't list them."
_AS_BEFORE: Final = "as before"


@frozen
class Standing:
    """The sites or the hours, if they're known, and a remark about them."""

    title: str
    values: tuple[str, ...]
    remark: str


def standing_of(sides: Sides, *, sites: bool, hours: bool) -> tuple[Standing, ...]:
    """What to say about the ``sites`` and the ``hours`` that no picture shows."""
    return tuple(_lines(sides, sites=sites, hours=hours))


def _lines(sides: Sides, *, sites: bool, hours: bool) -> Iterator[Standing]:
    known = {**(sides.before or {}), **(sides.after or {})}
    unknown = _UNDECLARED if sides.before is None else _NOT_LISTED if sides.after is None else _NOT_MANAGED
    if sites:
        yield _sites(known[SITES]) if SITES in known else Standing("Sites", (), unknown)
    if hours:
        yield _hours(known[HOURS]) if HOURS in known else Standing("Hours", (), unknown)


def _sites(value: Json) -> Standing:
    hosts = hosts_of(value)
    values = (inline(value),) if hosts is None else tuple(hosts.values()) or ("any site",)
    return Standing("Sites", values, _AS_BEFORE)


def _hours(value: Json) -> Standing:
    if value is None:
        return Standing("Hours", (), f"None are set, {_AS_BEFORE}.")
    week = parse_week(value)
    if week is None:
        return Standing("Hours", (inline(value),), f"{_AS_BEFORE}, in a form that isn't known")
    days = tuple(f"{days} {ranges}" for days, ranges in show_week(week))
    return Standing("Hours", days, f"{week.timezone}, {_AS_BEFORE}")
