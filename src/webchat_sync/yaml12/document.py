"""The result of reading a file: plain values, and their places.

Values and places are stored separately so that reading is cheap: plain values are used as they are, and a place is only
computed when it's needed.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from functools import cached_property
from typing import Final, TypeAlias

from webchat_sync.errors import Diagnostic, Path, Place, Step
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import Json, as_json, texts_in
from webchat_sync.lazy_pattern import lazy_pattern

LINE_BREAK: Final = lazy_pattern(r"\r\n|\r|\n")

SURROGATE: Final = lazy_pattern("[\ud800-\udfff]")
"""Half of a character, which UTF-8 can't represent."""

SEPARATOR: Final = "\0"
"""Between texts that are searched together: it's neither white space nor part of any encoding."""

LINE: Final = 32
"""A position is one number, ``line << LINE | column``, both counted from 0."""

Marks: TypeAlias = "array[int]"
"""Positions; see :class:`Document`."""

_COLUMN: Final = (1 << LINE) - 1


@frozen(slots=False)
class Source:
    """A file: its name as the user gave it, and its bytes in UTF-8.

    The bytes are kept for messages, which are rarely needed, so they're compressed: that saves 8 of the 79 MB for
    checking 10,000 channels in 400 files, including start-up.
    """

    name: str
    packed: bytes

    @classmethod
    def of(cls, name: str, data: bytes) -> Source:
        """The file with that name and those bytes."""
        return cls(name, zlib.compress(data, 1))

    @property
    def data(self) -> bytes:
        """The bytes, decompressed on every call."""
        return zlib.decompress(self.packed)

    def place(self, position: int) -> Place:
        """The place of ``position``."""
        return Place(self.name, (position >> LINE) + 1, (position & _COLUMN) + 1)

    def line(self, number: int) -> str:
        """The text of the line with that number, counted from 1; empty after the end."""
        lines = self._lines
        return lines[number - 1].decode("utf-8-sig", "replace") if number <= len(lines) else ""

    def text_at(self, place: Place) -> str:
        """The rest of the line from ``place``."""
        return self.line(place.line)[place.column - 1 :]

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.data.splitlines()


@frozen(slots=False)
class Document:
    """One document of a file: its value, and the places of the values in it.

    ``marks`` is one array for all documents of the file. Each mapping or list has a block in it, with three numbers for
    each of its values in order: the position of the key (in a list, of the value), the position of the value, and the
    start of the value's block. ``block`` is the start of the document's own block; 0 means no block. ``spelled`` has
    the text of every scalar, by position, that JSON would spell differently.
    """

    source: Source
    value: Json
    position: int
    marks: Marks
    block: int
    spelled: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def texts(self) -> str:
        """Every text, key and number in the value, each once, with :data:`SEPARATOR` between them."""
        return SEPARATOR.join(texts_in(self.value))

    def place(self, path: Iterable[Step] = (), *, key: bool = False) -> Place:
        """The place of the value at ``path``, or with ``key``, of its key.

        Steps that don't exist are ignored: the result is then the place of the last value on the path.
        """
        return self.source.place(self._at(path, key=key)[2])

    def steps(self, path: Path) -> Path:
        """The path to the value at ``path`` in its own file."""
        return path

    def written(self, path: Iterable[Step]) -> str:
        """The rest of the line from the start of the value at ``path``."""
        return self.source.text_at(self.place(path))

    def text(self, path: Iterable[Step]) -> str:
        """The scalar at ``path`` as written, without quotes, tag and anchor, and with variables replaced."""
        value, _, position = self._at(path)
        return self.spelled.get(position) or (value if isinstance(value, str) else as_json(value))

    def _at(self, path: Iterable[Step], *, key: bool = False) -> tuple[Json, int, int]:
        value, block, position = self.value, self.block, self.position
        for step in path:
            if isinstance(value, dict) and isinstance(step, str) and step in value:
                index = list(value).index(step)
                value = value[step]
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                index = step
                value = value[step]
            else:
                return None, 0, position
            start = block + 3 * index
            position = self.marks[start if key else start + 1]
            block = self.marks[start + 2]
        return value, block, position


@frozen
class Reading:
    """The non-empty documents of a file, its problems, and all its distinct keys.

    A document with problems is included if it could be read to its end; values that couldn't be read are null.
    """

    documents: list[Document]
    problems: list[Diagnostic]
    keys: Collection[str]
