"""From files to documents; nothing of a file that isn't a manifest may be printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import yaml

from webchat_sync.check.secrets import exposed, refuse_secret
from webchat_sync.check.variables import Variables
from webchat_sync.errors import Diagnostic, Place
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.leaks import KEY_MARK
from webchat_sync.manifest.files import (
    MANIFEST,
    OVERLAY,
    Role,
    no_manifest_among,
    read_source,
    refused_link,
    show_path,
)
from webchat_sync.yaml12 import stream
from webchat_sync.yaml12.composer import compose
from webchat_sync.yaml12.document import Document, Source
from webchat_sync.yaml12.policy import Policy

_OWN: Final = frozenset(("version", "organization", "settings", "defaults", "channels"))
_OF_SCHEMAS: Final = frozenset(("properties", "required", "allOf", "anyOf", "oneOf", "not", "if", "$defs"))
"""Keys by which a JSON Schema, such as a policy, is recognised."""

_QUOTES: Final = lazy_pattern("`[^`]{2,}`|: ")
"""Messages that quote more than one character of the file contain this."""


def read_documents(
    source: Source, variables: Variables, parser: stream.Parser = stream.FASTEST_PARSER
) -> tuple[list[Document], list[Diagnostic]]:
    """The non-empty documents of a manifest, and every problem with reading them, including secrets."""
    policy = Policy(variables, variables.refusal, refuse_secret, suspect=KEY_MARK)
    reading = compose(source, policy, parser)
    return reading.documents, [*reading.problems, *exposed(reading)]


class Reader:
    """Reads files, and collects them and their problems; ``written`` are files as they will be, by their paths."""

    def __init__(self, variables: Variables, written: Mapping[Path, bytes] | None = None) -> None:
        self.sources: dict[str, Source] = {}
        self.problems: list[Diagnostic] = []
        self._variables = variables
        self._written = written or {}

    def read(self, files: Iterable[Path], role: Role = MANIFEST) -> list[Document]:
        """The documents of ``files``, in order; links of overlays that leave the tree are rejected.

        If several files aren't manifests and no other one is, that's a single problem.
        """
        documents: list[Document] = []
        strangers: dict[Path, Diagnostic] = {}
        is_any = False
        for file in files:
            source = (refused_link(file) if role is OVERLAY else None) or self._read(file, role)
            if isinstance(source, Diagnostic):
                self.problems.append(source)
                continue
            own, problems = read_documents(source, self._variables)
            if (foreign := _without_content(source, own, problems, role)) is not None:
                if foreign[0].code == role.code:
                    strangers[file] = foreign[0]
                else:
                    self.problems += foreign
                continue
            is_any |= bool(problems) or any(isinstance(document.value, dict) for document in own)
            if may_quote(source, own):
                self.sources[source.name] = source
            if not own and not problems:
                hint = "Add `version: 1`, or remove the file."
                message = "this file contains only comments" if b"#" in source.data else "this file is empty"
                problems = [Diagnostic(message, Place(source.name, 1, 1), hint=hint, code=role.code)]
            documents += own
            self.problems += problems
        if role is MANIFEST and len(strangers) > 1 and not is_any:
            self.problems.append(no_manifest_among(list(strangers)))
        else:
            self.problems += strangers.values()
        return documents

    def _read(self, file: Path, role: Role) -> Source | Diagnostic:
        written = self._written.get(file)
        return read_source(file, role) if written is None else Source.of(show_path(file), written)


def may_quote(source: Source, documents: list[Document]) -> bool:
    """Whether lines of the file may be shown: its first document is a mapping with ``version``."""
    return "version" in _keys(source, documents)


def _without_content(
    source: Source, documents: list[Document], problems: list[Diagnostic], role: Role
) -> list[Diagnostic] | None:
    """Problems that don't quote the file, for one that isn't like a manifest or overlay; None if it is."""
    keys = _keys(source, documents)
    if _is_like_one(keys, documents) or not (documents or problems):
        return None
    if not problems and not any(isinstance(document.value, dict) for document in documents):
        return None  # the checks don't quote a list or a text
    harmless = [problem for problem in problems if not problem.path and not _QUOTES.search(problem.message)]
    hint = role.begins
    if source.name.endswith(".json") and not _OF_SCHEMAS.isdisjoint(keys):
        hint += " A schema, such as a policy, is only skipped if its name ends in `.schema.json`."
    elif role is MANIFEST:
        hint += " If this file is something else, use only the files or folders that are manifests."
    return harmless or [Diagnostic(f"this isn't {role.name}", Place(source.name, 1, 1), hint=hint, code=role.code)]


def _is_like_one(keys: frozenset[str], documents: list[Document]) -> bool:
    """Whether a file with these top-level ``keys`` is like a manifest; many others have a `version`, but not ours."""
    own = keys & _OWN
    first = documents[0].value if documents else None
    if own == {"version"} < keys and isinstance(first, dict) and "version" in first:
        return first["version"] in (1, "1")
    return bool(own)


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
