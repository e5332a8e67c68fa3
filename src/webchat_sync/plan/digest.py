"""Digests of listings, channels and manifests, which only change if the meaning does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from webchat_sync.domain.canonical import canonical_value
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.model import Declaration, Json, Listing, Manifest

_NOT_OPTIONS: Final = {"fields", "place", "field_places"}


def listing_digest(organization: str, listing: Listing, catalogue: Catalogue) -> str:
    """SHA-256 of the channels and where they are, as ``sha256:<hex>``.

    It covers the organisation, the base URL, and every channel's id and settable fields. The order of the listing, of
    keys and of set items doesn't count, and neither do fields that the server owns, such as times.
    """
    declarable = catalogue.declarable
    channels = {channel.id: _canonical_fields(channel.fields, declarable, catalogue) for channel in listing.channels}
    return _sha256([organization, listing.base_url, channels])


def channel_digest(
    organization: str, base_url: str, channel_id: str, values: Mapping[str, Json], catalogue: Catalogue
) -> str:
    """SHA-256 of where a channel is and what ``values`` mean, as ``sha256:<hex>``.

    A null field equals a missing one, since servers drop null keys.
    """
    return _sha256([organization, base_url, channel_id, _canonical_fields(values, values, catalogue)])


def manifest_digest(manifests: Sequence[Manifest], catalogue: Catalogue) -> str:
    """SHA-256 of what the manifests declare, as ``sha256:<hex>``.

    It doesn't depend on how that's written: comments, layout, and the order of files, channels, keys and set items
    don't count. The values of variables do.
    """
    declared = {
        manifest.organization: [
            manifest.prune,
            sorted(
                _canonical_declaration(declaration, catalogue.extended(manifest.field_entries))
                for declaration in manifest.declarations
            ),
            # Left out if empty, so that digests made before this setting existed stay valid.
            *([dict(manifest.field_entries)] if manifest.field_entries else []),
        ]
        for manifest in manifests
    }
    return _sha256(declared)


def document_digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON document without its own ``digest``, regardless of layout and key order."""
    return _sha256({name: value for name, value in document.items() if name != "digest"})


class GrowingDigest:
    """:func:`document_digest` of a document with a list ``name`` too long to be held, which is added entry by entry.

    ``document`` is all the rest.
    """

    def __init__(self, document: Mapping[str, Any], name: str) -> None:
        rest = json.dumps({**document, name: []}, sort_keys=True)
        # The list in it begins where the names before its own end, and none of their values has a part in that.
        before = {other: value for other, value in document.items() if other < name}
        opened = len(json.dumps({**before, name: []}, sort_keys=True)) - len("]}")
        self._hash = hashlib.sha256(rest[:opened].encode())
        self._closed, self._between = rest[opened:], ""

    def add(self, entry: object) -> None:
        """Take the next entry in."""
        self._hash.update(f"{self._between}{json.dumps(entry, sort_keys=True)}".encode())
        self._between = ", "

    def end(self) -> str:
        """The digest, once all entries are in."""
        self._hash.update(self._closed.encode())
        return _shown(self._hash.hexdigest())


def _canonical_fields(values: Mapping[str, Json], names: Mapping[str, object], catalogue: Catalogue) -> dict[str, Json]:
    known = (name for name in names if values.get(name) is not None)
    return {name: canonical_value(catalogue.shape(name), values[name]) for name in known}


def _canonical_declaration(declaration: Declaration, catalogue: Catalogue) -> str:
    # Every option counts, including future ones, except for places.
    options = {option.name: getattr(declaration, option.name) for option in fields(Declaration)}
    for name in _NOT_OPTIONS:
        del options[name]
    values = {name: canonical_value(catalogue.shape(name), value) for name, value in declaration.fields.items()}
    return json.dumps([options, values], sort_keys=True, default=_plain)


def _plain(option: object) -> object:
    return sorted(option) if isinstance(option, frozenset) else repr(option)


def _sha256(value: object) -> str:
    text = json.dumps(value, sort_keys=True)
    return _shown(hashlib.sha256(text.encode()).hexdigest())


def _shown(digest: str) -> str:
    return f"sha256:{digest}"
