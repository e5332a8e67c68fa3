"""What reading a file gives: plain values, and beside them where each one stands.

The values are kept apart from their places so that reading costs little: the plain values are used as
they are, and a place is worked out only when something has to be said about it.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from webchat_sync.errors import Place, Problem
from webchat_sync.jsonvalue import Json
from webchat_sync.yaml12.describe import show

Step: TypeAlias = "str | int"
Path: TypeAlias = "tuple[Step, ...]"
"""The way to a value inside a document: keys of mappings and positions in lists, which count from 0."""

LINE: Final = 32
"""A position is one number, ``line << LINE | column``, both counted from 0."""

Marks: TypeAlias = "array[int]"
"""Positions; see :class:`Document`."""

_COLUMN: Final = (1 << LINE) - 1
_BARE_KEY: Final = re.compile(r"[\w$-]{1,60}")


@dataclass(frozen=True)
class Source:
    """One file: its name as the user gave it, and its bytes in UTF-8.

    The bytes are kept for what may have to be said about them later, mostly nothing, hence in little room.
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
    what has no block.
    """

    source: Source
    value: Json
    position: int
    marks: Marks
    block: int

    def place(self, path: Iterable[Step] = (), *, key: bool = False) -> Place:
        """Where the value at ``path`` stands; with ``key``, where its key does.

        Steps that lead to nothing are left out: the answer is then the place of the last value on the way.
        """
        return self.source.place(self._at(path, key=key)[2])

    def dotted(self, path: Path) -> str:
        """``path`` as text."""
        return dotted(path)

    def written(self, path: Iterable[Step]) -> str:
        """What the line of the value at ``path`` says from the value on."""
        return self.source.text_at(self.place(path))

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
    problems: list[Problem]
    keys: Collection[str]


def dotted(path: Iterable[Step]) -> str:
    """``path`` as text, such as ``channels[2].prechatFields[0].label``; long keys are cut short."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _BARE_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{show(step)}]"
    return text
