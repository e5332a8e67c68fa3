"""What reading a file gives: plain values, and beside them where they stand.

The values are kept apart from their places so that reading costs little: the plain values are used as
they are, and a place is worked out only when something has to be said about it.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias

from webchat_sync.errors import Diagnostic, Path, Place, Step
from webchat_sync.jsonvalue import Json, as_json

LINE: Final = 32
"""A position is one number, ``line << LINE | column``, both counted from 0."""

Marks: TypeAlias = "array[int]"
"""Positions; see :class:`Document`."""

_COLUMN: Final = (1 << LINE) - 1


@dataclass(frozen=True)
class Source:
    """One file: its name as the user gave it, and its bytes in UTF-8.

    The bytes are kept for what may have to be said about them later, mostly nothing, hence packed: that saves 8 of the
    79 MB that checking 10,000 channels in 400 files takes, start-up included.
    """

    name: str
    packed: bytes

    @classmethod
    def of(cls, name: str, data: bytes) -> Source:
        """The file of that name with those bytes."""
        return cls(name, zlib.compress(data, 1))

    @property
    def data(self) -> bytes:
        """The bytes, unpacked anew each time."""
        return zlib.decompress(self.packed)

    def place(self, position: int) -> Place:
        """The place that ``position`` stands for."""
        return Place(self.name, (position >> LINE) + 1, (position & _COLUMN) + 1)

    def line(self, number: int) -> str:
        """The text of the line of that number, counted from 1; empty beyond the end."""
        lines = self._lines
        return lines[number - 1].decode("utf-8-sig", "replace") if number <= len(lines) else ""

    def text_at(self, place: Place) -> str:
        """The rest of the line from ``place`` on."""
        return self.line(place.line)[place.column - 1 :]

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.data.splitlines()


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: its value, and where the values in it stand.

    ``marks`` is one array for all documents of the file. Each mapping or list has a block in it, three numbers for
    each of its values in their order: the position of the key (in a list, of the value), the position of the
    value, and where the block of the value begins. ``block`` is where that of the whole document does; 0 is for
    what has no block. ``spelled`` has the text of every scalar, by its position, that JSON would write another way.
    """

    source: Source
    value: Json
    position: int
    marks: Marks
    block: int
    spelled: Mapping[int, str] = field(default_factory=dict)

    def place(self, path: Iterable[Step] = (), *, key: bool = False) -> Place:
        """Where the value at ``path`` stands; with ``key``, where its key does.

        Steps that lead to nothing are left out: the answer is then the place of the last value on the way.
        """
        return self.source.place(self._at(path, key=key)[2])

    def steps(self, path: Path) -> Path:
        """The way to the value at ``path`` in the file that it comes from."""
        return path

    def written(self, path: Iterable[Step]) -> str:
        """What the line of the value at ``path`` says from the value on."""
        return self.source.text_at(self.place(path))

    def text(self, path: Iterable[Step]) -> str:
        """The scalar at ``path`` as it is written, without quotes, tag and anchor, and with its variables filled in."""
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


@dataclass(frozen=True, slots=True)
class Reading:
    """The documents of a file that are not empty, every problem found on the way, and every different key.

    A document with problems is still given when it could be read to its end; a value that could not be read is null
    in it.
    """

    documents: list[Document]
    problems: list[Diagnostic]
    keys: Collection[str]
