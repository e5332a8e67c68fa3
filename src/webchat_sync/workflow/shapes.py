"""Learns the shapes of fields whose structure isn't published from the live channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.frozen import frozen
from webchat_sync.model import Listing, Manifest
from webchat_sync.plan.shapes import OrganizationShapes, observe_fields
from webchat_sync.plan.shapes_schema import shapes_schema


@frozen
class Learned:
    """The ``shapes`` of every organisation, and one JSON ``schema`` for all of them."""

    shapes: Sequence[OrganizationShapes]
    schema: Mapping[str, Any]


def learn(listings: Mapping[str, Listing], manifests: Sequence[Manifest], catalogue: Catalogue) -> Learned:
    """The shapes of the live channels; entries of the field catalogue in ``manifests`` are taken into account."""
    entries = {name: entry for manifest in manifests for name, entry in manifest.field_entries.items()}
    catalogue = catalogue.extended(entries)
    channels = [channel for listing in listings.values() for channel in listing.channels]
    return Learned(
        [
            OrganizationShapes(name, len(listing.channels), observe_fields(listing.channels, catalogue))
            for name, listing in listings.items()
        ],
        shapes_schema(observe_fields(channels, catalogue), catalogue),
    )
