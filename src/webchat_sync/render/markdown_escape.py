"""Escapes values for Markdown and HTML.

Everything but our own plain words becomes a code span: there, GitHub and GitLab recognise no markup, links or mentions,
which they do in all other text, however it's escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Final

from webchat_sync.flat import flat
from webchat_sync.lazy_pattern import lazy_pattern

_PLAIN: Final = lazy_pattern(
    r"(?:[A-Za-z0-9 ,;()'–]|[:.](?=[ 0-9]|$)|\?(?= |$)|(?<=[0-9])%(?=[ ,;)]|$)|->|[+-](?=[A-Za-z0-9]))+"
)
"""Words that mean nothing to any Markdown parser; ``->`` needs its ``>`` escaped."""

_CODE: Final = lazy_pattern(
    r"""
      (?:(?<![\w-])--[a-z]+(?:-[a-z]+)*[ ])? "(?:[^"\\]|\\.)*+(?:"|\\?\Z)
    | `(?P<code>[^`]+)`
    | (?<![\w-])(?:GET|POST|PATCH|DELETE)[ ]/[\w/{}.-]*[\w/{}]
    | (?<![\w-])--[a-z]+(?:-[a-z]+)*(?:[ ][0-9]+%?)?
    | (?<![A-Za-z])[A-Za-z]++(?:\.[A-Za-z]++)+
    """,
    re.DOTALL | re.VERBOSE,
)
"""A quoted value, text that is already code, a call, an option with its value, and a dotted name."""
_RUN: Final = lazy_pattern("`+")


def code_span(text: str) -> str:
    """``text`` as code within a line or a table cell; ``text`` isn't empty."""
    line = flat(text)
    tick = "`" * (max(map(len, _RUN.findall(line)), default=0) + 1)
    # Spaces, which Markdown strips, separate backticks at the ends from those of the span.
    blank = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{tick}{blank}{_pipes(line)}{blank}{tick}"


def phrase(text: str, *, most: int) -> str:
    """A sentence with JSON-quoted values, which become code; cut after ``most`` characters."""
    shown, room = "", most
    # Adjacent code spans would be read as one, so they're merged.
    for plain, group in groupby(_parts(text), key=lambda part: not part[0] and _PLAIN.fullmatch(part[1]) is not None):
        together: list[str] = []
        for _, part in group:
            room -= len(part)
            together += [part] if room >= 0 else []
        code = "".join(together)
        shown += code.replace(">", "&gt;") if plain or not code else code_span(code)
        if room < 0:
            return f"{shown}…"
    return shown


def html(text: str) -> str:
    """``text`` for the inside of an HTML element on one line."""
    return escape(flat(text))


def fence(lines: Iterable[str], language: str) -> str:
    """A code block whose fence is longer than any run of backticks in it; lines must not contain line feeds."""
    body = "\n".join(lines)
    ticks = "`" * max([3, *(len(run) + 1 for run in _RUN.findall(body))])
    return f"{ticks}{language}\n{body}\n{ticks}"


def _pipes(text: str) -> str:
    """Escapes pipes, which end a table cell even in code, unless an odd number of backslashes precedes them."""
    return re.sub(r"(?<!\\)(\\*+)\|", lambda match: match[1] + "\\" * (1 + len(match[1]) % 2) + "|", text)


def _parts(text: str) -> Iterable[tuple[bool, str]]:
    """The words of ``text`` and its parts that are code, in order; each says whether it is code."""
    end = 0
    for code in _CODE.finditer(text):
        if between := text[end : code.start()]:
            yield False, between
        yield True, code["code"] or code.group()
        end = code.end()
    if rest := text[end:]:
        yield False, rest
