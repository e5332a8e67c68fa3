"""Where in a file's text every value starts and ends, so that one can be changed without touching the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias, cast

from webchat_sync.errors import Place
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import Json
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.yaml12 import stream
from webchat_sync.yaml12.document import Source
from webchat_sync.yaml12.gaps import comments_above, first_of_last_breaks, last_break
from webchat_sync.yaml12.interpolation import MARK, interpolate
from webchat_sync.yaml12.scalars import TEXT_TAGS, resolve, resolve_tagged

Kind: TypeAlias = Literal["scalar", "alias", "mapping", "list"]

_PROPERTIES: Final = lazy_pattern(r"(?:[&!]\S*(?:\s+|\Z|(?=[,}\]])))*")
_TO_LINE_END: Final = lazy_pattern(r"[^\r\n]*")
_COMMENTS: Final = r"#[^\r\n]*"
_MARKS: Final = {mark: lazy_pattern(rf"{_COMMENTS}|{re.escape(mark)}") for mark in (":", "-", "?")}
_HALVES: Final = lazy_pattern(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


@dataclass(slots=True, kw_only=True)
class Node:
    """A value in the text, from ``start`` to ``end``; ``body`` is its start without anchor and tag.

    A mapping or list in block style includes the comment after its last value. ``value`` is what it's read as.
    ``flow``: it's in brackets, its own or outer ones. ``style`` is the quote of a scalar, or its ``|`` or ``>``.
    ``pair``: it's a mapping of a single key in the brackets of a list, without braces. ``typed``: its tag says that
    it's something other than text. ``anchor`` is its own anchor, or the one that an alias refers to. ``shares``: it
    contains an anchor or an alias. ``lead`` is the start of the lines of the comments right above the first entry of a
    mapping or list in block style, or of the entry if there are none.
    """

    kind: Kind
    start: int
    end: int
    body: int
    place: Place
    value: Json = None
    flow: bool = False
    pair: bool = False
    typed: bool = False
    style: str = ""
    anchor: str | None = None
    shares: bool = False
    entries: list[Entry] = field(default_factory=list)
    lead: int = -1

    @property
    def begin(self) -> int:
        """Where its text starts, including the comments above its first entry."""
        return self.start if self.lead < 0 else min(self.start, self.lead)

    @property
    def indented(self) -> bool:
        """Whether it's on lines of its own below its key: a block scalar, or a mapping or list without brackets."""
        return self.style in ("|", ">") if self.kind == "scalar" else self.kind != "alias" and not self.flow


@frozen(kw_only=True)
class Entry:
    """A value of a mapping or list, from its key, ``?`` or dash at ``start`` to ``end``.

    ``key_start`` is after the ``?``, and ``after_mark`` after the colon or the dash. In block style, the entry includes
    the comment on its last line. ``odd``: its key is written in a way that can't be kept if something next to it
    changes.
    """

    key: str | None
    start: int
    after_mark: int
    value: Node
    end: int
    merge: bool = False
    odd: bool = False
    key_start: int = -1


class _Mark(Protocol):
    index: int


class _Marked(Protocol):
    start_mark: _Mark
    end_mark: _Mark


def text_of(source: Source) -> str:
    """The text of ``source``, without a byte order mark."""
    return source.data.decode("utf-8-sig")


def lay_out(source: Source, variables: Mapping[str, str] | None) -> list[Node]:
    """The root of every document of ``source``, a file without problems, in the text of :func:`text_of`.

    Without ``variables``, values are as written: nothing is replaced or unescaped.
    """
    # JSON's surrogate escapes are longer than the parsed character, which would shift everything after them.
    data = _HALVES.sub(b"x" * 12, text_of(source).encode()) if source.name.endswith(".json") else source.data
    reader = _Reader(Source.of(source.name, data.removeprefix(b"\xef\xbb\xbf")), text_of(source), variables)
    return list(reader.documents())


