"""Whether a file belongs to one organisation, or to every environment with an overlay for it."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from webchat_sync.domain.names import stored_form
from webchat_sync.errors import Diagnostic, Place
from webchat_sync.jsonvalue import Json
from webchat_sync.manifest.files import MOST_FOLDERS, named_files, refused_link, show_path
from webchat_sync.sentences import in_a_row
from webchat_sync.tree import read_regular, real_path, tree_of
from webchat_sync.yaml12.composer import compose
from webchat_sync.yaml12.document import Document, Source
from webchat_sync.yaml12.interpolation import MARK
from webchat_sync.yaml12.policy import WITHOUT_VARIABLES

LARGEST: Final = 1_000_000
"""Larger files, in bytes, aren't searched."""

MOST_NAMED: Final = 3


def naming_themselves(documents: Iterable[Document]) -> frozenset[Place]:
    """The places of those of ``documents`` that name their organisation literally, not by a variable."""
    asked = [document for document in documents if _organization(document.value) is not None]
    sources = {document.source.name: document.source for document in asked}
    written = (document for source in sources.values() for document in compose(source, WITHOUT_VARIABLES).documents)
    literal = {document.place() for document in written if _is_named(document.value)}
    return frozenset(place for document in asked if (place := document.place()) in literal)


def shared(documents: Sequence[Document], files: Sequence[Path], paths: Sequence[Path]) -> list[Diagnostic]:
    """A problem for every one of ``documents``, read from ``files``, that has overlays which weren't given.

    Overlays are looked for next to ``paths``, the files and folders that were given, and in the repository around them.
    """
    literal = naming_themselves(documents)
    bases = [document for document in documents if document.place() not in literal]
    if not bases:
        return []
    others = list(_others(files, paths))
    # An overlay may also apply to other manifests that name no organisation.
    near = Counter(name for _, value in others if not _is_named(value) for name in set(_names(value, added=True)))
    known = {name for base in bases for name in _names(base.value, added=True)}
    above = [
        (file, value)
        for file, value in others
        if _may_lie_over(value)
        and all(name in known or near[name] > (not _is_named(value)) for name in _names(value, added=False))
    ]
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for index, (_, value) in enumerate(above):
        for name in set(_names(value, added=False)):
            by_name[name].append(index)
    for_all = [index for index, (_, value) in enumerate(above) if _lies_over_all(value)]
    channels = [_channels(value) for _, value in above]
    problems: list[Diagnostic] = []
    for base in bases:
        own = _channels(base.value)
        changing = {index for name in _names(base.value, added=True) for index in by_name[name]}
        over = sorted([*for_all, *(index for index in changing if not _says_all(channels[index], own))])
        if over:
            over_files = list(dict.fromkeys(above[index][0] for index in over))
            problems.append(_problem(base.place(("organization",)), base.source.name, over_files))
    return problems


def _problem(place: Place, name: str, over: Sequence[Path]) -> Diagnostic:
    named = in_a_row([show_path(file) for file in over], most=MOST_NAMED)
    apply = "applies" if len(over) == 1 else "apply"
    return Diagnostic(
        f"this manifest is shared: {named} {apply} to it, and values of a single environment don't belong in it",
        place,
        ("organization",),
        hint="Use --overlay with the overlay of the environment whose values you're adopting; a new one only needs "
        f"`version: 1`. If {name} belongs to a single organisation, add its `organization:` to the file.",
        code="shared-manifest",
    )


def _may_lie_over(value: Json) -> bool:
    """Whether it looks like an overlay: a separate manifest would at most take its organisation from a variable."""
    if not isinstance(value, dict) or "version" not in value:
        return False
    return _organization(value) is None or _is_named(value)


def _is_named(value: Json) -> bool:
    """Whether it names its organisation literally."""
    return MARK not in (_organization(value) or MARK)


def _lies_over_all(value: Json) -> bool:
    """Whether ``value`` names no channel, and so changes those of every base, or is an overlay that's still empty."""
    if not isinstance(value, dict) or next(_names(value, added=True), None) is not None:
        return False
    return not value.keys().isdisjoint(("defaults", "settings")) or value.keys() <= {"version", "organization"}


def _says_all(mine: Mapping[str, Json], theirs: Mapping[str, Json]) -> bool:
    """Whether an overlay with the channels ``mine`` says everything that a base with ``theirs`` does, at any depth.

    Then it doesn't need the base, and is a separate manifest.
    """
    return all(name in mine and _has_keys(mine[name], channel) for name, channel in theirs.items())


def _has_keys(value: Json, other: Json) -> bool:
    if not isinstance(value, dict) or not isinstance(other, dict):
        return True
    return all(key in value and _has_keys(value[key], inner) for key, inner in other.items() if key != "sync")


def _channels(value: Json) -> dict[str, dict[str, Json]]:
    """The channels by name, with ``defaults`` merged."""
    document = value if isinstance(value, dict) else {}
    defaults, channels = document.get("defaults"), document.get("channels")
    return {
        stored_form(name): {**(defaults if isinstance(defaults, dict) else {}), **channel}
        for channel in (channels if isinstance(channels, list) else ())
        if isinstance(channel, dict) and isinstance(name := channel.get("name"), str)
    }


def _names(value: Json, *, added: bool) -> Iterator[str]:
    """The names of the channels; those that an overlay adds only with ``added``."""
    channels = value.get("channels") if isinstance(value, dict) else None
    for channel in channels if isinstance(channels, list) else ():
        if not isinstance(channel, dict):
            continue
        name, sync = channel.get("name"), channel.get("sync")
        adds = isinstance(sync, dict) and sync.get("state") == "present"
        if isinstance(name, str) and (added or not adds):
            yield stored_form(name)


def _organization(value: Json) -> str | None:
    organization = value.get("organization") if isinstance(value, dict) else None
    return organization if isinstance(organization, str) else None


def _others(files: Iterable[Path], paths: Sequence[Path]) -> Iterator[tuple[Path, Json]]:
    """The documents, as written, of the files around ``paths`` that aren't in ``files``."""
    known = {real_path(file) for file in files}
    for file in _around(paths):
        real = real_path(file)
        if real in known or refused_link(file) is not None:
            continue
        known.add(real)
        try:
            data = read_regular(file) if file.stat().st_size <= LARGEST else b""
        except (OSError, ValueError):
            continue
        if b"version" in data:
            documents = compose(Source.of(show_path(file), data), WITHOUT_VARIABLES).documents
            yield from ((file, document.value) for document in documents)


def _around(paths: Sequence[Path]) -> Iterator[Path]:
    """The files that may be manifests, in the tree of ``paths``, nearest first."""
    tops: dict[Path, None] = {}
    for path in paths:
        root = tree_of(path)
        nearest = real_path(path).parent
        if root is not None and nearest.is_relative_to(root):
            tops |= dict.fromkeys((nearest, root))
    for top in tops:
        yield from (Path(os.path.relpath(file)) for file in named_files(top, MOST_FOLDERS))
