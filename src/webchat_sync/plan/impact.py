"""What a change means for visitors: the catalogue's impact rules, applied to every field that changes.

A rule names *when* it applies, by a key of :data:`CONDITIONS`; its text is in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias, assert_never, get_args

from webchat_sync.domain.catalogue import Catalogue, Shape
from webchat_sync.domain.colors import is_color, poor_contrast
from webchat_sync.domain.hours import Week, parse_week, show_minutes, week_changes
from webchat_sync.domain.match_items import item_steps
from webchat_sync.domain.week_instants import closed_minutes
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import as_json
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import (
    UNKNOWN,
    CreateChannel,
    DeleteChannel,
    FieldChange,
    Impact,
    ImpactLevel,
    Item,
    Json,
    Key,
    MakeSecret,
    Missing,
    Operation,
    PatchChannel,
    Position,
    RevokeSecret,
    fields_in,
)

_LEVELS: Final[Sequence[ImpactLevel]] = get_args(ImpactLevel)

_PLACEHOLDER: Final = lazy_pattern(r"\{(\w+)\}")

Placeholders: TypeAlias = "dict[str, str]"
"""The values for ``{name}`` in the text of a rule."""


@frozen
class Facts:
    """One field that changes: its live value (UNKNOWN: not known), its declared value, and the differences."""

    shape: Shape
    before: Json | Missing
    after: Json
    changes: Sequence[FieldChange]
    at: datetime
    creating: bool


def channel_impact(
    action: Literal["create", "update", "delete"],
    fields: Sequence[FieldChange],
    operations: Sequence[Operation],
    live: Mapping[str, Json],
    catalogue: Catalogue,
    *,
    at: datetime,
) -> tuple[Impact, ...]:
    """What a change means for visitors, dangers first.

    ``live`` has the known fields of the live channel, empty for a create; ``at`` is the time of the plan.
    """
    sent = fields_in(operations)
    return worst_first(
        *_whole_channel(action, live, sent),
        *_operation_impacts(operations),
        *_field_impacts(fields, live, sent, catalogue, at, creating=action == "create"),
    )


def worst_first(*impacts: Impact) -> tuple[Impact, ...]:
    """Dangers first, then warnings, then information."""
    return tuple(sorted(impacts, key=lambda impact: _LEVELS.index(impact.level)))


def _whole_channel(action: str, live: Mapping[str, Json], sent: Mapping[str, Json]) -> Iterator[Impact]:
    if action == "delete":
        yield Impact("danger", "deleted", f"the channel is deleted: its snippet stops working on {_sites(live)}")
    elif action == "create":
        off = ", switched off" if sent.get("enabled") is False else ""
        sites = f"; its widget may load on {_sites(sent, otherwise='any site')}" if "allowedDomains" in sent else ""
        yield Impact("info", "created", f"a new channel{off}{sites}")


def _operation_impacts(operations: Sequence[Operation]) -> Iterator[Impact]:
    for operation in operations:
        match operation:
            case MakeSecret(stops=str(stops)) if stops:
                yield Impact("warning", "secret-rotated", f"the identity secret is rotated, which locks out {stops}")
            case RevokeSecret(stops=str(stops)) if stops:
                yield Impact("danger", "secret-revoked", f"the identity secret is revoked, which locks out {stops}")
            case MakeSecret() | RevokeSecret() | CreateChannel() | PatchChannel() | DeleteChannel():
                pass  # locks no one out; the rules for fields cover the rest
            case _:
                assert_never(operation)


def _field_impacts(
    fields: Sequence[FieldChange],
    live: Mapping[str, Json],
    sent: Mapping[str, Json],
    catalogue: Catalogue,
    at: datetime,
    *,
    creating: bool,
) -> Iterator[Impact]:
    for name, value in sent.items():
        known = catalogue.fields.get(name)
        if known is None or not known.impact:
            continue
        inside = [change for change in fields if change.field == name]
        facts = Facts(known.shape, live.get(name, UNKNOWN), value, inside, at, creating)
        for rule in known.impact:
            values = CONDITIONS[rule.when](facts)
            if values is not None:
                text = _filled({"sites": _sites(live), **values}, rule.text)
                yield Impact(rule.level, rule.code, text, name)


def _filled(values: Placeholders, text: str) -> str:
    """``text`` with its placeholders replaced; unknown ones stay, since manifests can define texts of their own."""
    return _PLACEHOLDER.sub(lambda placeholder: values.get(placeholder[1], placeholder[0]), text)


def _sites(live: Mapping[str, Json], *, otherwise: str = "every site that embeds the widget") -> str:
    domains = live.get("allowedDomains")
    return _listed(domains) if isinstance(domains, list) and domains else otherwise


def _listed(values: Sequence[Json]) -> str:
    return ", ".join(as_json(value) for value in values)


def _becomes(wanted: bool) -> Callable[[Facts], Placeholders | None]:
    def condition(facts: Facts) -> Placeholders | None:
        starts = facts.after is wanted and facts.before is not wanted and not facts.creating
        return {} if starts else None

    return condition


def _changed(facts: Facts) -> Placeholders | None:
    if isinstance(facts.before, Missing):
        return None
    return {"before": as_json(facts.before), "after": as_json(facts.after)}


def _emptied(facts: Facts) -> Placeholders | None:
    return {} if facts.after in ([], None) else None


def _becomes_filled(facts: Facts) -> Placeholders | None:
    filled = facts.before in ([], None) and isinstance(facts.after, list) and facts.after
    return {"items": _listed(facts.after)} if filled and isinstance(facts.after, list) else None


def _items_removed(facts: Facts) -> Placeholders | None:
    removed = [
        change.before
        for change in facts.changes
        if change.action == "remove" and not isinstance(change.before, Missing)
    ]
    return {"items": _listed(removed)} if removed and facts.after else None


def _items_added(facts: Facts) -> Placeholders | None:
    added = [change.after for change in facts.changes if change.action == "add"]
    return {"items": _listed(added)} if added and facts.before and facts.before is not UNKNOWN else None


def _required_items(facts: Facts) -> Placeholders | None:
    """The items that are newly required: added as required, or optional before."""
    if facts.creating:
        return None
    labels: list[str] = []
    for change in facts.changes:
        match change.steps[1:]:
            case () if isinstance(change.after, list):
                named = zip(item_steps(facts.shape, change.after), change.after, strict=True)
                labels += [_label(step) for step, item in named if _is_required(item)]
            case ((Item() | Position()) as step,) if _is_required(change.after):
                labels.append(_label(step))
            case ((Item() | Position()) as step, Key("required")) if change.after is True:
                labels.append(_label(step))
    return {"items": ", ".join(labels)} if labels else None


def _label(step: Item | Position) -> str:
    return step.text if isinstance(step, Item) else str(step.index)


def _is_required(item: Json) -> bool:
    return isinstance(item, dict) and item.get("required") is True


def _low_contrast(facts: Facts) -> Placeholders | None:
    if not isinstance(facts.after, str) or not is_color(facts.after):
        return None
    ratio = poor_contrast(facts.after)
    return {"after": as_json(facts.after), "ratio": ratio} if ratio else None


def _fewer_hours(facts: Facts) -> Placeholders | None:
    before, after = _weeks(facts)
    if before is None or after is None:
        return None
    closed, since = closed_minutes(before, after, facts.at)
    if not closed:
        return None
    hours = _hours(before, after, facts.at)
    if before.timezone != after.timezone:
        then = f"from {since:%d %b %Y} on, " if since != facts.at else ""
        hours += f"; {then}no longer open for {show_minutes(closed)} of the {show_minutes(before.minutes)} a week"
    return {"hours": hours}


def _other_hours(facts: Facts) -> Placeholders | None:
    before, after = _weeks(facts)
    if facts.creating or _fewer_hours(facts) is not None:
        return None
    if facts.after is None:
        return {"hours": "no longer set"}
    if before is not None and after is not None:
        return {"hours": _hours(before, after, facts.at) or "same hours, written differently"}
    return {
        "hours": f"set to {show_minutes(after.minutes)} a week" if after else "written in a way that can't be compared"
    }


def _weeks(facts: Facts) -> tuple[Week | None, Week | None]:
    return parse_week(facts.before), parse_week(facts.after)


def _hours(before: Week, after: Week, at: datetime) -> str:
    effects = sorted(week_changes(before, after, at=at), key=lambda effect: effect.what != "")
    return "; ".join(str(effect) if effect.what else effect.remark for effect in effects)


CONDITIONS: Final[Mapping[str, Callable[[Facts], Placeholders | None]]] = {
    "becomesTrue": _becomes(True),
    "becomesFalse": _becomes(False),
    "changed": _changed,
    "emptied": _emptied,
    "filled": _becomes_filled,
    "itemsRemoved": _items_removed,
    "itemsAdded": _items_added,
    "requiredItems": _required_items,
    "lowContrast": _low_contrast,
    "fewerHours": _fewer_hours,
    "otherHours": _other_hours,
}
"""The ``when`` of a catalogue rule: returns the values for its text, or None if the rule doesn't apply."""
