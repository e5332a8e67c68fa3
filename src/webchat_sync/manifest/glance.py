"""A quick look at what files declare, for command-line completion and the like; it never raises an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from webchat_sync.jsonvalue import Json
from webchat_sync.manifest.files import named_files
from webchat_sync.tree import read_regular

_MARKS: Final = {"version", "channels"}
"""The keys that distinguish a manifest from any other file."""

MOST_FOLDERS: Final = 200
"""The limit of folders to search, since the current directory could be anything."""

LARGEST: Final = 1_000_000
"""Larger files, in bytes, are skipped."""


def channel_names(paths: Sequence[Path], environ: Mapping[str, str]) -> list[str]:
    """The sorted names of the channels in the files and folders of ``paths``; unreadable files are skipped.

    Variables are taken from ``environ``. Only what's needed to find the names is checked.
    """
    values = [value for _, value in _documents(paths, environ, b"channels")]
    return sorted({name for value in values for name in _names(value)})


def manifest_files(paths: Sequence[Path], environ: Mapping[str, str]) -> list[Path]:
    """The files in ``paths``, and in their folders, that are manifests judging by their top-level keys."""
    documents = _documents(paths, environ, b"version")
    return list(dict.fromkeys(file for file, value in documents if isinstance(value, dict) and value.keys() >= _MARKS))


def _documents(paths: Sequence[Path], environ: Mapping[str, str], mark: bytes) -> Iterator[tuple[Path, Json]]:
    """The files that contain ``mark``, with the values of their documents."""
    from webchat_sync.check.variables import Variables
    from webchat_sync.yaml12.composer import compose
    from webchat_sync.yaml12.document import Source
    from webchat_sync.yaml12.policy import Policy

    variables = Variables.of(environ)
    policy = Policy(variables, variables.refusal)
    for file in _files(paths):
        try:
            data = read_regular(file) if file.stat().st_size <= LARGEST else b""
        except (OSError, ValueError):
            continue
        if mark in data:
            yield from ((file, document.value) for document in compose(Source.of(file.name, data), policy).documents)


def _names(value: Json) -> Iterator[str]:
    channels = value.get("channels") if isinstance(value, dict) else None
    for channel in channels if isinstance(channels, list) else ():
        name = channel.get("name") if isinstance(channel, dict) else None
        if isinstance(name, str):
            yield name


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_file():
            yield path
        yield from named_files(path, MOST_FOLDERS)
