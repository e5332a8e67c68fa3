"""From plain values to YAML that every reader of YAML 1.1 or 1.2 reads as the same values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar, Final

import yaml

from webchat_sync.flat import HIDDEN, no_command, visible
from webchat_sync.jsonvalue import Json
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.yaml12.composer import compose
from webchat_sync.yaml12.document import Source
from webchat_sync.yaml12.interpolation import escape
from webchat_sync.yaml12.scalars import is_text

_WIDEST: Final = 2**31 - 1
_SHORT: Final = 70
_UNSAFE_IN_BRACKETS: Final = lazy_pattern(r"[^\w' -]")
_NEEDS_ESCAPES: Final = frozenset('"\\')
"""What is written as it is in single quotes only."""

_TEXT: Final = "tag:yaml.org,2002:str"
_LIST: Final = "tag:yaml.org,2002:seq"
_MAPPING: Final = "tag:yaml.org,2002:map"

_TYPED_ELSEWHERE: Final = lazy_pattern(r"[yYnN]|[-+]?[0-9][0-9_]*(?::[0-9]+)+(?:\.[0-9_]*)?")
"""What other YAML 1.1 readers take for a boolean or a sexagesimal number, and PyYAML doesn't."""


class Inline(dict[str, Json]):
    """A mapping to be written on one line, ``{ key: value }``."""


class _Lines(list[Json]):
    """A list to be written with one item per line."""


class _Dumper(yaml.SafeDumper):
    """Prefers double quotes, and spaces inside braces, as Prettier and the documentation do."""

    padded: ClassVar = True
    """Whether there are spaces inside braces."""

    def choose_scalar_style(self) -> str:
        style, event = str(super().choose_scalar_style()), self.event
        prefers = style == "'" and isinstance(event, yaml.ScalarEvent) and _NEEDS_ESCAPES.isdisjoint(event.value)
        return '"' if prefers else style

    def expect_first_flow_mapping_key(self) -> None:
        if self.padded and not isinstance(self.event, yaml.MappingEndEvent):
            self.whitespace = False  # the key writes one
        super().expect_first_flow_mapping_key()

    def expect_flow_mapping_key(self) -> None:
        if self.padded and isinstance(self.event, yaml.MappingEndEvent):
            self.write_indicator(" ", False)
        super().expect_flow_mapping_key()

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


class _FlowDumper(_Dumper):
    """Writes everything on one line."""


class _TightDumper(_FlowDumper):
    """Without spaces inside braces."""

    padded = False


def emit(name: str, value: Json) -> str:
    """``name: value`` as lines of YAML, with variables escaped."""
    return _dump({name: _escaped(value)})


def emit_after_key(value: Json) -> str:
    """What follows the colon of a key: text on the same line, or lines indented by two."""
    return emit("k", value)[len("k:") :].removesuffix("\n")


def emit_as_written(value: Json) -> str:
    """Like :func:`emit_after_key`, for text with unescaped variables."""
    return _dump({"k": value})[len("k:") :].removesuffix("\n")


def emit_quoted(text: str) -> str:
    """``text``, with unescaped variables, in double quotes."""
    return _shown(_quoted(text, '"'))


def is_short(texts: Sequence[str]) -> bool:
    """Whether a list of these texts fits on one line."""
    return "\n" not in "".join(texts) and sum(map(len, texts)) <= _SHORT


def emit_item(value: Json) -> str:
    """``value`` as a list item, with its dash."""
    return _dump(_Lines([_escaped(value)])).removesuffix("\n")


def emit_key(name: str, *, inline: bool = False, as_json: bool = False) -> str:
    """``name`` as the key of a mapping; with ``inline``, of one that can be in brackets."""
    if as_json:
        return _as_json(name)
    text = _key(name)
    return _quoted(name, '"') if text.startswith("? ") or (inline and _UNSAFE_IN_BRACKETS.search(text)) else text


@lru_cache(maxsize=1000)
def _key(name: str) -> str:
    """``name`` as the key of a mapping.

    It's cached, since documents have the same few keys: that saves a quarter of the CPU time of a `fmt` of 1,000
    channels.
    """
    return _dump({name: 0}).removesuffix(": 0\n")


