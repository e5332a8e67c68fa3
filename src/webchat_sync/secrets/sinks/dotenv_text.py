"""Replaces or reads one key of a dotenv file; the rest stays the same, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webchat_sync.lazy_pattern import lazy_pattern

_LINE: Final = lazy_pattern(rb"[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*")
_QUOTED: Final = lazy_pattern(rb"'[^']*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`", re.DOTALL)
_BARE: Final = lazy_pattern(rb"(?:\S|[^\S\r\n]++(?![#\r\n]|\Z))*+")
_PLAIN: Final = lazy_pattern(r"[A-Za-z0-9_./+=:@%,-]+")
_ESCAPED: Final = lazy_pattern(rb"\\(.)", re.DOTALL)


def replace_key(content: bytes, key: str, value: str) -> bytes:
    """``content`` with ``value`` for ``key``, which is appended if it's missing.

    Every line with that key is replaced, since readers differ on which one counts. Raises ValueError for a value with
    line breaks or control characters.
    """
    written = _quoted(value)
    parts: list[bytes] = []
    end = 0
    for start, stop in _values(content, key):
        parts += [content[end:start], written]
        end = stop
    if end:
        return b"".join([*parts, content[end:]])
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    gap = b"" if not content or content.endswith(b"\n") else newline
    return content + gap + key.encode() + b"=" + written + newline


def takes_keys(content: bytes, key: str) -> bool:
    """Whether it's a file of ``KEY=value`` lines, or has the ``key``; appending to any other file could break it."""
    lines = (line.strip() for line in content.removeprefix(b"\xef\xbb\xbf").splitlines())
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    return not first or _LINE.match(first) is not None or next(_values(content, key), None) is not None


def read_key(content: bytes, key: str) -> str | None:
    """The value of ``key``, the last one if there are several; None if there is none."""
    values = [content[start:stop] for start, stop in _values(content, key)]
    if not values:
        return None
    value = values[-1]
    if value[:1] in {b"'", b'"', b"`"} and _QUOTED.fullmatch(value):
        value = _ESCAPED.sub(rb"\1", value[1:-1]) if value[:1] == b'"' else value[1:-1]
    return value.decode("utf-8", "replace")


def _values(content: bytes, key: str) -> Iterator[tuple[int, int]]:
    """The start and end of every value of ``key``, including quotes. Lines within quoted values don't count."""
    position = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    while position < len(content):
        line = _LINE.match(content, position)
        if line is not None:
            start = line.end()
            value = _QUOTED.match(content, start) or _BARE.match(content, start)
            stop = value.end() if value else start
            if line["key"] == key.encode():
                yield start, stop
            position = stop
        newline = content.find(b"\n", position)
        position = newline + 1 if newline >= 0 else len(content)


def _quoted(value: str) -> bytes:
    if not value.isprintable():
        raise ValueError("a dotenv file can't represent it")
    if _PLAIN.fullmatch(value):
        return value.encode()
    if "'" not in value:
        return f"'{value}'".encode()
    return ('"' + re.sub(r'([\\"$`])', r"\\\1", value) + '"').encode()
