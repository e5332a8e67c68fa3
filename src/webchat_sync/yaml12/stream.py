"""From bytes to PyYAML's events, with the four differences between YAML 1.1 and 1.2 that its parser can't see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, Protocol, TypeAlias, cast

import yaml
from yaml import events
from yaml.scanner import ScannerError

from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.yaml12.document import LINE, SURROGATE, Source


class Mark(Protocol):
    """A position in a file, counted from 0."""

    index: int
    line: int
    column: int


class Event(Protocol):
    """One event of PyYAML; which attributes it has depends on its kind, one of the types below."""

    start_mark: Mark
    end_mark: Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str | None


_BAD_ESCAPE: Final = "found invalid Unicode character escape code"


class SlowParser(yaml.SafeLoader):
    """PyYAML's own parser. It rejects an escape sequence for a character beyond Unicode as libyaml does."""

    def get_event(self) -> Event:
        """See PyYAML."""
        try:
            return cast("Callable[[], Event]", super().get_event)()
        except (ValueError, OverflowError):  # of `chr`
            raise ScannerError(problem=_BAD_ESCAPE, problem_mark=self.get_mark()) from None


Parser: TypeAlias = "type[yaml.CSafeLoader] | type[SlowParser]"

FASTEST_PARSER: Final[Parser] = yaml.CSafeLoader if yaml.__with_libyaml__ else SlowParser

ALIAS: Final[type[object]] = events.AliasEvent
SCALAR: Final[type[object]] = events.ScalarEvent
MAPPING_START: Final[type[object]] = events.MappingStartEvent
MAPPING_END: Final[type[object]] = events.MappingEndEvent
SEQUENCE_START: Final[type[object]] = events.SequenceStartEvent
SEQUENCE_END: Final[type[object]] = events.SequenceEndEvent
DOCUMENT_START: Final[type[object]] = events.DocumentStartEvent
STREAM_END: Final[type[object]] = events.StreamEndEvent
_STARTS: Final = (MAPPING_START, SEQUENCE_START)
_ENDS: Final = (MAPPING_END, SEQUENCE_END)

_DEEPEST: Final = 200
"""Nothing that reads events accepts this depth, and parsers may take a time that grows with its square."""

_FORMER_BREAKS: Final = ("\x85", "\u2028", "\u2029")
"""Line breaks in YAML 1.1, but not in YAML 1.2 and JSON."""

_TABBED: Final = lazy_pattern(rb"^ *\t[ \t]*(?=\r?$|#)", re.MULTILINE)
"""The white space of a line that's otherwise empty or a comment. In YAML 1.2, but not in libyaml, it can have tabs."""

_ESCAPE: Final = lazy_pattern(rb"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|.)", re.DOTALL)


def event_source(source: Source, parser: Parser) -> Callable[[], Event]:
    """A function that returns the next event of ``source`` on every call; it raises ``yaml.YAMLError``."""
    data = source.data
    if source.name.endswith(".json"):
        from webchat_sync.yaml12.json_events import json_events

        if (next_json_event := json_events(data)) is not None:
            return cast("Callable[[], Event]", next_json_event)
        data = _ESCAPE.sub(_join_surrogates, data)
    breaks = [former_break for former_break in _FORMER_BREAKS if former_break.encode() in data]
    unused = (chr(code) for code in range(0xE000, 0xF900) if chr(code).encode() not in data)
    stand_ins = dict(zip(unused, breaks, strict=False))
    for stand_in, former_break in stand_ins.items():
        data = data.replace(former_break.encode(), stand_in.encode())
    if b"\t" in data and _TABBED.search(data) and not _is_read(data, parser):
        data = _without_tabs(data, parser)
    next_event = cast("Callable[[], Event]", parser(data).get_event)
    if parser is FASTEST_PARSER is not SlowParser and not stand_ins:
        return next_event
    return _restored(next_event, stand_ins)


def position_of(event: Event) -> int:
    """The position of the start of ``event``; see :data:`LINE`."""
    return event.start_mark.line << LINE | event.start_mark.column


def level_beyond(limit: int, source: Source, error: yaml.YAMLError) -> int | None:
    """The position of the first mapping or list nested deeper than ``limit``; None if there is none.

    ``error`` is what the fastest parser raised for ``source``. It reads ahead within a line before it returns the
    events of an opening bracket, and may hit a nesting limit of its own there, which has no recognisable code. So the
    slow parser, which has no such limit, reads the file again if what was read ahead can be that deep.
    """
    level, reached = _last_level(source)
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    if mark is None:
        return None
    ahead = source.data.decode("utf-8-sig")[reached : cast("Mark", mark).index + 1]
    if level + ahead.count("[") + ahead.count("{") <= limit:
        return None
    for event, depth in _levels(event_source(source, SlowParser)):
        if depth > limit:
            return position_of(event)
    return None


def _last_level(source: Source) -> tuple[int, int]:
    """How many mappings and lists are open at the last event that the fastest parser returns, and its end."""
    level = reached = 0
    for event, depth in _levels(event_source(source, FASTEST_PARSER)):
        level, reached = depth, event.end_mark.index
    return level, reached


def _levels(next_event: Callable[[], Event]) -> Iterator[tuple[Event, int]]:
    """Each event up to the first error, and how many mappings and lists are open after it."""
    depth = 0
    try:
        while type(event := next_event()) is not STREAM_END:
            depth += (type(event) in _STARTS) - (type(event) in _ENDS)
            yield event, depth
    except yaml.YAMLError:
        return


def _is_read(data: bytes, parser: Parser) -> bool:
    """Whether the parser reads ``data`` to its end, which isn't tried beyond a depth that nothing may have."""
    loader, depth = parser(data), 0
    try:
        while type(event := cast("Event", loader.get_event())) is not STREAM_END and depth <= _DEEPEST:
            depth += (type(event) in _STARTS) - (type(event) in _ENDS)
    except yaml.YAMLError:
        return False
    return depth == 0


def _without_tabs(data: bytes, parser: Parser) -> bytes:
    """``data`` with spaces for the tabs in empty lines and before comments; in block scalars, they're text and stay."""
    spaced = _TABBED.sub(lambda match: b" " * len(match[0]), data)
    lines, originals = spaced.splitlines(keepends=True), data.splitlines(keepends=True)
    next_event = cast("Callable[[], Event]", parser(spaced).get_event)
    for event, depth in _levels(next_event):
        if depth > _DEEPEST:
            break
        if type(event) is SCALAR and event.style in ("|", ">"):
            inside = slice(event.start_mark.line + 1, event.end_mark.line + 1)
            lines[inside] = originals[inside]
    return b"".join(lines)


def _restored(next_event: Callable[[], Event], stand_ins: dict[str, str]) -> Callable[[], Event]:
    """Restores the characters that were replaced, and rejects lone surrogates, as libyaml does by itself."""
    table = str.maketrans(stand_ins)

    def restored_event() -> Event:
        event = next_event()
        if type(event) is SCALAR:
            event.value = event.value.translate(table)
            if SURROGATE.search(event.value):
                mark = cast("yaml.error.Mark", event.start_mark)
                raise ScannerError(problem=_BAD_ESCAPE, problem_mark=mark)
        return event

    return restored_event


def _join_surrogates(escape: re.Match[bytes]) -> bytes:
    """JSON writes a character above U+FFFF as two surrogate escapes, YAML as one."""
    if escape[1] is None:
        return escape[0]
    code = 0x10000 + ((int(escape[1], 16) - 0xD800) << 10) + (int(escape[2], 16) - 0xDC00)
    return b"\\U%08x" % code
