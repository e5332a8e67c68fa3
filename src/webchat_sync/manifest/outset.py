"""Whether a file is a manifest at the outset: of any other file nothing may be printed."""

from __future__ import annotations

import re
from typing import Final

import yaml

from webchat_sync.errors import Place, Problem
from webchat_sync.yaml12 import stream
from webchat_sync.yaml12.document import Document, Source

_OWN: Final = frozenset(("version", "organization", "settings", "defaults", "channels"))
_QUOTES: Final = re.compile("`[^`]{2,}`|: ")
"""What a message has that repeats more than one character of the file."""


def may_quote(source: Source, documents: list[Document]) -> bool:
    """Whether lines of the file may be shown: its first document is a mapping with ``version``."""
    return "version" in _keys(source, documents)


def without_content(source: Source, documents: list[Document], problems: list[Problem]) -> list[Problem] | None:
    """What to say of a file that has nothing of a manifest, without a word of it; None for one that has something."""
    if _keys(source, documents) & _OWN or not (documents or problems):
        return None
    if not problems and not any(isinstance(document.value, dict) for document in documents):
        return None  # what the checks say of a list or a text repeats nothing of it
    harmless = [problem for problem in problems if not problem.path and not _QUOTES.search(problem.message)]
    hint = "A manifest is a mapping that begins with `version: 1`."
    return harmless or [Problem("this is not a manifest", Place(source.name, 1, 1), hint=hint, code="no-manifest")]


def _keys(source: Source, documents: list[Document]) -> frozenset[str]:
    """The keys of the first document, as far as it can be read."""
    if documents and isinstance(documents[0].value, dict) and "version" in documents[0].value:
        return frozenset(documents[0].value)
    keys: set[str] = set()
    depth, nodes = 0, 0
    next_event = stream.event_source(source, stream.FASTEST_PARSER)
    try:
        while type(event := next_event()) is not stream.STREAM_END:
            kind = type(event)
            if kind in (stream.MAPPING_END, stream.SEQUENCE_END):
                depth -= 1
                if depth == 0:
                    break
                continue
            if depth == 0 and kind in (stream.SCALAR, stream.SEQUENCE_START, stream.ALIAS):
                break
            if kind in (stream.MAPPING_START, stream.SEQUENCE_START, stream.SCALAR, stream.ALIAS) and depth == 1:
                if kind is stream.SCALAR and nodes % 2 == 0:
                    keys.add(event.value)
                nodes += 1
            if kind in (stream.MAPPING_START, stream.SEQUENCE_START):
                depth += 1
    except (yaml.YAMLError, UnicodeDecodeError):
        pass
    return frozenset(keys)
