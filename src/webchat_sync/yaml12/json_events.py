"""JSON to the events of YAML: what YAML's parsers would refuse of it, a colon on the next line for one, is read too."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from yaml import events

_TOKEN: Final = re.compile(r'[ \t\r\n]*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<sign>[\[{\]},:])|(?P<word>[^\s,\]}]+))')
_BREAK: Final = re.compile(r"\r\n|\r|\n")
_OPENING: Final = {"{": events.MappingStartEvent, "[": events.SequenceStartEvent}
_CLOSING: Final = {"}": events.MappingEndEvent, "]": events.SequenceEndEvent}


@dataclass(frozen=True, slots=True)
class Mark:
    """A position in a file, counted from 0."""

    index: int
    line: int
    column: int


def json_events(data: bytes) -> Callable[[], Any] | None:
    """A function that gives the next event of ``data`` at every call; None when it is no JSON, but perhaps YAML."""
    try:
        text = data.decode("utf-8-sig")
        # Half a character has no form in UTF-8, and YAML's own parsers say so.
        json.dumps(json.loads(text, parse_constant=_refuse), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return iter(_events(text)).__next__


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _events(text: str) -> Iterator[events.Event]:
    """The events of ``text``, which is JSON."""
    starts = [0, *(found.end() for found in _BREAK.finditer(text))]

    def mark(index: int) -> Any:  # noqa: ANN401 - PyYAML's types want its own class, which takes longer to make
        line = bisect_right(starts, index) - 1
        return Mark(index, line, index - starts[line])

    yield events.DocumentStartEvent(mark(0), mark(0))
    for token in _TOKEN.finditer(text):
        kind = str(token.lastgroup)
        begin, end = mark(token.start(kind)), mark(token.end(kind))
        written = token[kind]
        if kind == "text":
            value = json.loads(written) if "\\" in written else written[1:-1]
            yield events.ScalarEvent(None, None, (False, True), value, begin, end, style='"')
        elif kind == "word":
            yield events.ScalarEvent(None, None, (True, False), written, begin, end)
        elif written in _OPENING:
            yield _OPENING[written](None, None, True, begin, end, flow_style=True)
        elif written in _CLOSING:
            yield _CLOSING[written](begin, end)
    yield events.StreamEndEvent()
