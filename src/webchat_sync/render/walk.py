"""The one walk over a plan: what there is to show of it, in order, for the formats to lay out and to escape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from webchat_sync.domain.hours import FIELD as HOURS
from webchat_sync.domain.hours import Week, parse_week, show_minutes, show_week, week_changes
from webchat_sync.errors import Place
from webchat_sync.model import (
    ActiveChange,
    Change,
    Create,
    Delete,
    FieldChange,
    Json,
    Key,
    LiveChannel,
    Missing,
    Plan,
    SecretOperation,
    Update,
    sent_fields,
)
from webchat_sync.planfile.redacted import redacted

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
    "generate": ("+", "generated"),
    "rotate": ("~", "rotated"),
    "revoke": ("-", "revoked"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """A value that is told in words and not as JSON."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One difference: ``before`` counts unless the symbol is ``+``, ``after`` unless it is ``-``.

    ``remark`` says what it comes to, where the two values do not; ``place`` where the field is declared, when that
    is another file than the channel's.
    """

    symbol: Symbol
    path: str
    before: Json | Missing | Words
    after: Json | Missing | Words
    remark: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class SecretLines:
    """What happens to the identity secret, and below that where a new one goes."""

    symbol: Symbol
    text: str
    below: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be known of a channel's identity secret, also when nothing happens to it."""

    level: Literal["note", "danger"]
    address: str
    text: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel that changes. ``unchanged`` are the managed fields that do not, with their values."""

    change: ActiveChange
    lines: tuple[Line, ...]
    unchanged: tuple[tuple[str, Json], ...]
    secret: SecretLines | None = None

    @property
    def symbol(self) -> Symbol:
        """What happens to the channel as a whole."""
        return SYMBOLS[self.change.action]


@dataclass(frozen=True, slots=True)
class Section:
    """One organisation: the channels that change, those that no file declares, and what else is to be known."""

    organization: str
    channels: tuple[Channel, ...]
    undeclared: tuple[LiveChannel, ...]
    remarks: tuple[Remark, ...] = ()


def walk(plan: Plan) -> tuple[Section, ...]:
    """A section per organisation of the plan, in the plan's order; nothing in it looks like a secret."""
    plan = redacted(plan)
    return tuple(
        Section(
            planned.organization,
            tuple(_channel(change, plan.created_at) for change in planned.active_changes),
            planned.undeclared,
            tuple(remark for change in planned.changes for remark in _remarks(change)),
        )
        for planned in plan.organizations
    )


def _channel(change: ActiveChange, at: datetime) -> Channel:
    sent = sent_fields(change)
    in_words = tuple(_hours(change, sent, at))
    lines = [] if in_words else [_line(field) for field in change.fields]
    for field in change.fields if in_words else ():
        if field.field != HOURS:
            lines.append(_line(field))
        elif in_words[0] not in lines:
            lines += in_words
    managed = change.reviewed.items() if isinstance(change, Update) else ()
    unchanged = tuple((name, value) for name, value in managed if name not in sent and name != "hasIdentitySecret")
    return Channel(change, tuple(lines), unchanged, None if change.secret is None else _secret(change.secret))


def _secret(secret: SecretOperation) -> SecretLines:
    symbol, verb = SECRETS[secret.action]
    return SecretLines(
        symbol,
        f"identity secret: will be {verb} ({secret.reason})",
        tuple(f"goes to: {sink.label}" for sink in secret.sinks),
    )


def _remarks(change: Change) -> Iterator[Remark]:
    if change.remarks.note:
        yield Remark("note", change.address, change.remarks.note, change.place)
    if change.remarks.danger:
        yield Remark("danger", change.address, change.remarks.danger, change.place)


def _line(field: FieldChange) -> Line:
    return Line(SYMBOLS[field.action], field.path, field.before, field.after, place=field.place)


def _hours(change: ActiveChange, sent: dict[str, Json], at: datetime) -> Iterator[Line]:
    """The operating hours in words, where they change and can be told as time."""
    reviewed = {} if isinstance(change, Create) else change.reviewed
    before, after = parse_week(reviewed.get(HOURS)), parse_week(sent.get(HOURS))
    if isinstance(change, Delete) or (before and HOURS in sent and sent[HOURS] is None):
        yield from _one_week("-", before)
    elif before is None and any(field.steps == (Key(HOURS),) and field.action == "add" for field in change.fields):
        yield from _one_week("+", after)
    elif before and after:
        for moved in week_changes(before, after, at=at):
            path = f"{HOURS} {moved.what}".rstrip()
            yield Line("~", path, Words(moved.before), Words(moved.after), moved.remark)


def _one_week(symbol: Symbol, week: Week | None) -> Iterator[Line]:
    if week is None:
        return
    whole = Words(f"{show_minutes(week.minutes)} a week")
    zone: Json = week.timezone
    yield Line(symbol, HOURS, whole, whole)
    yield Line(symbol, f"{HOURS} timezone", zone, zone)
    for what, ranges in show_week(week):
        yield Line(symbol, f"{HOURS} {what}", Words(ranges), Words(ranges))
