"""The one walk over a plan: its contents in order, for formats to lay out and escape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime
from typing import Final, Literal, NamedTuple, TypeAlias

from webchat_sync.domain.hours import DAYS, Ranges, Week, parse_week, show_minutes, show_week, week_changes
from webchat_sync.domain.hours import FIELD as HOURS
from webchat_sync.errors import Place
from webchat_sync.frozen import frozen
from webchat_sync.model import (
    HAS_SECRET,
    ActiveChange,
    Change,
    Create,
    CreateChannel,
    Delete,
    DeleteChannel,
    FieldChange,
    Json,
    Key,
    LiveChannel,
    MakeSecret,
    Missing,
    Operation,
    OrganizationPlan,
    PatchChannel,
    Plan,
    Prune,
    RevokeSecret,
    Update,
    sent_fields,
)
from webchat_sync.plan.channel import NEVER_DECLARED
from webchat_sync.planfile.redacted import redacted_organization
from webchat_sync.render.values import named
from webchat_sync.sentences import counted

Symbol: TypeAlias = Literal["+", "~", "-"]

SYMBOLS: Final[dict[str, Symbol]] = {
    "create": "+",
    "update": "~",
    "delete": "-",
    "add": "+",
    "change": "~",
    "remove": "-",
}
SECRETS: Final[dict[str, tuple[Symbol, str]]] = {
    "generate": ("+", "created"),
    "rotate": ("~", "rotated"),
    "revoke": ("-", "revoked"),
}


@frozen
class Words:
    """A value described in words instead of JSON."""

    text: str


Side: TypeAlias = "Json | Missing | Words"
NOTHING: Final = Words("")
"""The missing side of a line with only one value."""


@frozen
class Line:
    """One difference: ``before`` is NOTHING for the symbol ``+``, ``after`` is for ``-``.

    ``field`` is the channel's field, ``path`` the place in it as text.
    ``remark`` is the effect of the difference if the values don't show it; ``place`` is where the field is declared, if
    that isn't the file of the channel.
    """

    symbol: Symbol
    field: str
    path: str
    before: Side
    after: Side
    remark: str = ""
    place: Place | None = None


@frozen
class Beside:
    """What an operation does apart from fields: with an identity secret, for example, and ``below`` where it goes."""

    symbol: Symbol
    text: str
    below: tuple[str, ...]


@frozen
class Remark:
    """What a reader should know about a channel's identity secret, even if nothing happens to it.

    ``owner`` is its organisation if there are several, else empty.
    """

    level: Literal["note", "danger"]
    address: str
    text: str
    place: Place | None
    owner: str = ""

    @property
    def name(self) -> str:
        """The name of the channel in a text about all organisations."""
        return named(self.address, self.owner)


@frozen
class Channel:
    """One channel that changes. ``unchanged`` are its other managed fields, with their values.

    ``owner`` is its organisation if there are several, else empty.
    """

    change: ActiveChange
    lines: tuple[Line, ...]
    unchanged: tuple[tuple[str, Json], ...]
    beside: tuple[Beside, ...] = ()
    owner: str = ""

    @property
    def name(self) -> str:
        """The name of the channel in a text about all organisations."""
        return named(self.change.address, self.owner)

    @property
    def symbol(self) -> Symbol:
        """What happens to the channel as a whole."""
        return SYMBOLS[self.change.action]


@frozen
class Section:
    """One organisation: the channels that change, the undeclared ones, and remarks.

    ``named``: the plan covers other organisations too, so output about this one names it. ``kept`` says, by id, why an
    undeclared channel stays that an apply has declared.
    """

    organization: str
    channels: tuple[Channel, ...]
    undeclared: tuple[LiveChannel, ...]
    remarks: tuple[Remark, ...] = ()
    prune: Prune = False
    named: bool = False
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def left_alone(self) -> str:
        """How many live channels are undeclared, and why they stay; empty if there are none."""
        if not (count := len(self.undeclared)):
            return ""
        alone = f"{counted(count, 'undeclared channel is', 'undeclared channels are')} left alone"
        if self.kept:
            return f"{alone} although settings.prune is owned"
        them = "it" if count == 1 else "them"
        never = f"settings.prune is owned, and no apply of these manifests declared {them}"
        return f"{alone} because {never if self.prune else 'settings.prune is off'}"

    @property
    def stays(self) -> tuple[Stay, ...]:
        """The undeclared channels, with the reasons that :attr:`left_alone` doesn't give."""
        return tuple(
            Stay(channel, self.kept.get(channel.id, NEVER_DECLARED) if self.kept else "") for channel in self.undeclared
        )


class Stay(NamedTuple):
    """An undeclared channel and, if ``reason`` isn't empty, why it stays."""

    channel: LiveChannel
    reason: str


