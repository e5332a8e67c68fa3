"""The live page: every declared channel as a visitor would see it at a given time, with its problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from webchat_sync.domain.hours import FIELD, Week, is_open, is_pause, known_zone, next_change, parse_week
from webchat_sync.errors import Diagnostic, Place
from webchat_sync.frozen import frozen
from webchat_sync.model import Json
from webchat_sync.render.html.document import render_page
from webchat_sync.render.html.domains import FIELD as SITES
from webchat_sync.render.html.domains import hosts_of
from webchat_sync.render.html.paints import Paints
from webchat_sync.render.html.week import WeekPicture, week_picture
from webchat_sync.render.html.widget import Scene, SceneTab, Widget, scene_tabs, widget_of
from webchat_sync.render.sides import Sides

Side: TypeAlias = Literal["declared", "live"]

_ALLOWED: Final = ("connect-src 'self'", "form-action 'self'")


@frozen
class Seen:
    """One channel: its declared fields, and its live ones, None if there is no such channel.

    ``listed``: the live channels of its organisation are known. ``problems`` are those inside its declaration.
    """

    name: str
    organization: str
    place: Place
    declared: Mapping[str, Json]
    live: Mapping[str, Json] | None
    listed: bool = True
    problems: tuple[Diagnostic, ...] = ()


@frozen
class Asked:
    """What the reader wants to see. ``at`` is the local time of every channel; None for now."""

    side: Side = "declared"
    at: datetime | None = None


@frozen
class Card:
    """One channel for the template: ``clock`` is its local time, and whether the chat is open.

    ``sites`` are those that may load it; None if unknown.
    """

    number: int
    seen: Seen
    widget: Widget | None
    tabs: tuple[SceneTab, ...]
    clock: str
    week: WeekPicture | None
    sites: tuple[str, ...] | None


@frozen
class Preview:
    """Everything for the template. ``live_from`` is the source of the live fields, empty for none."""

    version: int
    asked: Asked
    at: str
    live_from: str
    problems: tuple[Diagnostic, ...]
    cards: tuple[Card, ...]


def render_preview(
    channels: Sequence[Seen],
    problems: Sequence[Diagnostic],
    asked: Asked,
    *,
    now: datetime,
    version: int,
    live_from: str = "",
) -> str:
    """The page. ``problems`` belong to no channel; the page reloads when ``version`` changes."""
    paints = Paints()
    cards = tuple(_card(number, seen, asked, now, paints) for number, seen in enumerate(channels, 1))
    at = "" if asked.at is None else f"{asked.at:%Y-%m-%dT%H:%M}"
    page = Preview(version, asked, at, live_from, tuple(problems), cards)
    return render_page(page, paints, name="preview", allowed=_ALLOWED)


def _card(number: int, seen: Seen, asked: Asked, now: datetime, paints: Paints) -> Card:
    fields = seen.live if asked.side == "live" else seen.declared
    unknown = "The server didn't list the opening hours" if asked.side == "live" else "No opening hours are declared"
    scene, clock = _clock({} if fields is None else fields, asked.at, now, unknown)
    if scene == "pause" and "offlineMessageLunch" not in (fields or {}):
        scene = "closed"
    sides = Sides(None, fields)
    hosts = hosts_of((fields or {}).get(SITES))
    return Card(
        number,
        seen,
        widget_of(fields, frozenset(), paints),
        scene_tabs(sides, scene),
        clock,
        week_picture(sides, now if asked.at is None else asked.at.replace(tzinfo=UTC)),
        None if hosts is None else tuple(hosts.values()) or ("any site",),
    )


def _clock(fields: Mapping[str, Json], at: datetime | None, now: datetime, unknown: str) -> tuple[Scene, str]:
    """What the visitor sees at that time, and the time in words; ``unknown`` says why there are no hours."""
    if FIELD not in fields:
        return "chat", f"{unknown}, so it isn't known whether the chat is open."
    if fields[FIELD] is None:
        return "chat", "No opening hours are set."
    week = parse_week(fields[FIELD])
    if week is None:
        return "chat", "The opening hours can't be read, so it isn't known whether the chat is open."
    zone = known_zone(week.timezone)
    if zone is None:
        return "chat", f"{week.timezone} isn't a known time zone, so it isn't known whether the chat is open."
    moment = now.astimezone(zone) if at is None else at.replace(tzinfo=zone)
    scene: Scene = "chat" if is_open(week, moment) else "pause" if is_pause(week, moment) else "closed"
    state = {"chat": "open", "pause": "closed for the midday break"}.get(scene, "closed")
    return scene, f"{moment:%A %d %B %Y, %H:%M} in {week.timezone}: {state}. {_until(week, moment)}"


def _until(week: Week, moment: datetime) -> str:
    until = next_change(week, moment)
    if until is None:
        return "This never changes."
    return f"It {'closes' if is_open(week, moment) else 'opens'} on {until:%A at %H:%M}."
