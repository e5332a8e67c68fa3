"""Plain values to YAML that every reader, of YAML 1.1 or 1.2, reads as the same values."""

from __future__ import annotations

import re
from typing import Final

import yaml

from webchat_sync.manifest.composer import compose
from webchat_sync.manifest.document import Source
from webchat_sync.manifest.interpolation import escape
from webchat_sync.manifest.scalars import is_text
from webchat_sync.model import Json

_WIDEST: Final = 2**31 - 1
_SHORT: Final = 70
_INVISIBLE: Final = re.compile(r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010fffe]")
_LINES: Final = re.compile(r".*\S\n(?:.*\n)*.*\S\n?|.*\S\n")
"""Several lines without blank ones at either end, which editors are fond of removing."""

_TYPED_ELSEWHERE: Final = re.compile(r"[yYnN]|[-+]?[0-9][0-9_]*(?::[0-9]+)+(?:\.[0-9_]*)?")
"""What other readers of YAML 1.1 take for yes, no, or a number to the base of 60, and PyYAML does not."""


class Inline(dict[str, Json]):
    """A mapping to be written in one line, ``{key: value}``."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def emit(name: str, value: Json) -> str:
    """``name: value`` as lines of YAML, escaped against interpolation."""
    return str(yaml.dump({name: _escaped(value)}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDEST))


def emit_faithfully(name: str, value: Json) -> str | None:
    """As :func:`emit`, if what it gives is read as ``value`` again; else None."""
    try:
        text = emit(name, value)
        documents, problems = compose(Source("", text.encode()), {})
    except (RecursionError, UnicodeEncodeError):
        return None
    return text if not problems and [each.value for each in documents] == [{name: value}] else None


def _escaped(value: Json) -> Json:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, list):
        return [_escaped(each) for each in value]
    if isinstance(value, dict):
        return type(value)((name, _escaped(each)) for name, each in value.items())
    return value


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _INVISIBLE.search(text):
        style = '"'
    elif _LINES.fullmatch(text):
        style = "|"
    elif not is_text(text) or _TYPED_ELSEWHERE.fullmatch(text):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list(dumper: yaml.SafeDumper, values: list[Json]) -> yaml.SequenceNode:
    texts = [str(each) for each in values if not isinstance(each, list | dict)]
    short = len(texts) == len(values) and "\n" not in "".join(texts) and sum(map(len, texts)) <= _SHORT
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=short)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
_Dumper.add_representer(
    Inline, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)
)
