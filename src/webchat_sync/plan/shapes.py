"""What live values look like inside, where nobody has published it: keys at any depth, their types, some examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.jsonvalue import kind
from webchat_sync.leaks import redact, redact_value
from webchat_sync.model import Json, LiveChannel

MOST_KEYS: Final = 50
"""Different keys at one place: of more, they are data, such as ids, and not names."""

MOST_EXAMPLES: Final = 3
LONGEST_EXAMPLE: Final = 40
"""Characters of a text: of a longer one, an example has only the beginning."""

_SAMPLES: Final[Mapping[str, Json]] = {
    "string": "",
    "number": 0,
    "boolean": True,
    "array": [],
    "object": {},
    "null": None,
}
WORDS: Final[Mapping[str, str]] = {name: kind(sample) for name, sample in _SAMPLES.items()}
"""What messages call a type of JSON Schema."""

_TYPES: Final = {word: name for name, word in WORDS.items()}


@dataclass(frozen=True, slots=True)
class Example:
    """A value that was seen. ``whole``: nothing of it is hidden or cut off."""

    value: Json
    whole: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """All values of one place. ``types`` counts them by the names of JSON Schema.

    ``keys`` is what stands under every key of the mappings among them; where the keys are data, ``keys`` is empty, and
    ``members`` is what stands under any of them. ``items`` are the items of all lists among them.
    """

    types: Mapping[str, int]
    keys: Mapping[str, Seen]
    members: Seen | None
    items: Seen | None
    examples: tuple[Example, ...]

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(self.types.values())

    @property
    def filled(self) -> int:
        """How many of them are not null."""
        return self.count - self.types.get("null", 0)


@dataclass(frozen=True, slots=True)
class OrganizationShapes:
    """What is seen in the unpublished ``fields`` of the ``channels`` of one organisation, so many in number."""

    organization: str
    channels: int
    fields: Mapping[str, Seen]


def type_of(value: Json) -> str:
    """The name that JSON Schema has for the type of ``value``."""
    return _TYPES[kind(value)]


def observe(values: Iterable[Json], name: str = "") -> Seen:
    """What ``values``, all of one place, look like; ``name`` holds the keys on the way to it.

    Nothing in it looks like a secret.
    """
    values = list(values)
    mappings = [value for value in values if isinstance(value, dict)]
    lists = [value for value in values if isinstance(value, list)]
    by_key: dict[str, list[Json]] = {}
    for mapping in mappings:
        for key, member in mapping.items():
            by_key.setdefault(redact(key), []).append(member)
    are_data = len(by_key) > MOST_KEYS
    return Seen(
        types=dict(sorted(Counter(map(type_of, values)).items(), key=lambda counted: counted[0] == "null")),
        keys={} if are_data else {key: observe(members, f"{name}.{key}") for key, members in by_key.items()},
        members=observe((member for members in by_key.values() for member in members), name) if are_data else None,
        items=observe((item for some in lists for item in some), name) if lists else None,
        examples=_examples(values, name),
    )


def observe_fields(channels: Sequence[LiveChannel], catalogue: Catalogue) -> dict[str, Seen]:
    """What is seen in every field of ``channels`` of which nobody has published what is inside.

    Those are the fields that ``catalogue`` says nothing of inside, and those that it does not have, by name.
    """
    unpublished = [name for name, field in catalogue.declarable.items() if field.opaque]
    unknown = {name for channel in channels for name in channel.fields if name not in catalogue.fields}
    return {name: observe_field(name, channels) for name in [*unpublished, *sorted(unknown)]}


def observe_field(name: str, channels: Sequence[LiveChannel]) -> Seen:
    """What is seen in the field ``name`` of ``channels``."""
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
