"""YAML 1.2 from the events of PyYAML: text to plain values, with the place of each.

PyYAML's own composer and constructor implement YAML 1.1, accept duplicate keys, and take many times as long as its
parser. This composer takes about as long as the parser, hence the tight loops: they handle the usual cases, and call
methods for everything else.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Final, NamedTuple

import yaml

from webchat_sync.errors import Diagnostic
from webchat_sync.jsonvalue import Json, as_json, kind
from webchat_sync.strict_json import DEEPEST
from webchat_sync.yaml12 import syntax
from webchat_sync.yaml12.anchors import NONE_SO_DEEP, TOO_DEEP, Anchors, Node
from webchat_sync.yaml12.document import LINE, Document, Marks, Reading, Source
from webchat_sync.yaml12.interpolation import MARK, interpolate
from webchat_sync.yaml12.policy import NO_POLICY, Policy
from webchat_sync.yaml12.scalars import (
    CORE,
    TYPED_STARTS,
    UnusableScalarError,
    is_text,
    resolve,
    resolve_tagged,
    tag_name,
)
from webchat_sync.yaml12.stream import (
    ALIAS,
    DOCUMENT_START,
    FASTEST_PARSER,
    MAPPING_END,
    MAPPING_START,
    SCALAR,
    SEQUENCE_END,
    STREAM_END,
    Event,
    Parser,
    event_source,
    level_beyond,
    position_of,
)
from webchat_sync.yaml12.troubles import RefusedError, Troubles

MOST_SHARED: Final = 1000
"""The number of texts to remember, so that equal values share memory."""


class _Open(NamedTuple):
    """A mapping that isn't complete; ``merges`` are applied at its end, since explicit keys win."""

    values: dict[str, Json]
    block: list[int]
    merges: list[tuple[dict[str, Json], int]]


def compose(source: Source, policy: Policy = NO_POLICY, parser: Parser = FASTEST_PARSER) -> Reading:
    """Read ``source`` with ``policy``. Problems are part of the result."""
    garbled = syntax.encoding_problem(source)
    if garbled:
        return Reading([], [garbled], ())
    troubles = Troubles(source)
    composer = _Composer(source, policy, troubles)
    try:
        composer.read(event_source(source, parser))
    except yaml.YAMLError as error:
        too_deep = level_beyond(DEEPEST, source, error)
        if too_deep is None:
            troubles.problems.append(syntax.explain(error, source))
        else:
            limit = Diagnostic(TOO_DEEP, source.place(too_deep), hint=NONE_SO_DEEP, code="limit")
            troubles.problems.append(limit)
    except RefusedError:
        pass
    return Reading(composer.documents, troubles.problems, composer.keys.keys())