def walk(plan: Plan) -> tuple[Section, ...]:
    """A section per organisation, in the plan's order, with anything that looks like a secret redacted."""
    several = plan.several
    return tuple(walk_organization(planned, plan.created_at, several=several) for planned in plan.organizations)


def walk_organization(planned: OrganizationPlan, at: datetime, *, several: bool) -> Section:
    """The section of one organisation of a plan that was made ``at`` that time, for ``several`` or for this one."""
    planned = redacted_organization(planned)
    owner = planned.organization if several else ""
    return Section(
        planned.organization,
        tuple(_channel(change, at, owner) for change in planned.active_changes),
        planned.undeclared,
        tuple(remark for change in planned.changes for remark in _remarks(change, owner)),
        planned.prune,
        several,
        {channel.id: planned.kept[channel.id] for channel in planned.undeclared if channel.id in planned.kept},
    )


def _channel(change: ActiveChange, at: datetime, owner: str) -> Channel:
    sent = sent_fields(change)
    hours = tuple(_hours(change, sent, at))
    lines: list[Line] = []
    for moved in change.fields:
        if not hours or not _is_described(moved, change, sent):
            lines.append(_field(moved))
        elif hours[0] not in lines:
            lines += hours
    managed = change.reviewed.items() if isinstance(change, Update) else ()
    unchanged = tuple((name, value) for name, value in managed if name not in sent and name != HAS_SECRET)
    beside = tuple(filter(None, map(_beside_fields, change.operations)))
    return Channel(change, tuple(lines), unchanged, beside, owner)


def _beside_fields(operation: Operation) -> Beside | None:
    """What the operation does apart from fields, whose lines show the rest; None if that's nothing."""
    match operation:
        case MakeSecret() | RevokeSecret():
            symbol, verb = SECRETS[operation.action]
            destinations = tuple(f"goes to: {sink.label}" for sink in operation.sinks)
            return Beside(symbol, f"identity secret: will be {verb} ({operation.reason})", destinations)
        case CreateChannel() | PatchChannel() | DeleteChannel():
            return None


def _remarks(change: Change, owner: str) -> Iterator[Remark]:
    if change.remarks.note:
        yield Remark("note", change.address, change.remarks.note, change.place, owner)
    if change.remarks.danger:
        yield Remark("danger", change.address, change.remarks.danger, change.place, owner)


def _field(field: FieldChange) -> Line:
    return _line(SYMBOLS[field.action], field.field, field.path, field.before, field.after, field.place)


def _line(symbol: Symbol, field: str, path: str, before: Side, after: Side, place: Place | None = None) -> Line:
    """A line with the sides that its symbol needs."""
    shown_before, shown_after = NOTHING if symbol == "+" else before, NOTHING if symbol == "-" else after
    return Line(symbol, field, path, shown_before, shown_after, place=place)


def _is_described(field: FieldChange, change: ActiveChange, sent: dict[str, Json]) -> bool:
    """Whether the description of the hours already covers this difference.

    A day that's only written differently has no description.
    """
    match field.steps:
        case (Key("operatingHours"), Key("days"), Key(day), *_):
            before, after = (_open_on(day, hours) for hours in (_reviewed(change).get(HOURS), sent.get(HOURS)))
            return before != after
        case _:
            return field.field == HOURS


def _open_on(day: str, hours: Json | Missing) -> Ranges | None:
    week = parse_week(hours)
    return None if week is None else week.days[DAYS.index(day)]


def _reviewed(change: ActiveChange) -> Mapping[str, Json | Missing]:
    return {} if isinstance(change, Create) else change.reviewed


def _hours(change: ActiveChange, sent: dict[str, Json], at: datetime) -> Iterator[Line]:
    """The operating hours in words, if they change and can be read as time."""
    before, after = parse_week(_reviewed(change).get(HOURS)), parse_week(sent.get(HOURS))
    if isinstance(change, Delete) or (before and HOURS in sent and sent[HOURS] is None):
        yield from _one_week("-", before)
    elif before is None and any(field.steps == (Key(HOURS),) and field.action == "add" for field in change.fields):
        yield from _one_week("+", after)
    elif before and after:
        for moved in week_changes(before, after, at=at):
            path = f"{HOURS} {moved.what}".rstrip()
            yield Line("~", HOURS, path, Words(moved.before), Words(moved.after), moved.remark)


def _one_week(symbol: Symbol, week: Week | None) -> Iterator[Line]:
    if week is None:
        return
    whole = Words(f"{show_minutes(week.minutes)} a week")
    zone: Json = week.timezone
    yield _line(symbol, HOURS, HOURS, whole, whole)
    yield _line(symbol, HOURS, f"{HOURS} timezone", zone, zone)
    for what, ranges in show_week(week):
        yield _line(symbol, HOURS, f"{HOURS} {what}", Words(ranges), Words(ranges))
