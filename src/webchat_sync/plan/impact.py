"""What a change means to visitors: the rules of the field catalogue, asked about each field that changes.

A rule says *when* it has something to say, in the words of :data:`CONDITIONS`; what it says stands in the catalogue.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias, get_args

from webchat_sync.domain.catalogue import Catalogue, Shape
from webchat_sync.domain.colors import LEAST_CONTRAST, contrast_to_white, is_color
from webchat_sync.domain.hours import Week, covers, parse_week, show_minutes, week_changes
from webchat_sync.domain.match_items import item_labels
from webchat_sync.model import UNKNOWN, ChannelChange, FieldChange, Impact, ImpactLevel, Json, Missing

_LEVELS: Final[Sequence[ImpactLevel]] = get_args(ImpactLevel)

Words: TypeAlias = "dict[str, str]"
"""What stands for ``{name}`` in the text of a rule."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One field that changes: its live value (UNKNOWN: there is none to know), its declared one, the differences."""

    name: str
    shape: Shape
    before: Json | Missing
    after: Json
    changes: Sequence[FieldChange]
    at: datetime
    creating: bool


def channel_impact(
    change: ChannelChange, live: Mapping[str, Json], catalogue: Catalogue, *, at: datetime
) -> tuple[Impact, ...]:
    """What ``change`` means to visitors, dangers first.

    ``live`` is all that is known of the channel before, empty for one that is created; ``at`` is the time of the plan.
    """
    declared = {name: value for operation in change.operations for name, value in (operation.body or {}).items()}
    found = [*_whole_channel(change, live, declared), *_field_impacts(change, live, declared, catalogue, at)]
    return tuple(sorted(found, key=lambda each: _LEVELS.index(each.level)))


def _whole_channel(change: ChannelChange, live: Mapping[str, Json], declared: Mapping[str, Json]) -> Iterator[Impact]:
    if change.action == "delete":
        yield Impact("danger", "deleted", f"the channel is deleted: its snippet goes dead on {_sites(live)}")
    elif change.action == "create":
        off = ", switched off" if declared.get("enabled") is False else ""
        sites = f"; its widget may load on {_sites(declared)}" if "allowedDomains" in declared else ""
        yield Impact("info", "created", f"a new channel{off}{sites}")
    if change.secret is not None and change.secret.stops:
        level: ImpactLevel = "danger" if change.secret.action == "revoke" else "warning"
        verb = "revoked" if change.secret.action == "revoke" else "rotated"
        yield Impact(level, f"secret-{verb}", f"the identity secret is {verb}, which shuts out {change.secret.stops}")


def _field_impacts(
    change: ChannelChange,
    live: Mapping[str, Json],
    declared: Mapping[str, Json],
    catalogue: Catalogue,
    at: datetime,
) -> Iterator[Impact]:
    for name, value in declared.items():
        known = catalogue.fields.get(name)
        if known is None or not known.impact:
            continue
        inside = [each for each in change.fields if _is_inside(each.path, name)]
        creating = change.action == "create"
        facts = Facts(name, known.shape, live.get(name, UNKNOWN), value, inside, at, creating)
        for rule in known.impact:
            words = CONDITIONS[rule.when](facts)
            if words is not None:
                text = rule.text.format_map({"sites": _sites(live), **words})
                yield Impact(rule.level, rule.code, text, name)


def _is_inside(path: str, name: str) -> bool:
    return path == name or path.startswith((f"{name}.", f"{name}[", f"{name} ("))


def _sites(live: Mapping[str, Json]) -> str:
    domains = live.get("allowedDomains")
    return _listed(domains) if isinstance(domains, list) and domains else "every site that embeds it"


def _listed(values: Sequence[Json]) -> str:
    return ", ".join(_quoted(each) for each in values)


def _quoted(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _becomes(wanted: bool) -> Callable[[Facts], Words | None]:
    def condition(facts: Facts) -> Words | None:
        starts = facts.after is wanted and facts.before is not wanted and not facts.creating
        return {} if starts else None

    return condition


def _changed(facts: Facts) -> Words | None:
    if isinstance(facts.before, Missing):
        return None
    return {"before": _quoted(facts.before), "after": _quoted(facts.after)}


def _emptied(facts: Facts) -> Words | None:
    return {} if facts.after in ([], None) else None


def _filled(facts: Facts) -> Words | None:
    filled = facts.before in ([], None) and isinstance(facts.after, list) and facts.after
    return {"items": _listed(facts.after)} if filled and isinstance(facts.after, list) else None


def _items_removed(facts: Facts) -> Words | None:
    removed = [
        each.before for each in facts.changes if each.action == "remove" and not isinstance(each.before, Missing)
    ]
    return {"items": _listed(removed)} if removed and facts.after else None


def _items_added(facts: Facts) -> Words | None:
    added = [each.after for each in facts.changes if each.action == "add"]
    return {"items": _listed(added)} if added and facts.before and facts.before is not UNKNOWN else None


def _required_items(facts: Facts) -> Words | None:
    """The items that must be filled in and were not there before, or needed not be."""
    if facts.creating:
        return None
    labels: list[str] = []
    for each in facts.changes:
        if each.path == facts.name and isinstance(each.after, list):
            named = zip(item_labels(facts.shape, each.after), each.after, strict=True)
            labels += [label for label, item in named if _is_required(item)]
        elif _is_required(each.after) or (each.path.endswith("].required") and each.after is True):
            labels.append(each.path.removesuffix(".required").removeprefix(f"{facts.name}[").removesuffix("]"))
    return {"items": ", ".join(labels)} if labels else None


def _is_required(item: Json) -> bool:
    return isinstance(item, dict) and item.get("required") is True


def _low_contrast(facts: Facts) -> Words | None:
    if not isinstance(facts.after, str) or not is_color(facts.after):
        return None
    ratio = contrast_to_white(facts.after)
    # Rounded down: 2.96 is not the 3.0 that it would be shown as.
    return {"after": _quoted(facts.after), "ratio": f"{int(ratio * 10) / 10}"} if ratio < LEAST_CONTRAST else None


def _fewer_hours(facts: Facts) -> Words | None:
    before, after = _weeks(facts)
    if before is None or after is None or covers(after, before):
        return None
    return {"hours": _hours(before, after, facts.at)}


def _other_hours(facts: Facts) -> Words | None:
    before, after = _weeks(facts)
    if facts.creating or _fewer_hours(facts) is not None:
        return None
    if before is not None and after is not None:
        return {"hours": _hours(before, after, facts.at) or "the same, written another way"}
    return {"hours": f"now {show_minutes(after.minutes)} a week" if after else "not said in a way that can be compared"}


def _weeks(facts: Facts) -> tuple[Week | None, Week | None]:
    return parse_week(facts.before), parse_week(facts.after)


def _hours(before: Week, after: Week, at: datetime) -> str:
    found = sorted(week_changes(before, after, at=at), key=lambda each: each.what != "")
    return "; ".join(str(each) if each.what else each.remark for each in found)


CONDITIONS: Final[Mapping[str, Callable[[Facts], Words | None]]] = {
    "becomesTrue": _becomes(True),
    "becomesFalse": _becomes(False),
    "changed": _changed,
    "emptied": _emptied,
    "filled": _filled,
    "itemsRemoved": _items_removed,
    "itemsAdded": _items_added,
    "requiredItems": _required_items,
    "lowContrast": _low_contrast,
    "fewerHours": _fewer_hours,
    "otherHours": _other_hours,
}
"""Each ``when`` of the catalogue: what it gives the text to say, None when the rule has nothing to say."""
