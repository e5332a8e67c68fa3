"""Splits a changed value among the files that define it: every part goes back to the file that it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import Json
from webchat_sync.model import UNKNOWN, Missing
from webchat_sync.yaml12.pairing import same

Part: TypeAlias = "Json | Missing"
"""What one file says about a value; UNKNOWN for nothing."""


@frozen
class Layers:
    """Which of the files, overlays above their base, may be written to; the lowest one first."""

    own: Sequence[bool]

    def from_(self, layer: int) -> int | None:
        """``layer`` if it may be written to, otherwise the highest one above it that may; None if there is none."""
        above = [index for index in range(layer + 1, len(self.own)) if self.own[index]]
        return layer if self.own[layer] else next(reversed(above), None)


def merged(parts: Iterable[Part]) -> Part:
    """The value that the parts result in: mappings are merged deeply, anything else is replaced."""
    value: Part = UNKNOWN
    for part in parts:
        if isinstance(part, dict) and isinstance(value, dict):
            keys = [*value, *(key for key in part if key not in value)]
            entries = {key: merged([value.get(key, UNKNOWN), part.get(key, UNKNOWN)]) for key in keys}
            value = {key: entry for key, entry in entries.items() if not isinstance(entry, Missing)}
        elif not isinstance(part, Missing):
            value = part
    return value


def give_back(parts: Sequence[Part], target: Part, layers: Layers, home: int | None) -> list[Part] | None:
    """What every file must say to result in ``target``; None if no writable file can.

    A part is changed in the file that determines it now, if that's writable, or else in the highest one above. ``home``
    is for values that no file has. What a lower file says and can't be removed there becomes null.
    """
    now = merged(parts)
    if now is target or not (isinstance(now, Missing) or isinstance(target, Missing) or not same(now, target)):
        return list(parts)
    present = [index for index, part in enumerate(parts) if not isinstance(part, Missing)]
    if isinstance(now, dict) and isinstance(target, dict):
        return _mapping(parts, now, target, layers)
    if isinstance(target, Missing) and all(layers.own[index] for index in present):
        return [UNKNOWN for _ in parts]
    at = layers.from_(present[-1]) if present else home
    if at is None:
        return None
    new = list(parts)
    new[at] = None if isinstance(target, Missing) else _over(merged(parts[:at]), target)
    return new


def _mapping(
    parts: Sequence[Part], now: Mapping[str, Json], target: Mapping[str, Json], layers: Layers
) -> list[Part] | None:
    # Anything but a mapping hides the values of lower files.
    hiding = [index for index, part in enumerate(parts) if not isinstance(part, dict | Missing)]
    floor = hiding[-1] + 1 if hiding else 0
    seen = [part if isinstance(part, dict) and index >= floor else None for index, part in enumerate(parts)]
    home = _home([index for index, part in enumerate(seen) if part is not None], layers)
    new = [dict(part) if part is not None else None for part in seen]
    for key in [*now, *(key for key in target if key not in now)]:
        own = [part.get(key, UNKNOWN) if part is not None else UNKNOWN for part in seen]
        parts_of_key = give_back(own, target.get(key, UNKNOWN), layers, home)
        if parts_of_key is None:
            return None
        for index, part in enumerate(parts_of_key):
            entries = new[index]
            if not isinstance(part, Missing):
                new[index] = {**(entries or {}), key: part}
            elif entries is not None:
                entries.pop(key, None)
    return [part if entries is None else entries for entries, part in zip(new, parts, strict=True)]


def _home(present: Sequence[int], layers: Layers) -> int | None:
    """The file for a new entry of a mapping that the ``present`` files contribute to."""
    own = [index for index in present if layers.own[index]]
    return own[-1] if own else layers.from_(present[-1])


def _over(below: Part, target: Json) -> Json:
    """What to say above ``below`` to result in ``target``."""
    if not isinstance(below, dict) or not isinstance(target, dict):
        return target
    removed: dict[str, Json] = {key: None for key in below if key not in target}
    return {**removed, **{key: _over(below.get(key, UNKNOWN), value) for key, value in target.items()}}
