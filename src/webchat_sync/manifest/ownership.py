"""Whether a file belongs to one organisation, or to every environment with an overlay for it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from webchat_sync.domain.names import stored_form
from webchat_sync.errors import Diagnostic, Place
from webchat_sync.jsonvalue import Json
from webchat_sync.manifest.files import MOST_FOLDERS, named_files, refused_link, show_path
from webchat_sync.sentences import in_a_row
from webchat_sync.tree import read_regular, tree_of
from webchat_sync.yaml12.composer import compose
from webchat_sync.yaml12.document import Document, Source
from webchat_sync.yaml12.interpolation import MARK
from webchat_sync.yaml12.policy import Policy

LARGEST: Final = 1_000_000
"""Larger files, in bytes, aren't searched."""

MOST_NAMED: Final = 3

_AS_WRITTEN: Final = Policy(refuse_variable=Diagnostic)
"""Leaves variables as they're written."""


def names_itself(document: Document) -> bool:
    """Whether the document names its organisation literally, not by a variable."""
    organization = _organization(document.value)
    if organization is None:
        return False
    at = document.place()
    written = (other for other in compose(document.source, _AS_WRITTEN).documents if other.place() == at)
    return any(_is_named(other.value) for other in written)


def shared(documents: Sequence[Document], files: Sequence[Path], paths: Sequence[Path]) -> list[Diagnostic]:
    """A problem for every one of ``documents``, read from ``files``, that has overlays which weren't given.

    Overlays are looked for next to ``paths``, the files and folders that were given, and in the repository around them.
    """
    bases = [document for document in documents if not names_itself(document)]
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
    problems: list[Diagnostic] = []
    for base in bases:
        over = list(dict.fromkeys(file for file, value in above if _lies_over(value, base.value)))
        if over:
            problems.append(_problem(base.place(("organization",)), base.source.name, over))
    return problems


def _problem(place: Place, name: str, over: Sequence[Path]) -> Diagnostic:
    named = in_a_row([show_path(file) for file in over], most=MOST_NAMED)
    apply = "applies" if len(over) == 1 else "apply"
    return Diagnostic(
        f"this manifest is shared: {named} {apply} to it, and values of a single environment don't belong in it",
        place,
        ("organization",),
        hint="Use --overlay with the overlay of the environment that you adopt; a new one only needs `version: "
        f"1`. If {name} belongs to a single organisation, add its `organization:` to the file.",
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


def _lies_over(value: Json, base: Json) -> bool:
    """Whether ``value`` changes channels of ``base``, or all of them.

    If it says everything that ``base`` does, and so doesn't need it, it's a separate manifest.
    """
    own, changed = set(_names(base, added=True)), set(_names(value, added=False))
    if not changed:
        is_part = isinstance(value, dict) and not value.keys().isdisjoint(("defaults", "settings"))
        return is_part and not set(_names(value, added=True))
    return not changed.isdisjoint(own) and not _says_all(value, base)


def _says_all(value: Json, base: Json) -> bool:
    """Whether ``value`` has every channel of ``base``, and every key of each, at any depth."""
    mine, theirs = _channels(value), _channels(base)
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
    known = {file.resolve() for file in files}
    for file in _around(paths):
        real = file.resolve()
        if real in known or refused_link(file) is not None:
            continue
        known.add(real)
        try:
            data = read_regular(file) if file.stat().st_size <= LARGEST else b""
        except (OSError, ValueError):
            continue
        if b"version" in data:
            documents = compose(Source.of(show_path(file), data), _AS_WRITTEN).documents
            yield from ((file, document.value) for document in documents)


def _around(paths: Sequence[Path]) -> Iterator[Path]:
    """The files that may be manifests, in the tree of ``paths``, nearest first."""
    for path in paths:
        root = tree_of(path)
        nearest = path.resolve().parent
        if root is None or not nearest.is_relative_to(root):
            continue
        for top in dict.fromkeys((nearest, root)):
            yield from (Path(os.path.relpath(file)) for file in named_files(top, MOST_FOLDERS))