class _Reader:
    def __init__(self, source: Source, text: str, variables: Mapping[str, str] | None) -> None:
        self._next: Callable[[], stream.Event] = stream.event_source(source, stream.FASTEST_PARSER)
        self._name = source.name
        self._text = text
        self._variables = variables
        self._anchors: dict[str, Node] = {}

    def documents(self) -> Iterator[Node]:
        while type(event := self._next()) is not stream.STREAM_END:
            if type(event) is stream.DOCUMENT_START:
                self._anchors.clear()
                yield self._node(self._next(), flow=False)

    def _node(self, event: stream.Event, *, flow: bool) -> Node:
        start, end = _span(event)
        place = Place(self._name, event.start_mark.line + 1, event.start_mark.column + 1)
        if type(event) is stream.ALIAS:
            target = self._anchors[event.anchor or ""]
            return Node(
                kind="alias",
                start=start,
                end=end,
                body=start,
                place=place,
                value=target.value,
                anchor=event.anchor,
                shares=True,
            )
        node = Node(kind="scalar", start=start, end=end, body=start, place=place, anchor=event.anchor, flow=flow)
        if event.anchor is not None or event.tag is not None:
            node.body = cast("re.Match[str]", _PROPERTIES.match(self._text, start)).end()
        if type(event) is stream.SCALAR:
            self._scalar(node, event)
        else:
            self._collection(node, event, flow)
        node.shares = node.anchor is not None or any(entry.value.shares for entry in node.entries)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, node: Node, event: stream.Event) -> None:
        node.style = event.style or ""
        node.body = min(node.body, node.end)
        if node.style in ("|", ">"):
            written = self._text[node.start : node.end]
            keeps_breaks = "+" in self._line(node.body).partition("#")[0]
            node.end = node.start + (last_break(written) if keeps_breaks else first_of_last_breaks(written))
        text = self._as_meant(event, node)
        if self._variables is not None:
            text, _ = interpolate(text, self._variables)
        node.typed = event.tag is not None and event.tag not in TEXT_TAGS
        if node.typed and self._variables is None and MARK in text:
            node.value = text
        elif event.tag is not None:
            node.value = resolve_tagged(event.tag, text)
        else:
            node.value = text if event.style else resolve(text)

    def _as_meant(self, event: stream.Event, node: Node) -> str:
        if not self._name.endswith(".json") or "\\u" not in self._text[node.body : node.end]:
            return event.value
        written = self._text[node.body : node.end].encode()
        next_event = stream.event_source(Source.of(self._name, written), stream.FASTEST_PARSER)
        return next(part.value for part in iter(next_event, None) if type(part) is stream.SCALAR)

    def _line(self, start: int) -> str:
        return cast("re.Match[str]", _TO_LINE_END.match(self._text, start))[0]

    def _collection(self, node: Node, start: stream.Event, flow: bool) -> None:
        bracketed = self._text[node.body : node.body + 1] in ("{", "[")
        node.flow = flow or bracketed
        node.pair = flow and not bracketed
        if type(start) is stream.MAPPING_START:
            node.kind = "mapping"
            self._fill_mapping(node)
        else:
            node.kind = "list"
            self._fill_list(node)

    def _fill_mapping(self, node: Node) -> None:
        own: dict[str, Json] = {}
        inherited: dict[str, Json] = {}
        after = node.body
        while type(event := self._next()) is not stream.MAPPING_END:
            entry = self._keyed(event, after, node)
            node.entries.append(entry)
            after = entry.end
            if not entry.merge:
                own[str(entry.key)] = entry.value.value
                continue
            for merged in merged_mappings(entry.value.value):
                inherited = {**merged, **inherited}
        node.value = {**inherited, **own}
        self._close(node, event)

    def _keyed(self, event: stream.Event, after: int, parent: Node) -> Entry:
        key = self._node(event, flow=True)
        value = self._node(self._next(), flow=parent.flow)
        colon = self._find(":", key.end, max(value.start, key.end))
        self._take_lead(value, key.end if colon is None else colon + 1)
        question = self._find("?", after, key.start)
        plain = colon is not None and not key.shares
        return Entry(
            key=str(key.value),
            start=question if question is not None and plain and not parent.flow else key.start,
            key_start=key.start,
            after_mark=key.end if colon is None else colon + 1,
            value=value,
            end=self._end(value, parent),
            merge=type(event) is stream.SCALAR and event.value == "<<" and not event.style,
            odd=not plain or (question is not None and parent.flow),
        )

    def _fill_list(self, node: Node) -> None:
        values: list[Json] = []
        after = node.body
        while type(event := self._next()) is not stream.SEQUENCE_END:
            value = self._node(event, flow=node.flow)
            dash = None if node.flow else self._find("-", after, value.start)
            if dash is not None:
                self._take_lead(value, dash + 1)
            entry = Entry(
                key=None,
                start=value.start if dash is None else dash,
                after_mark=value.start if dash is None else dash + 1,
                value=value,
                end=self._end(value, node),
            )
            node.entries.append(entry)
            values.append(value.value)
            after = entry.end
        node.value = values
        self._close(node, event)

    def _take_lead(self, value: Node, after_mark: int) -> None:
        """Find the comments right above the first entry of ``value``, after its key or dash and its anchor."""
        if value.flow or not value.entries:
            return
        properties = self._text[value.start : value.body].rstrip()
        floor = max(after_mark, value.start + len(properties) if properties else 0)
        first = value.entries[0].start
        above = comments_above(self._text[floor:first])
        value.lead = first - len(above)

    def _close(self, node: Node, event: stream.Event) -> None:
        if not node.flow:
            node.body = min(node.body, node.entries[0].start)  # a tag on the next line is that of the first key
        node.end = _span(event)[1] if node.flow and not node.pair else node.entries[-1].end

    def _end(self, value: Node, parent: Node) -> int:
        """The end of the entry that contains ``value``: in block style, the end of the line."""
        if parent.flow or value.indented:
            return value.end
        return value.end + len(self._line(value.end))

    def _find(self, mark: Literal[":", "-", "?"], start: int, end: int) -> int | None:
        """The index of ``mark`` between the two, outside comments."""
        matches = _MARKS[mark].finditer(self._text, start, end)
        return next((match.start() for match in matches if match[0] == mark), None)


def merged_mappings(value: Json) -> list[dict[str, Json]]:
    """The mappings that ``<<`` merges from ``value``; earlier ones win."""
    mappings = value if isinstance(value, list) else [value]
    return [candidate for candidate in mappings if isinstance(candidate, dict)]


def keeps_order(node: Node) -> bool:
    """Whether an alias in ``node`` could end up before its anchor if the entries changed places."""
    names = [name for name, is_alias in _names(node) if not is_alias]
    return len(set(names)) < len(names) or any(is_alias and name in names for name, is_alias in _names(node))


def _names(node: Node) -> Iterator[tuple[str, bool]]:
    """The anchors and aliases inside ``node``, and whether each is an alias."""
    for entry in node.entries:
        if entry.value.anchor is not None:
            yield entry.value.anchor, entry.value.kind == "alias"
        yield from _names(entry.value)


def _span(event: stream.Event) -> tuple[int, int]:
    marked = cast("_Marked", event)
    return marked.start_mark.index, marked.end_mark.index
