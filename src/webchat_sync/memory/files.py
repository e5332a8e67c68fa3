"""The memory in files: for every organisation, the file that its manifest names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from webchat_sync.memory.document import Document
from webchat_sync.memory.file import FileMemory
from webchat_sync.memory.ports import Edit, Note, Scope


@dataclass(frozen=True)
class FileMemories:
    """The memory in several files; ``paths`` are by organisation. Implements Memory."""

    paths: Mapping[str, Path]

    def read(self) -> Mapping[Scope, Document]:
        """See :class:`Memory`."""
        return {scope: document for file in self._files.values() for scope, document in file.read().items()}

    def write(self, edits: Mapping[Scope, Edit], note: Note) -> Mapping[Scope, Document]:
        """See :class:`Memory`."""
        after: dict[Scope, Document] = {}
        for path, file in self._files.items():
            of_file = {scope: edit for scope, edit in edits.items() if self._path(scope) == path}
            if of_file:
                after.update(file.write(of_file, note))
        return after

    def flaw(self) -> str:
        """See :class:`Memory`."""
        return next(filter(None, (file.flaw() for file in self._files.values())), "")

    def _path(self, scope: Scope) -> Path:
        """The file of the organisation, or else the first one."""
        return self.paths.get(scope.organization) or next(iter(self.paths.values()))

    @cached_property
    def _files(self) -> Mapping[Path, FileMemory]:
        return {path: FileMemory(path) for path in dict.fromkeys(self.paths.values())}
