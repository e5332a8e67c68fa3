"""Edits of files as a unified diff."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import unified_diff
from typing import Final

from webchat_sync.flat import flat, no_command, visible

_COLORS: Final = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_RESET: Final = "\x1b[0m"
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")


def render_edit(file: str, before: str, after: str, *, color: bool = False) -> str:
    """The changes in ``file`` like ``diff -u``, with escapes for what a terminal would obey or hide."""
    lines = unified_diff(_LINE.findall(before), _LINE.findall(after), flat(file), flat(file))
    return "".join(_line(line, paint=color and number > 1) for number, line in enumerate(_complete(lines)))


def _complete(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n"
        if not line.endswith("\n"):
            yield "\\ No newline at end of file\n"


def _line(line: str, *, paint: bool) -> str:
    body = line.rstrip("\r\n")
    shown = no_command("\t".join(map(visible, body.split("\t")))) + line[len(body) :]
    return f"{_COLORS[line[0]]}{shown[: len(shown) - 1]}{_RESET}\n" if paint and line[0] in _COLORS else shown
