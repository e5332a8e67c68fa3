"""A quick look at what files declare, for command-line completion and the like; it never raises an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import Json
from webchat_sync.manifest.files import named_files, refused_link
from webchat_sync.tree import read_regular

if TYPE_CHECKING:
    from webchat_sync.yaml12.policy import Policy

_MARKS: Final = {"version", "channels"}
"""The keys that distinguish a manifest from any other file."""

MOST_FOLDERS: Final = 200
"""The limit of folders to search, since the current directory could be anything."""

LARGEST: Final = 1_000_000
"""Larger files, in bytes, are skipped."""


@frozen
class Owner:
    """Whose channels a manifest declares: its ``organization`` and its ``apiKeyEnv``, as they are written.

    An ``organization`` can contain a variable; None stands for one that isn't there.
    """

    organization: str | None
    key_variable: str | None


def channel_names(paths: Sequence[Path], environ: Mapping[str, str]) -> list[str]:
    """The sorted names of the channels in the files and folders of ``paths``; unreadable files are skipped.

    Variables are taken from ``environ``. Only what's needed to find the names is checked.
    """
    values = [value for _, value in _documents(paths, _reading(environ), b"channels")]
    return sorted({name for value in values for name in _names(value)})


def manifest_files(paths: Sequence[Path], environ: Mapping[str, str]) -> list[Path]:
    """The files in ``paths``, and in their folders, that are manifests judging by their top-level keys."""
    documents = _documents(paths, _reading(environ), b"version")
    return list(dict.fromkeys(file for file, value in documents if isinstance(value, dict) and value.keys() >= _MARKS))


def owners(paths: Sequence[Path]) -> list[Owner]:
    """Whose the manifests in the files and folders of ``paths`` are."""
    from webchat_sync.yaml12.policy import NO_POLICY

    return [
        _owner(value)
        for _, value in _documents(paths, NO_POLICY, b"version")
        if isinstance(value, dict) and value.keys() >= _MARKS
    ]


def _owner(manifest: Mapping[str, Json]) -> Owner:
    organization, settings = manifest.get("organization"), manifest.get("settings")
    variable = settings.get("apiKeyEnv") if isinstance(settings, dict) else None
    return Owner(None if organization is None else str(organization), variable if isinstance(variable, str) else None)


def _reading(environ: Mapping[str, str]) -> Policy:
    """A policy that replaces the variables of ``environ`` that manifests may read."""
    from webchat_sync.check.variables import Variables
    from webchat_sync.yaml12.policy import Policy

    variables = Variables.of(environ)
    return Policy(variables, variables.refusal)


def _documents(paths: Sequence[Path], policy: Policy, mark: bytes) -> Iterator[tuple[Path, Json]]:
    """The files that contain ``mark``, with the values of their documents."""
    from webchat_sync.yaml12.composer import compose
    from webchat_sync.yaml12.document import Source

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
    """The files in ``paths`` and in their folders, without those that a link leads to outside the repository."""
    for path in paths:
        if path.is_file() and refused_link(path) is None:
            yield path
        yield from (file for file in named_files(path, MOST_FOLDERS) if refused_link(file, path) is None)
