"""YAML events from JSON, including JSON that YAML parsers reject, such as a colon on the next line."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any, Final

from yaml import events

from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.strict_json import load_json
from webchat_sync.yaml12.document import LINE_BREAK

_TOKEN: Final = lazy_pattern(r'(?P<text>"(?:[^"\\]++|\\.)*+")|(?P<sign>[\[{\]},:])|(?P<word>[^\s,\]}]+)')
_OPENING: Final = {"{": events.MappingStartEvent, "[": events.SequenceStartEvent}
_CLOSING: Final = {"}": events.MappingEndEvent, "]": events.SequenceEndEvent}


@frozen
class Mark:
    """A position in a file, counted from 0."""

    index: int
    line: int
    column: int


def json_events(data: bytes) -> Callable[[], Any] | None:
    """A function that returns the next event of ``data`` on every call; None if it isn't JSON, but perhaps YAML."""
    try:
        text = data.decode("utf-8-sig")
        # A lone surrogate has no UTF-8 form, which YAML's own parsers report.
        json.dumps(load_json(text), ensure_ascii=False).encode()
    except ValueError:
        return None
    return iter(_events(text)).__next__


def _events(text: str) -> Iterator[events.Event]:
    """The events of ``text``, which is JSON."""
    starts = [0, *(line_break.end() for line_break in LINE_BREAK.finditer(text))]

    def mark(index: int) -> Any:  # noqa: ANN401 - PyYAML's types want its own class, which takes longer to make
        line = bisect_right(starts, index) - 1
        return Mark(index, line, index - starts[line])

    yield events.DocumentStartEvent(mark(0), mark(0))
    for token in _TOKEN.finditer(text):
        kind = str(token.lastgroup)
        begin, end = mark(token.start(kind)), mark(token.end(kind))
        written = token[kind]
        if kind == "text":
            value = load_json(written) if "\\" in written else written[1:-1]
            yield events.ScalarEvent(None, None, (False, True), value, begin, end, style='"')
        elif kind == "word":
            yield events.ScalarEvent(None, None, (True, False), written, begin, end)
        elif written in _OPENING:
            yield _OPENING[written](None, None, True, begin, end, flow_style=True)
        elif written in _CLOSING:
            yield _CLOSING[written](begin, end)
    yield events.StreamEndEvent()