def emit_inline(value: Json, *, as_json: bool = False, padded: bool | None = None) -> str:
    """``value`` on one line, suitable for brackets.

    ``padded``: with spaces inside its brackets or without any; None for spaces inside braces only.
    """
    if as_json:
        return _as_json(_escaped(value))
    dumper = _TightDumper if padded is False else _FlowDumper
    text = _shown(str(yaml.dump([_escaped(value)], Dumper=dumper, allow_unicode=True, sort_keys=False, width=_WIDEST)))
    text = text.removesuffix("\n")[1:-1]
    return f"[ {text[1:-1]} ]" if padded and isinstance(value, list) and value else text


def emit_scalar(value: Json, *, quote: str, inline: bool) -> str | None:
    """A scalar on one line, a text in ``quote`` quotes if possible; None if it takes more lines.

    With ``inline``, it's suitable for brackets, and always on one line.
    """
    if isinstance(value, str) and quote and not _is_hostile(value) and "\n" not in value:
        return _quoted(escape(value), quote)
    if inline:
        return emit_inline(value)
    text = emit_after_key(value)
    return None if "\n" in text else text.removeprefix(" ")


def _quoted(text: str, quote: str) -> str:
    node = yaml.ScalarNode(_TEXT, text, style=quote)
    return str(yaml.serialize(node, allow_unicode=True, width=_WIDEST)).removesuffix("\n")


def _as_json(value: Json) -> str:
    return visible(json.dumps(value, ensure_ascii=False))


def _dump(value: object) -> str:
    # Hidden characters are in double quotes (:func:`_text`), where YAML supports JSON's escapes.
    return _shown(str(yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDEST)))


def _is_block(text: str) -> bool:
    """Whether ``text`` has several lines, and no white space at either end, which editors tend to remove."""
    lines = text.removesuffix("\n").split("\n")
    return "\n" in text and not any((line[-1:] or " ").isspace() for line in (lines[0], lines[-1]))


def _is_hostile(text: str) -> bool:
    """Whether a terminal or a log would hide or obey a part of it."""
    return visible(text) != text or any(no_command(line) != line for line in text.split("\n"))


def _shown(text: str) -> str:
    """Like :func:`visible`, with a single escape instead of two for characters that JSON splits."""
    return visible(HIDDEN.sub(lambda hidden: f"\\U{ord(hidden[0]):08x}" if hidden[0] > "\uffff" else hidden[0], text))


def emit_faithfully(name: str, value: Json) -> str | None:
    """The result of :func:`emit` if it's read as ``value`` again; otherwise None."""
    try:
        text = emit(name, value)
        reading = compose(Source.of("", text.encode()))
    except (RecursionError, UnicodeEncodeError):
        return None
    values = [document.value for document in reading.documents]
    return text if not reading.problems and values == [{name: value}] else None


def _escaped(value: Json) -> Json:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return type(value)((name, _escaped(entry)) for name, entry in value.items())
    return value


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _is_hostile(text):
        style = '"'
    elif "\n" in text:
        style = "|" if _is_block(text) else '"'  # never one that takes several lines in quotes
    elif not is_text(text) or _TYPED_ELSEWHERE.fullmatch(text):
        style = "'"
    return dumper.represent_scalar(_TEXT, text, style=style)


def _list(dumper: yaml.SafeDumper, values: list[Json]) -> yaml.SequenceNode:
    texts = [str(item) for item in values if not isinstance(item, list | dict)]
    return dumper.represent_sequence(_LIST, values, flow_style=len(texts) == len(values) and is_short(texts))


def _inline_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if "\n" in text:
        return dumper.represent_scalar(_TEXT, text, style='"')
    return _text(dumper, text)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
_Dumper.add_representer(_Lines, lambda dumper, data: dumper.represent_sequence(_LIST, data, flow_style=False))
_Dumper.add_representer(Inline, lambda dumper, data: dumper.represent_mapping(_MAPPING, data, flow_style=True))
_FlowDumper.add_representer(str, _inline_text)
_FlowDumper.add_representer(list, lambda dumper, data: dumper.represent_sequence(_LIST, data, flow_style=True))
for mapping in (dict, Inline):
    _FlowDumper.add_representer(mapping, lambda dumper, data: dumper.represent_mapping(_MAPPING, data, flow_style=True))
