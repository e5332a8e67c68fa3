"""Digests of listings, channels and manifests, which only change if the meaning does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final

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
    return json_digest([organization, listing.base_url, channels])


def channel_digest(
    organization: str, base_url: str, channel_id: str, values: Mapping[str, Json], catalogue: Catalogue
) -> str:
    """SHA-256 of where a channel is and what ``values`` mean, as ``sha256:<hex>``.

    A null field equals a missing one, since servers drop null keys.
    """
    return json_digest([organization, base_url, channel_id, _canonical_fields(values, values, catalogue)])


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
    return json_digest(declared)


def json_digest(value: object) -> str:
    """SHA-256 of a JSON value, regardless of layout and key order."""
    return digest_text(hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest())


def digest_text(sha256: str) -> str:
    """The digest with these hexadecimal digits, as plans have it: ``sha256:<hex>``."""
    return f"sha256:{sha256}"


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
