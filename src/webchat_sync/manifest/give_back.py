"""Splits what a value is to become among the files that say it: every part goes back to where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from webchat_sync.jsonvalue import Json
from webchat_sync.model import UNKNOWN, Missing
from webchat_sync.yaml12.pairing import same

Part: TypeAlias = "Json | Missing"
"""What one file says of a value; UNKNOWN: nothing."""


@dataclass(frozen=True, slots=True)
class Layers:
    """Which of the files that lie over one another may be written to, the lowest one first."""

    own: Sequence[bool]

    def from_(self, layer: int) -> int | None:
        """``layer`` if it may be written to, else the highest one above it that may; None when there is none."""
        above = [index for index in range(layer + 1, len(self.own)) if self.own[index]]
        return layer if self.own[layer] else next(reversed(above), None)


def merged(parts: Iterable[Part]) -> Part:
    """What the parts say together: mappings are merged deep, and all else is replaced."""
    value: Part = UNKNOWN
    for part in parts:
        if isinstance(part, dict) and isinstance(value, dict):
            keys = [*value, *(key for key in part if key not in value)]
            entries = {key: merged([value.get(key, UNKNOWN), part.get(key, UNKNOWN)]) for key in keys}
            value = {key: entry for key, entry in entries.items() if not isinstance(entry, Missing)}
        elif not isinstance(part, Missing):
            value = part
    return value


def give_back(parts: Sequence[Part], wanted: Part, layers: Layers, home: int | None) -> list[Part] | None:
    """What every file is to say so that together they say ``wanted``; None when no file that may be written to can.

    A part is changed in the file whose word counts now, if that may be written to, else in the highest above it.
    ``home`` is where a value goes that no file has. What a lower file says and nobody may remove there becomes null.
    """
    now = merged(parts)
    if now is wanted or not (isinstance(now, Missing) or isinstance(wanted, Missing) or not same(now, wanted)):
        return list(parts)
    present = [index for index, part in enumerate(parts) if not isinstance(part, Missing)]
    if isinstance(now, dict) and isinstance(wanted, dict):
        return _mapping(parts, now, wanted, layers)
    if isinstance(wanted, Missing) and all(layers.own[index] for index in present):
        return [UNKNOWN for _ in parts]
    at = layers.from_(present[-1]) if present else home
    if at is None:
        return None
    new = list(parts)
    new[at] = None if isinstance(wanted, Missing) else _over(merged(parts[:at]), wanted)
    return new


def _mapping(
    parts: Sequence[Part], now: Mapping[str, Json], wanted: Mapping[str, Json], layers: Layers
) -> list[Part] | None:
    # A file that says something else than a mapping hides what those below it say.
    hiding = [index for index, part in enumerate(parts) if not isinstance(part, dict | Missing)]
    floor = hiding[-1] + 1 if hiding else 0
    seen = [part if isinstance(part, dict) and index >= floor else None for index, part in enumerate(parts)]
    home = _home([index for index, part in enumerate(seen) if part is not None], layers)
    new = [dict(part) if part is not None else None for part in seen]
    for key in [*now, *(key for key in wanted if key not in now)]:
        own = [part.get(key, UNKNOWN) if part is not None else UNKNOWN for part in seen]
        given = give_back(own, wanted.get(key, UNKNOWN), layers, home)
        if given is None:
            return None
        for index, part in enumerate(given):
            entries = new[index]
            if not isinstance(part, Missing):
                new[index] = {**(entries or {}), key: part}
            elif entries is not None:
                entries.pop(key, None)
    return [part if entries is None else entries for entries, part in zip(new, parts, strict=True)]


def _home(present: Sequence[int], layers: Layers) -> int | None:
    """Where a new entry of a mapping goes that the ``present`` files have a part in."""
    own = [index for index in present if layers.own[index]]
    return own[-1] if own else layers.from_(present[-1])


def _over(below: Part, wanted: Json) -> Json:
    """What is to be said over ``below`` so that both together say ``wanted``."""
    if not isinstance(below, dict) or not isinstance(wanted, dict):
        return wanted
    gone: dict[str, Json] = {key: None for key in below if key not in wanted}
    return {**gone, **{key: _over(below.get(key, UNKNOWN), value) for key, value in wanted.items()}}
