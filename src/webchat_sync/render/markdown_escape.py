"""How values stand in Markdown and HTML without ever being taken for either.

Whatever is not plainly a word of ours becomes a code span: there, GitHub and GitLab know no markup, no links, and no
mentions, which they look for in all other text, however it is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Final

from webchat_sync.flat import flat

_PLAIN: Final = re.compile(
    r"(?:[A-Za-z0-9 ,;()'–]|[:.](?=[ 0-9]|$)|\?(?= |$)|(?<=[0-9])%(?=[ ,;)]|$)|->|[+-](?=[A-Za-z0-9]))+"
)
"""Words in which no reader of Markdown finds anything to do; ``->`` needs its ``>`` escaped."""

_CODE: Final = re.compile(
    r"""
      "(?:[^"\\]|\\.)*+(?:"|\\?\Z)
    | `(?P<code>[^`]+)`
    | (?<![\w-])--[a-z]+(?:-[a-z]+)*(?:[ ][0-9]+%?)?
    | [A-Za-z]+(?:\.[A-Za-z]+)+
    """,
    re.DOTALL | re.VERBOSE,
)
"""A value in quotes, what is code already, an option with its number, and names joined by dots."""
_RUN: Final = re.compile("`+")


def code_span(text: str) -> str:
    """``text`` as code inside a line, also in a cell of a table; ``text`` is not empty."""
    line = flat(text)
    tick = "`" * (max(map(len, _RUN.findall(line)), default=0) + 1)
    # Blanks keep backticks at the ends of the text from those of the span, and are taken away again.
    blank = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{tick}{blank}{_pipes(line)}{blank}{tick}"


def phrase(text: str, *, most: int) -> str:
    """A sentence with values in JSON's quotes: the values as code, after ``most`` characters nothing but ``…``."""
    shown, left = "", most
    # Two code spans that touch would be read as one, so what is code together becomes one.
    for plain, group in groupby(_parts(text), key=lambda part: _PLAIN.fullmatch(part) is not None):
        together: list[str] = []
        for part in group:
            left -= len(part)
            together += [part] if left >= 0 else []
        said = "".join(together)
        shown += said.replace(">", "&gt;") if plain or not said else code_span(said)
        if left < 0:
            return f"{shown}…"
    return shown


def html(text: str) -> str:
    """``text`` for the inside of an HTML element that stands on one line."""
    return escape(flat(text))


def fence(lines: Iterable[str], language: str) -> str:
    """A block of code whose fence is longer than any run of backticks in it; every line must hold no line feed."""
    body = "\n".join(lines)
    ticks = "`" * max([3, *(len(run) + 1 for run in _RUN.findall(body))])
    return f"{ticks}{language}\n{body}\n{ticks}"


def _pipes(text: str) -> str:
    """A pipe ends a cell, also in code, unless an odd number of backslashes is before it."""
    return re.sub(r"(?<!\\)(\\*+)\|", lambda found: found[1] + "\\" * (1 + len(found[1]) % 2) + "|", text)


def _parts(text: str) -> Iterable[str]:
    """The words of ``text`` and what of it is code, in their order."""
    end = 0
    for code in _CODE.finditer(text):
        yield from filter(None, [text[end : code.start()], code["code"] or code.group()])
        end = code.end()
    yield from filter(None, [text[end:]])