class _Composer:
    _next: Callable[[], Event]

    def __init__(self, source: Source, policy: Policy, troubles: Troubles) -> None:
        self.documents: list[Document] = []
        self.keys: dict[str, str] = {}
        self._source = source
        self._policy = policy
        self._suspect = policy.suspect
        self._troubles = troubles
        self._trail = troubles.trail
        self._marks: Marks = array("Q", [0])
        self._resolved: dict[str, Json] = {}
        self._spelled: dict[int, str] = {}
        self._shared: dict[str, str] = {}
        self._anchors = Anchors(troubles)

    def read(self, next_event: Callable[[], Event]) -> None:
        self._next = next_event
        while type(event := next_event()) is not STREAM_END:
            if type(event) is DOCUMENT_START:
                self._anchors.clear()
                root = next_event()
                value, block, position = self._node(root, 0)
                if type(root) is not SCALAR or root.value or root.style:
                    document = Document(self._source, value, position, self._marks, block, self._spelled)
                    self.documents.append(document)

    def _node(self, event: Event, depth: int) -> Node:
        if type(event) is ALIAS:
            return self._anchors.alias(event.anchor or "", depth, position_of(event))
        position = position_of(event)
        if type(event) is SCALAR:
            return self._scalar(event, position), 0, position
        return self._collection(event, position, depth + 1)

    def _mapping(self, depth: int) -> tuple[Json, int]:
        mapping = _Open({}, [], [])
        values, block, _ = mapping
        next_event, scalar, keys, trail = self._next, self._scalar, self.keys, self._trail
        trail.append("")
        while type(event := next_event()) is not MAPPING_END:
            usual = type(event) is SCALAR and event.anchor is None and event.tag is None
            key = keys.get(event.value) if usual else None
            if key is None or key in values:
                self._unusual_entry(event, mapping, depth)
                continue
            trail[-1] = key
            mark = event.start_mark
            at_key = mark.line << LINE | mark.column
            event = next_event()
            if type(event) is SCALAR:
                mark = event.start_mark
                position = mark.line << LINE | mark.column
                values[key] = scalar(event, position)
                block += (at_key, position, 0)
            else:
                values[key], inner, position = self._node(event, depth)
                block += (at_key, position, inner)
        trail.pop()
        for merged, start in mapping.merges:
            self._merge(merged, start, mapping)
        return values, self._close(block)

    def _sequence(self, depth: int) -> tuple[Json, int]:
        values: list[Json] = []
        block: list[int] = []
        next_event, scalar, trail = self._next, self._scalar, self._trail
        trail.append(0)
        while type(event := next_event()) is not SEQUENCE_END:
            trail[-1] = len(values)
            if type(event) is SCALAR:
                mark = event.start_mark
                position = mark.line << LINE | mark.column
                values.append(scalar(event, position))
                block += (position, position, 0)
            else:
                value, inner, position = self._node(event, depth)
                values.append(value)
                block += (position, position, inner)
        trail.pop()
        return values, self._close(block)

    def _close(self, block: list[int]) -> int:
        start = len(self._marks)
        self._marks.extend(block)
        self._anchors.size += 1 + len(block) // 3
        return start

    def _scalar(self, event: Event, position: int) -> Json:
        text: str = event.value
        if MARK in text or self._suspect in text or event.anchor is not None or event.tag is not None:
            return self._unusual_scalar(event, position)
        if event.style or text[:1] not in TYPED_STARTS:
            shared = self._shared
            return shared.setdefault(text, text) if len(shared) < MOST_SHARED else shared.get(text, text)
        return self._resolved[text] if text in self._resolved else self._resolve(text, None, position)

    def _unusual_scalar(self, event: Event, position: int) -> Json:
        """A scalar with a variable, a tag or an anchor, or one that the policy may reject."""
        text, problems = interpolate(event.value, self._policy.variables, self._policy.refuse_variable)
        for problem in problems:
            self._troubles.add_at(problem, position)
        self._is_refused(f"{event.value} {text}", position)
        value = text if event.style and event.tag is None else self._resolve(text, event.tag, position)
        if event.anchor is not None:
            self._anchors.name_scalar(event.anchor, value, position)
        return value

    def _resolve(self, text: str, tag: str | None, position: int) -> Json:
        try:
            value = resolve(text) if tag is None else resolve_tagged(tag, text)
        except UnusableScalarError as error:
            code, hint = ("scalar", "If you mean text, quote it.") if tag is None else ("tag", syntax.TAG_HINT)
            self._troubles.add(code, str(error), position, hint)
            return None
        if not isinstance(value, str) and value is not None and as_json(value) != text:
            self._spelled[position] = text
        elif tag is None:
            self._resolved[text] = value
        return value

    def _unusual_entry(self, event: Event, mapping: _Open, depth: int) -> None:
        """An entry whose key is new, a duplicate, a merge, an alias, or not text."""
        at_key = position_of(event)
        if type(event) is SCALAR and event.value == "<<" and not event.style:
            self._trail[-1] = "<<"
            self._add_merge(mapping, at_key, *self._node(self._next(), depth))
            return
        self._trail.pop()
        key = self._key(event, at_key, depth)
        self._trail.append("?" if key is None else key)
        if key in mapping.values:
            first = self._source.place(mapping.block[3 * list(mapping.values).index(str(key))])
            message = f"this key appears twice; first at {first}"
            self._troubles.add("duplicate-key", message, at_key, "Remove one of them.")
            key = None
        value, inner, position = self._node(self._next(), depth)
        if key is not None:
            mapping.values[key] = value
            mapping.block.extend((at_key, position, inner))

    def _key(self, event: Event, position: int, depth: int) -> str | None:
        """The text of a key; None, with a problem, if it isn't text."""
        value: Json
        if type(event) is not SCALAR:
            value, _, _ = self._node(event, depth)
        elif event.style and event.tag is None:
            value = event.value
        else:
            value = self._resolve(event.value, event.tag, position)
        if not isinstance(value, str):
            sign = "`*`" if type(event) is ALIAS else "`{` or `[`"
            hint = (
                f'Quote it: `"{event.value}":`.'
                if type(event) is SCALAR
                else f"To write text that begins with {sign}, quote it."
            )
            self._troubles.add("key-type", f"a key must be text, but this one is read as {kind(value)}", position, hint)
            return None
        refused = self._is_refused(value, position)
        if type(event) is SCALAR and event.anchor is not None:
            self._anchors.name_scalar(event.anchor, value, position)
        if value != "<<" and is_text(value) and not refused:
            self.keys[value] = value
        return value

    def _add_merge(self, mapping: _Open, at_key: int, value: Json, block: int, position: int) -> None:
        if mapping.merges:
            hint = "To merge several mappings, write `<<: [*a, *b]`."
            self._troubles.add("merge-key", "the key `<<` appears twice", at_key, hint)
        if isinstance(value, dict):
            mapping.merges.append((value, block))
        elif isinstance(value, list) and all(isinstance(item, dict) for item in value):
            blocks = self._marks[block + 2 : block + 3 * len(value) : 3]
            mapping.merges.extend(
                (merged, start) for merged, start in zip(value, blocks, strict=True) if isinstance(merged, dict)
            )
        else:
            message = "`<<` takes a mapping or a list of mappings"
            self._troubles.add("merge-key", message, position, "For example `<<: *defaults`.")

    def _merge(self, merged: dict[str, Json], start: int, mapping: _Open) -> None:
        for index, (key, value) in enumerate(merged.items()):
            if key not in mapping.values:
                mapping.values[key] = value
                mapping.block.extend(self._marks[start + 3 * index : start + 3 * index + 3])

    def _collection(self, start: Event, position: int, depth: int) -> Node:
        self._anchors.descend(depth, position)
        if start.tag is not None:
            self._check_collection_tag(start, start.tag, position)
        inside = self._mapping if type(start) is MAPPING_START else self._sequence
        if start.anchor is None:
            return *inside(depth), position
        return self._anchors.name_collection(start.anchor, depth, lambda: (*inside(depth), position))

    def _check_collection_tag(self, start: Event, tag: str, position: int) -> None:
        fitting = "map" if type(start) is MAPPING_START else "seq"
        if tag not in ("!", f"{CORE}{fitting}"):
            self._troubles.add("tag", f"the tag `{tag_name(tag)}` can't be used here", position, "Remove the tag.")

    def _is_refused(self, text: str, position: int) -> bool:
        problem = self._policy.refuse_text(text)
        if problem is not None:
            self._troubles.add_at(problem, position)
        return problem is not None
