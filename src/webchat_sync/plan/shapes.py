"""Observes the undocumented structure of live values: keys at any depth, types, some examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import kind
from webchat_sync.leaks import redact_text, redact_value
from webchat_sync.model import Json, LiveChannel

MOST_KEYS: Final = 50
"""If one place has more distinct keys, they're data, such as ids, rather than field names."""

MOST_EXAMPLES: Final = 3
LONGEST_EXAMPLE: Final = 40
"""Characters. Longer texts are cut."""

_SAMPLES: Final[Mapping[str, Json]] = {
    "string": "",
    "number": 0,
    "boolean": True,
    "array": [],
    "object": {},
    "null": None,
}
WORDS: Final[Mapping[str, str]] = {name: kind(sample) for name, sample in _SAMPLES.items()}
"""The words of messages for the types of JSON Schema."""

_TYPES: Final = {word: name for name, word in WORDS.items()}


@frozen
class Example:
    """A value that was observed. ``whole``: nothing in it is redacted or cut."""

    value: Json
    whole: bool


@frozen
class Seen:
    """All the values of one place. ``types`` counts them by their JSON Schema types.

    ``keys`` has the values of every key in the mappings among them; if the keys are data, ``keys`` is empty, and
    ``members`` has the values of all keys. ``items`` are the items of all lists among them.
    """

    types: Mapping[str, int]
    keys: Mapping[str, Seen]
    members: Seen | None
    items: Seen | None
    examples: tuple[Example, ...]

    @property
    def count(self) -> int:
        """The number of values."""
        return sum(self.types.values())

    @property
    def filled(self) -> int:
        """The number of values that aren't null."""
        return self.count - self.types.get("null", 0)


@frozen
class OrganizationShapes:
    """What was observed in the undocumented ``fields`` of an organisation with ``channels`` channels."""

    organization: str
    channels: int
    fields: Mapping[str, Seen]


def type_of(value: Json) -> str:
    """The JSON Schema type of ``value``."""
    return _TYPES[kind(value)]


def observe(values: Iterable[Json], name: str = "") -> Seen:
    """The shape of ``values``, all from one place; ``name`` is the dotted path of keys to it.

    Anything that looks like a secret is redacted.
    """
    values = list(values)
    mappings = [value for value in values if isinstance(value, dict)]
    lists = [value for value in values if isinstance(value, list)]
    by_key: dict[str, list[Json]] = {}
    for mapping in mappings:
        for key, member in mapping.items():
            by_key.setdefault(redact_text(key), []).append(member)
    are_data = len(by_key) > MOST_KEYS
    return Seen(
        types=dict(sorted(Counter(map(type_of, values)).items(), key=lambda count: count[0] == "null")),
        keys={} if are_data else {key: observe(members, f"{name}.{key}") for key, members in by_key.items()},
        members=observe((member for members in by_key.values() for member in members), name) if are_data else None,
        items=observe((item for items in lists for item in items), name) if lists else None,
        examples=_examples(values, name),
    )


def observe_fields(channels: Sequence[LiveChannel], catalogue: Catalogue) -> dict[str, Seen]:
    """The shapes of all fields of ``channels`` whose structure isn't documented.

    These are the fields that ``catalogue`` marks as opaque, and those that it doesn't contain, by name.
    """
    unpublished = [name for name, field in catalogue.declarable.items() if field.opaque]
    unknown = {name for channel in channels for name in channel.fields if name not in catalogue.fields}
    return {name: observe_field(name, channels) for name in [*unpublished, *sorted(unknown)]}


def observe_field(name: str, channels: Sequence[LiveChannel]) -> Seen:
    """The shape of the field ``name`` in ``channels``."""
    return observe((channel.fields[name] for channel in channels if name in channel.fields), name)


def _examples(values: Sequence[Json], name: str) -> tuple[Example, ...]:
    examples: dict[str, Example] = {}
    for value in values:
        if isinstance(value, (dict, list)) or value is None:
            continue
        example = _example(value, name)
        examples.setdefault(repr(example.value), example)
        if len(examples) == MOST_EXAMPLES:
            break
    return tuple(examples.values())


def _example(value: Json, name: str) -> Example:
    shown = redact_value(value, name)
    if isinstance(shown, str) and len(shown) > LONGEST_EXAMPLE:
        shown = f"{shown[: LONGEST_EXAMPLE - 1]}…"
    return Example(shown, whole=shown == value)
